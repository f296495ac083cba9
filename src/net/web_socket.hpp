// WebSocket connections (RFC 6455), the server's and the client's alike: text out, text in, pings, close.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace chandler::net {

struct WebSocketClose {
  std::uint16_t code = 1006;  // RFC 6455 §7.4.1; 1006: the connection broke without a closing handshake
  std::string reason;
};

// One open connection. Every method may be called from any thread and returns at once; after the connection
// has ended they do nothing.
class WebSocketSession {
 public:
  virtual ~WebSocketSession() = default;
  // Queues one text message. The bytes may be shared between sessions.
  virtual void send(std::shared_ptr<const std::string> text) = 0;
  void send(std::string text) { send(std::make_shared<const std::string>(std::move(text))); }
  // Payload: at most 125 bytes; more is cut.
  virtual void ping(std::string_view payload) = 0;
  // An unasked-for pong, as RFC 6455 §5.5.3 allows.
  virtual void pong(std::string_view payload) = 0;
  // Starts the closing handshake; on_close follows.
  virtual void close(std::uint16_t code, std::string_view reason) = 0;
  // Ends the connection without a handshake, as a broken network does.
  virtual void drop() = 0;
  // Bytes queued and not yet handed to the kernel: what a producer watches to slow down.
  virtual std::size_t queued_bytes() const = 0;
  virtual bool is_open() const = 0;
};

using WebSocketPtr = std::shared_ptr<WebSocketSession>;

// Called on an I/O thread, one call at a time for one session; none may block. Pings are answered with their
// payload by the session itself before on_ping is told.
struct WebSocketEvents {
  std::function<void(const WebSocketPtr&)> on_open;
  std::function<void(const WebSocketPtr&, std::string_view text)> on_message;
  std::function<void(const WebSocketPtr&, std::string_view payload)> on_ping;
  std::function<void(const WebSocketPtr&, std::string_view payload)> on_pong;
  std::function<void(const WebSocketPtr&, const WebSocketClose&)> on_close;  // once, the last call
};

struct WebSocketLimits {
  std::size_t max_message_bytes = 1 << 20;
  // A session whose peer does not read is dropped when this much is queued.
  std::size_t max_queued_bytes = 64 << 20;
};

struct WebSocketClientOptions {
  std::string url;                                     // ws://host[:port]/path or wss://…
  std::chrono::milliseconds connect_deadline{10'000};  // name, TCP, TLS and upgrade together
  // The connection counts as broken when nothing at all (not even a ping) came for so long. 0: never.
  std::chrono::milliseconds silence_limit{0};
  std::string ca_file;  // PEM; empty: the system's certificates
  WebSocketLimits limits;
};

// A client connection with an I/O thread of its own. Destroying it drops the connection and joins the thread;
// on_close has been called by then. Not to be destroyed from inside a callback.
class WebSocketClient {
 public:
  // Returns once the connection is open; on_open has then been called. Errors: usage (URL), unreachable
  // (name, refusal, TLS, HTTP status, deadline), interrupted (stop requested).
  static Result<std::unique_ptr<WebSocketClient>> connect(WebSocketClientOptions options,
                                                          WebSocketEvents events, std::stop_token stop = {});
  virtual ~WebSocketClient() = default;
  virtual const WebSocketPtr& session() const = 0;
};

}  // namespace chandler::net
