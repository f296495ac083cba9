// Private to net/: one connection of the HTTP server. Lives on one worker's thread; only `respond`, `stream`
// and `upgrade` may be called from elsewhere, and they move there.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/file_sender.hpp"
#include "net/request_parser.hpp"
#include "net/server_worker.hpp"

namespace chandler::net {

class HttpConnection final : public Resident,
                             public ResponseSink,
                             public std::enable_shared_from_this<HttpConnection> {
  using Code = boost::system::error_code;
  using TimePoint = std::chrono::steady_clock::time_point;

 public:
  HttpConnection(std::shared_ptr<Worker> worker, boost::asio::ip::tcp::socket socket);
  ~HttpConnection() override;

  // On the worker's thread, after Worker::keep.
  void start();

  void respond(std::uint64_t request, HttpResponse response) override;
  std::shared_ptr<BodyStream> stream(std::uint64_t request, HttpResponse head) override;
  void upgrade(std::uint64_t request, WebSocketEvents events) override;

  void check_deadline(TimePoint now) override;
  void shut() override { close(); }

 private:
  class Stream;
  enum class State { idle, reading, handling, writing, streaming, hanging, closed };

  void begin_request();
  void parse();
  void read_some();
  void handle();
  void reject(const Code& ec);
  // `task` on the worker's thread, if the request numbered `request` is still unanswered then.
  template <class Task>
  void answer(std::uint64_t request, Task task);
  void deliver(HttpResponse response);
  void write_whole(HttpResponse response);
  void render_head(const HttpResponse& response, std::optional<std::size_t> content_length, bool chunked);
  void send_file(bool close_after);
  void written(const Code& ec, bool close_after);
  void watch_for_end();
  void start_stream(const std::shared_ptr<Stream>& stream, const HttpResponse& head);
  void pump(const std::shared_ptr<Stream>& stream);
  void start_web_socket(WebSocketEvents events);
  void finish_and_close();
  void reset();
  void close();
  void expire_after(std::chrono::milliseconds time) { deadline_ = std::chrono::steady_clock::now() + time; }

  std::shared_ptr<Worker> worker_;
  boost::asio::ip::tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  HttpRequest request_;
  std::optional<RequestParser> parser_;
  std::optional<boost::asio::steady_timer> delay_;
  std::string head_;
  HttpResponse response_;
  std::optional<FileSender> file_;  // of head_ and the response's file
  std::shared_ptr<Stream> stream_;
  TimePoint deadline_ = TimePoint::max();
  std::uint64_t number_ = 0;  // of the current request; an answer to another one is dropped
  State state_ = State::idle;
  char scratch_[512];
};

}  // namespace chandler::net
