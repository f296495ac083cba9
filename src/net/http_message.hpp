// What an HTTP server is asked and what it answers, free of any socket.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/memory_file.hpp"

namespace chandler::net {

struct QueryParam {
  std::string name;
  std::string value;
};

// Copyable: a handler that answers later copies what it needs, or the whole.
class HttpRequest {
 public:
  std::string method;             // as sent: GET
  std::string target;             // as sent: /a%20b?c=d
  std::string path;               // decoded: "/a b"
  std::vector<QueryParam> query;  // decoded, in the order sent; a name may occur twice
  std::string body;
  std::string peer;              // the client's address, without its port
  std::uint64_t connection = 0;  // which one of the server's it came on, from 1; 0: none
  int version = 11;              // 10 or 11
  bool keep_alive = true;

  // The first parameter of that name, or nothing. Valid while the request lives unchanged.
  std::optional<std::string_view> param(std::string_view name) const;
  // The value of the first header of that name (any case); empty where there is none.
  std::string_view header(std::string_view name) const;

  std::size_t header_count() const { return fields_.size(); }
  std::string_view header_name(std::size_t i) const;
  std::string_view header_value(std::size_t i) const;

  void add_header(std::string_view name, std::string_view value);
  // Sets target, path and query. False if the target is not a path or its percent signs or bytes are
  // malformed.
  bool set_target(std::string_view sent);
  // Empties everything but `peer` and `connection`, keeping the memory for the next request.
  void clear();

 private:
  struct Field {
    std::uint32_t name_at, name_size, value_at, value_size;
  };
  std::string block_;  // names and values, one after another: one allocation for all headers
  std::vector<Field> fields_;
};

using SharedBody = std::shared_ptr<const std::string>;

// How an answer leaves the server. All but `whole` imitate a broken exchange or network.
enum class Delivery {
  whole,
  hang,      // never answered; the connection stays open until the client gives up
  reset,     // the connection is reset (RST) before the first byte
  truncate,  // Content-Length promises the whole body, the connection ends after `truncate_after` bytes of it
};

struct HttpResponse {
  int status = 200;
  std::string headers;  // rendered lines; use add_header
  std::string body;
  SharedBody shared_body;                  // where set, sent instead of `body`, without copying
  std::shared_ptr<const MemoryFile> file;  // where set, sent instead of both
  std::chrono::milliseconds delay{0};
  Delivery delivery = Delivery::whole;
  std::size_t truncate_after = 0;
  bool close = false;  // ends the connection after this answer

  // Line breaks inside `value` are dropped, so that no value can smuggle a header in.
  HttpResponse& add_header(std::string_view name, std::string_view value);
  std::string_view payload() const {
    if (file) return file->bytes();
    return shared_body ? std::string_view(*shared_body) : std::string_view(body);
  }

  static HttpResponse text(int status, std::string_view content_type, std::string body);
  static HttpResponse json(int status, std::string body);
};

// "OK", "Not Found"; "Unknown" for codes without a registered reason.
std::string_view reason_phrase(int status);

// "a=1&b=2" decoded, in order; empty pairs are skipped. Nothing where percent_decode gives nothing.
std::optional<std::vector<QueryParam>> parse_query(std::string_view text);

}  // namespace chandler::net
