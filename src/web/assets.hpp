// The dashboard's files, built from ui/ and carried inside the program.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/http_message.hpp"

namespace chandler::web {

// Made by the build (ui/build.mjs).
struct EmbeddedAsset {
  const char* path;  // "/assets/app-1a2b3c4d.js"
  const char* type;
  const char* digest;  // of the content
  bool hashed;         // the name changes with the content: a browser may keep it for ever
  const char* gzip;
  std::size_t gzip_size;
};
extern const EmbeddedAsset kEmbeddedAssets[];
extern const std::size_t kEmbeddedAssetCount;

// Thread safe. Knows exactly the embedded names; nothing a request says reaches a file system.
class Assets {
 public:
  Assets();
  // The pages' addresses (/, /chart, …) all give index.html, which shows the page that the address names.
  std::optional<net::HttpResponse> answer(const net::HttpRequest& request) const;

 private:
  struct Asset {
    net::SharedBody gzip, plain;
    std::string headers, gzip_headers;
    std::string etag, gzip_etag;
  };
  std::map<std::string, Asset, std::less<>> assets_;
};

// Addresses of the dashboard's pages.
bool is_page(std::string_view path);

}  // namespace chandler::web
