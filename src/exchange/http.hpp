// HTTP as the exchange's clients need it: one GET at a time, from any thread. The interface is abstract so
// that tests hand in a scripted exchange.
#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace chandler::exchange {

// What came before the body. Header names are lower case.
struct HttpHead {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  // The first header of that (lower-case) name, or empty.
  std::string_view header(std::string_view name) const;
};

struct HttpReply : HttpHead {
  std::string body;
};

struct HttpRequest {
  std::string url;
  std::chrono::nanoseconds timeout{std::chrono::seconds{10}};  // for the whole exchange of bytes
  std::size_t max_bytes = 64u << 20;                           // of the body, after any content encoding
  bool accept_encoding = true;  // ask for compression; off where the bytes themselves are checked
  std::stop_token stop = {};
  // Asked as late as possible: when the connection stands and before the first byte of the request leaves.
  // False holds the request back. Empty: always.
  std::function<bool()> may_send = {};
  // Told as early as possible: when the headers are in and before the body is. May be empty.
  std::function<void(const HttpHead&)> on_head = {};
};

struct HttpFailure {
  enum class Kind {
    held_back,    // may_send said no; nothing was sent
    cancelled,    // the stop token
    timeout,      // no (whole) answer in time
    unreachable,  // no connection: name, refusal, proxy
    broken,       // reset or truncated on the way
    too_large,    // more than max_bytes
    refused       // TLS verification, a URL that cannot be used: trying again does not help
  };
  Kind kind = Kind::unreachable;
  std::string text;  // one clause for people, e.g. "the connection was refused"
};

class Transport {
 public:
  virtual ~Transport() = default;
  // Any status is a reply; redirects are not followed. Thread safe.
  virtual std::expected<HttpReply, HttpFailure> get(const HttpRequest& request) = 0;
};

struct CurlOptions {
  std::chrono::milliseconds connect_timeout{5000};
  std::string ca_file;  // PEM bundle; empty: CURL_CA_BUNDLE, SSL_CERT_FILE, or the system's
};

// libcurl: keep-alive (a pool of connections, as many as there are callers at once), TLS verification,
// proxies from the environment (http_proxy, https_proxy, no_proxy), HTTP and HTTPS only. A stop request ends
// a transfer at once.
std::unique_ptr<Transport> make_curl_transport(const CurlOptions& options = {});

// Percent-encodes everything that RFC 3986 does not call unreserved.
std::string percent_encode(std::string_view text);

}  // namespace chandler::exchange
