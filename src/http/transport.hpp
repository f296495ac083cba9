// HTTP as a client needs it: one request at a time, from any thread. The interface is abstract so that tests
// hand in a scripted server.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chandler::http {

// What came before the body. Header names are lower case.
struct Head {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  // The first header of that (lower-case) name, or empty.
  std::string_view header(std::string_view name) const;
};

struct Reply : Head {
  std::string body;
};

// AWS Signature Version 4 over the request, its headers and its body.
struct Signature {
  std::string access_key;
  std::string secret_key;
  std::string region;   // e.g. "eu-central-1"
  std::string service;  // e.g. "s3"
};

struct Request {
  std::string method = "GET";
  std::string url;                        // percent-encoded; sent as it is
  std::vector<std::string> headers = {};  // "Name: value", beside those of every request
  std::string_view body = {};             // the caller's, until the reply is there
  std::optional<Signature> signature = {};
  std::chrono::nanoseconds timeout{std::chrono::seconds{10}};  // for the whole exchange of bytes
  std::chrono::nanoseconds stall{0};                           // without a byte either way; 0: as `timeout`
  std::size_t max_bytes = 64u << 20;                           // of the reply's body, decoded
  bool accept_encoding = true;  // ask for compression; off where the bytes themselves are checked
  std::stop_token stop = {};
  // How long the request may still take by the caller's clock, asked often; at zero it is given up. Empty:
  // `timeout` alone counts.
  std::function<std::chrono::nanoseconds()> time_left = {};
  // Asked as late as possible: when the connection stands and before the first byte of the request leaves.
  // False holds the request back. Empty: always.
  std::function<bool()> may_send = {};
  // Told as early as possible: when the headers are in and before the body is. May be empty.
  std::function<void(const Head&)> on_head = {};
};

struct Failure {
  enum class Kind {
    held_back,    // may_send said no; nothing was sent
    cancelled,    // the stop token
    timeout,      // asked, and no (whole) answer in time
    unreachable,  // no connection: name, refusal, proxy, none in time
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
  virtual std::expected<Reply, Failure> send(const Request& request) = 0;
};

}  // namespace chandler::http
