#include "web/assets.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "web/access.hpp"
#include "web/compress.hpp"
#include "web/front.hpp"

namespace chandler::web {
namespace {

constexpr std::string_view kIndex = "/index.html";

}  // namespace

bool is_page(std::string_view path) {
  constexpr std::string_view pages[] = {"/", "/chart", "/models", "/forecasts", "/data", "/live", "/about"};
  return std::ranges::find(pages, path) != std::end(pages);
}

Assets::Assets() {
  for (std::size_t i = 0; i < kEmbeddedAssetCount; ++i) {
    const EmbeddedAsset& e = kEmbeddedAssets[i];
    Asset asset;
    asset.gzip = std::make_shared<const std::string>(e.gzip, e.gzip_size);
    asset.plain = std::make_shared<const std::string>(gunzip(*asset.gzip));
    asset.etag = fmt::format("\"{}\"", e.digest);
    asset.gzip_etag = fmt::format("\"{}-gzip\"", e.digest);
    net::HttpResponse head;
    head.add_header("Content-Type", e.type);
    head.add_header("Cache-Control", e.hashed ? "public, max-age=31536000, immutable" : "no-cache");
    head.add_header("Vary", "Accept-Encoding");
    head.headers += common_headers();
    if (e.path == kIndex) head.headers += page_headers();
    asset.headers = head.headers + "ETag: " + asset.etag + "\r\n";
    asset.gzip_headers = head.headers + "ETag: " + asset.gzip_etag + "\r\nContent-Encoding: gzip\r\n";
    assets_.emplace(e.path, std::move(asset));
  }
}

std::optional<net::HttpResponse> Assets::answer(const net::HttpRequest& request) const {
  const auto it = assets_.find(is_page(request.path) ? kIndex : std::string_view(request.path));
  if (it == assets_.end()) return std::nullopt;
  const Asset& asset = it->second;
  const bool gzip = accepts_gzip(request.header("accept-encoding"));
  net::HttpResponse response;
  response.headers = gzip ? asset.gzip_headers : asset.headers;
  if (matches_etag(request.header("if-none-match"), gzip ? asset.gzip_etag : asset.etag)) {
    response.status = 304;
    return response;
  }
  response.shared_body = gzip ? asset.gzip : asset.plain;
  return response;
}

}  // namespace chandler::web
