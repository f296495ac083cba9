// Signed HTTP requests to an object store, one at a time, from any thread. The interface is abstract so that
// tests hand in a scripted store.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chandler::s3 {

struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;  // empty for keys that do not run out
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;                   // percent-encoded, its query sorted by name
  std::vector<std::string> headers;  // "Name: value"
  std::string_view body;             // the caller's, until the reply is there
  Credentials credentials;
  std::string region;
  // How long the request may still take, asked often; at zero it is given up.
  std::function<std::chrono::nanoseconds()> time_left;
  std::chrono::milliseconds stall{10'000};  // without a byte either way
};

struct HttpReply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  // The first header of that (lower-case) name, or empty.
  std::string_view header(std::string_view name) const;
};

struct HttpFailure {
  enum class Kind {
    unreachable,  // no connection
    broken,       // reset, cut short or stalled on the way
    out_of_time,  // time_left was used up
    refused       // TLS verification, an unusable address: trying again does not help
  };
  Kind kind = Kind::unreachable;
  std::string text;  // one clause for people
};

class Transport {
 public:
  virtual ~Transport() = default;
  // Any status is a reply. Thread safe.
  virtual std::expected<HttpReply, HttpFailure> send(const HttpRequest& request) = 0;
};

// libcurl, which signs (AWS Signature Version 4), keeps connections alive (as many as there are callers at
// once), verifies certificates (AWS_CA_BUNDLE, SSL_CERT_FILE or the system's) and takes the proxies of the
// environment.
std::unique_ptr<Transport> make_curl_transport();

// Lower-case hexadecimal SHA-256.
std::string sha256_hex(std::string_view bytes);
std::string base64_of_hex(std::string_view hex);

// Percent-encodes everything that RFC 3986 does not call unreserved; a slash only where it is not kept.
std::string percent_encode(std::string_view text, bool keep_slashes = false);
std::string percent_decode(std::string_view text);

}  // namespace chandler::s3
