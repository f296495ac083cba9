// An HTTP/1.1 server: asynchronous, a few threads for any number of connections, strict about what it
// accepts.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "net/http_message.hpp"
#include "net/web_socket.hpp"

namespace chandler::net {

struct HttpLimits {
  std::size_t max_connections = 10'000;           // more are answered 503 and closed
  std::size_t max_target_bytes = 8'192;           // 414
  std::size_t max_header_bytes = 16'384;          // 431; request line included
  std::size_t max_body_bytes = 1 << 20;           // 413
  std::chrono::milliseconds header_time{10'000};  // from a request's first byte to its last
  std::chrono::milliseconds idle_time{75'000};    // keep-alive without a request
  // A client that reads slower than 64 KiB/s is cut this long after the answer should have been read.
  std::chrono::milliseconds write_time{30'000};
  std::chrono::milliseconds hang_time{600'000};  // the longest Delivery::hang
  WebSocketLimits web_socket;
};

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free one
  unsigned threads = 2;
  std::string server_name = "chandler";
  HttpLimits limits;
};

// A body sent piece by piece (server-sent events). Methods may be called from any thread and return at once.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  // False once the client has gone or reads too slowly to keep up with what is queued.
  virtual bool write(std::string piece) = 0;
  virtual void finish() = 0;
  virtual bool is_open() const = 0;
};

// What a connection offers to the Responder; implemented by the server.
class ResponseSink {
 public:
  virtual ~ResponseSink() = default;
  virtual void respond(std::uint64_t request, HttpResponse response) = 0;
  virtual std::shared_ptr<BodyStream> stream(std::uint64_t request, HttpResponse head) = 0;
  virtual void upgrade(std::uint64_t request, WebSocketEvents events) = 0;
};

// The right to answer one request, once, now or later, from any thread. Dropped without an answer, the client
// gets 500.
class Responder {
 public:
  Responder(std::shared_ptr<ResponseSink> sink, std::uint64_t request)
      : sink_(std::move(sink)), request_(request) {}
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&&) = delete;
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;
  ~Responder();

  void send(HttpResponse response);
  // Sends status and headers of `head` and leaves the body open. `head.delivery` must be whole.
  std::shared_ptr<BodyStream> stream(HttpResponse head);
  // Makes the connection a WebSocket. A request that is no proper upgrade is answered 426 or 400 instead.
  void upgrade(WebSocketEvents events);

 private:
  std::shared_ptr<ResponseSink> sink_;
  std::uint64_t request_;
};

// Runs on an I/O thread: it must not block. The request is valid during the call only.
using HttpHandler = std::function<void(const HttpRequest&, Responder)>;

struct HttpServerCounts {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;  // over the limit of connections
  std::uint64_t requests = 0;
  std::uint64_t malformed = 0;
  std::size_t open = 0;
};

class HttpServer {
 public:
  // Errors: unreachable (port taken, address not ours), usage (address not an IP address).
  static Result<std::unique_ptr<HttpServer>> start(HttpServerOptions options, HttpHandler handler);
  virtual ~HttpServer() = default;  // stops
  virtual std::uint16_t port() const = 0;
  // "http://127.0.0.1:8080", without a trailing slash.
  virtual std::string url() const = 0;
  virtual HttpServerCounts counts() const = 0;
  // Closes all connections and joins the threads. Idempotent; not to be called from a handler.
  virtual void stop() = 0;
};

// True when the request asks for a WebSocket.
bool wants_web_socket(const HttpRequest& request);

}  // namespace chandler::net
