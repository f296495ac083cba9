#include "net/http_connection.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <limits>
#include <mutex>

#include "base/log.hpp"
#include "net/web_socket_accept.hpp"

namespace chandler::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::size_t kReadChunk = 8192;
constexpr std::size_t kSlowestBytesPerSecond = 65'536;
constexpr std::size_t kMaxQueuedStreamBytes = 8 << 20;
constexpr std::chrono::milliseconds kLinger{2000};

std::chrono::milliseconds write_allowance(const HttpLimits& limits, std::size_t bytes) {
  return limits.write_time + std::chrono::milliseconds(bytes * 1000 / kSlowestBytesPerSecond);
}

// Asio's own condition hands the system 64 KiB at a time.
constexpr auto kAtOnce = [](const boost::system::error_code& ec, std::size_t) -> std::size_t {
  return ec ? 0 : std::numeric_limits<int>::max();
};

bool bodiless(int status) {
  return status == 204 || status == 304 || status < 200;
}

}  // namespace

// Pieces wait in `queue` until the connection's thread has written what came before.
class HttpConnection::Stream final : public BodyStream,
                                     public std::enable_shared_from_this<HttpConnection::Stream> {
 public:
  Stream(std::weak_ptr<HttpConnection> connection, asio::any_io_executor executor)
      : connection_(std::move(connection)), executor_(std::move(executor)) {}

  bool write(std::string piece) override {
    if (piece.empty()) return is_open();
    {
      const std::lock_guard lock(mutex_);
      if (!open_ || finished_ || queued_ + piece.size() > kMaxQueuedStreamBytes) return false;
      queued_ += piece.size();
      queue_.push_back(std::move(piece));
    }
    wake();
    return true;
  }

  void finish() override {
    {
      const std::lock_guard lock(mutex_);
      finished_ = true;
    }
    wake();
  }

  bool is_open() const override {
    const std::lock_guard lock(mutex_);
    return open_ && !finished_;
  }

  // The rest is for the connection.
  void set_closed() {
    const std::lock_guard lock(mutex_);
    open_ = false;
    queue_.clear();
  }

  // All that waits, as one text (framed, if chunked); nothing if nothing waits. `last` tells whether the body
  // ends with it.
  std::optional<std::string> take(bool& last) {
    const std::lock_guard lock(mutex_);
    last = finished_;
    if (queue_.empty() && !finished_) return std::nullopt;
    std::string text;
    if (!queue_.empty()) {
      if (chunked) text = fmt::format("{:x}\r\n", queued_);
      for (const std::string& piece : queue_) text += piece;
      if (chunked) text += "\r\n";
    }
    if (finished_ && chunked) text += "0\r\n\r\n";
    queue_.clear();
    queued_ = 0;
    return text;
  }

  bool chunked = true;
  bool writing = false;

 private:
  void wake() {
    if (auto connection = connection_.lock()) {
      asio::post(executor_, [connection, self = shared_from_this()] { connection->pump(self); });
    }
  }

  std::weak_ptr<HttpConnection> connection_;
  asio::any_io_executor executor_;
  mutable std::mutex mutex_;
  std::deque<std::string> queue_;
  std::size_t queued_ = 0;
  bool finished_ = false;
  bool open_ = true;
};

HttpConnection::HttpConnection(std::shared_ptr<Worker> worker, asio::ip::tcp::socket socket)
    : worker_(std::move(worker)),
      socket_(std::move(socket)),
      buffer_(worker_->state().options.limits.max_header_bytes + kReadChunk) {
  ++worker_->state().open;
  request_.connection = ++worker_->state().numbered;
  Code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.native_non_blocking(true, ignored);
  if (const auto peer = socket_.remote_endpoint(ignored); !ignored)
    request_.peer = peer.address().to_string();
}

HttpConnection::~HttpConnection() {
  --worker_->state().open;
}

void HttpConnection::start() {
  begin_request();
}

void HttpConnection::begin_request() {
  request_.clear();
  parser_.emplace(request_, worker_->state().options.limits.max_target_bytes);
  parser_->header_limit(static_cast<std::uint32_t>(worker_->state().options.limits.max_header_bytes));
  parser_->body_limit(worker_->state().options.limits.max_body_bytes);
  parser_->eager(true);
  ++number_;
  state_ = State::idle;
  expire_after(worker_->state().options.limits.idle_time);
  if (buffer_.size() > 0) {
    parse();
  } else {
    read_some();
  }
}

void HttpConnection::read_some() {
  const std::size_t room = std::min(kReadChunk, buffer_.max_size() - buffer_.size());
  if (room == 0) return reject(http::error::header_limit);
  socket_.async_read_some(buffer_.prepare(room), [self = shared_from_this()](const Code& ec, std::size_t n) {
    if (self->state_ == State::closed) return;
    if (ec) return self->close();
    self->buffer_.commit(n);
    self->parse();
  });
}

void HttpConnection::parse() {
  if (state_ == State::idle) {
    state_ = State::reading;
    expire_after(worker_->state().options.limits.header_time);
  }
  while (buffer_.size() > 0 && !parser_->is_done()) {
    boost::beast::error_code ec;
    const bool had_header = parser_->is_header_done();
    buffer_.consume(parser_->offer(buffer_.data(), ec));
    if (!had_header && parser_->is_header_done() && request_.header("expect") == "100-continue") {
      static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      Code ignored;
      socket_.non_blocking(true, ignored);
      socket_.write_some(asio::buffer(kContinue), ignored);
    }
    if (ec == http::error::need_more) break;
    if (ec) return reject(ec);
  }
  if (parser_->is_done()) {
    handle();
  } else {
    read_some();
  }
}

void HttpConnection::reject(const Code& ec) {
  ++worker_->state().malformed;
  int status = 400;
  if (ec == http::error::header_limit) status = 431;
  if (ec == http::error::body_limit) status = 413;
  if (ec == http::error::bad_version) status = 505;
  if (parser_->target_too_long()) status = 414;
  HttpResponse response = HttpResponse::text(status, "text/plain", std::string(reason_phrase(status)) + "\n");
  response.close = true;
  request_.keep_alive = false;
  request_.version = 11;
  state_ = State::handling;
  deliver(std::move(response));
}

void HttpConnection::handle() {
  ++worker_->state().requests;
  state_ = State::handling;
  deadline_ = TimePoint::max();
  // An exception that got this far (out of memory, say) costs this request, which is then answered 500 by its
  // Responder's end, and not the server.
  try {
    worker_->state().handler(request_, Responder(shared_from_this(), number_));
  } catch (const std::exception& e) {
    spdlog::error("{} {}: {}", request_.method, request_.path, e.what());
  }
}

template <class Task>
void HttpConnection::answer(std::uint64_t request, Task task) {
  asio::dispatch(worker_->io(), [self = shared_from_this(), request, task = std::move(task)]() mutable {
    if (request == self->number_ && self->state_ == State::handling) task(*self);
  });
}

void HttpConnection::respond(std::uint64_t request, HttpResponse response) {
  answer(request, [response = std::move(response)](HttpConnection& self) mutable {
    self.deliver(std::move(response));
  });
}

void HttpConnection::deliver(HttpResponse response) {
  if (response.delay.count() > 0) {
    const auto delay = std::exchange(response.delay, std::chrono::milliseconds{0});
    if (!delay_) delay_.emplace(worker_->io());
    delay_->expires_after(delay);
    delay_->async_wait([self = shared_from_this(), request = number_,
                        response = std::move(response)](const Code& ec) mutable {
      if (!ec && request == self->number_ && self->state_ == State::handling)
        self->deliver(std::move(response));
    });
    return;
  }
  switch (response.delivery) {
    case Delivery::whole:
    case Delivery::truncate:
      return write_whole(std::move(response));
    case Delivery::reset:
      return reset();
    case Delivery::hang:
      state_ = State::hanging;
      expire_after(worker_->state().options.limits.hang_time);
      return watch_for_end();
  }
}

void HttpConnection::render_head(const HttpResponse& response, std::optional<std::size_t> content_length,
                                 bool chunked) {
  head_.clear();
  if (response.status == 200) {
    head_ += "HTTP/1.1 200 OK\r\n";
  } else {
    fmt::format_to(std::back_inserter(head_), "HTTP/1.1 {} {}\r\n", response.status,
                   reason_phrase(response.status));
  }
  head_ += worker_->date_header();
  head_ += response.headers;
  if (content_length) {
    const fmt::format_int digits(*content_length);
    head_.append("Content-Length: ").append(digits.data(), digits.size()).append("\r\n");
  }
  if (chunked) head_ += "Transfer-Encoding: chunked\r\n";
  if (!request_.keep_alive) {
    head_ += "Connection: close\r\n";
  } else if (request_.version == 10) {
    head_ += "Connection: keep-alive\r\n";
  }
  head_ += "\r\n";
}

void HttpConnection::write_whole(HttpResponse response) {
  state_ = State::writing;
  response_ = std::move(response);
  if (response_.close) request_.keep_alive = false;
  std::string_view body = response_.payload();
  render_head(response_, bodiless(response_.status) ? std::nullopt : std::optional(body.size()), false);
  if (request_.method == "HEAD" || bodiless(response_.status)) body = {};
  bool close_after = !request_.keep_alive;
  if (response_.delivery == Delivery::truncate) {
    body = body.substr(0, response_.truncate_after);
    close_after = true;
  }
  expire_after(write_allowance(worker_->state().options.limits, head_.size() + body.size()));
  const std::array<asio::const_buffer, 2> parts{asio::buffer(head_), asio::buffer(body.data(), body.size())};
  if (response_.file && !body.empty()) {
    file_.emplace(head_, *response_.file, body.size());
    return send_file(close_after);
  }
  asio::async_write(socket_, parts, kAtOnce,
                    [self = shared_from_this(), close_after](const Code& ec, std::size_t) {
                      self->written(ec, close_after);
                    });
}

void HttpConnection::send_file(bool close_after) {
  const auto state = file_->send(socket_.native_handle());
  if (state == FileSender::State::broken) return close();
  auto go_on = [self = shared_from_this(), state, close_after](const Code& ec = {}) {
    if (ec || state == FileSender::State::done || self->state_ == State::closed)
      return self->written(ec, close_after);
    self->send_file(close_after);
  };
  if (state == FileSender::State::full)
    return socket_.async_wait(asio::ip::tcp::socket::wait_write, std::move(go_on));
  // Not from here: what is pipelined would be answered in a recursion, and others wait for their turn.
  asio::post(worker_->io(), std::move(go_on));
}

void HttpConnection::written(const Code& ec, bool close_after) {
  if (state_ == State::closed) return;
  if (ec) return close();
  response_.shared_body.reset();
  response_.file.reset();
  if (close_after) return finish_and_close();
  begin_request();
}

// While an answer is withheld nothing is read, so the client's leaving would go unseen.
void HttpConnection::watch_for_end() {
  socket_.async_read_some(asio::buffer(scratch_), [self = shared_from_this()](const Code& ec, std::size_t) {
    if (self->state_ == State::closed) return;
    if (ec) return self->close();
    self->watch_for_end();
  });
}

std::shared_ptr<BodyStream> HttpConnection::stream(std::uint64_t request, HttpResponse head) {
  auto stream = std::make_shared<Stream>(weak_from_this(), worker_->io().get_executor());
  asio::dispatch(worker_->io(), [self = shared_from_this(), request, stream, head = std::move(head)] {
    if (request == self->number_ && self->state_ == State::handling) {
      self->start_stream(stream, head);
    } else {
      stream->set_closed();
    }
  });
  return stream;
}

void HttpConnection::start_stream(const std::shared_ptr<Stream>& stream, const HttpResponse& head) {
  state_ = State::streaming;
  stream->chunked = request_.version == 11;
  if (!stream->chunked || head.close) request_.keep_alive = false;
  render_head(head, std::nullopt, stream->chunked);
  stream_ = stream;
  stream->writing = true;
  expire_after(worker_->state().options.limits.write_time);
  asio::async_write(socket_, asio::buffer(head_),
                    [self = shared_from_this(), stream](const Code& ec, std::size_t) {
                      if (self->state_ == State::closed) return;
                      if (ec) return self->close();
                      stream->writing = false;
                      self->deadline_ = TimePoint::max();
                      self->pump(stream);
                    });
  watch_for_end();
}

void HttpConnection::pump(const std::shared_ptr<Stream>& stream) {
  if (state_ != State::streaming || stream_ != stream || stream->writing) return;
  bool last = false;
  auto text = stream->take(last);
  if (!text) return;
  stream->writing = true;
  head_ = std::move(*text);
  expire_after(write_allowance(worker_->state().options.limits, head_.size()));
  asio::async_write(socket_, asio::buffer(head_),
                    [self = shared_from_this(), stream, last](const Code& ec, std::size_t) {
                      if (self->state_ == State::closed) return;
                      // A client may send while a stream runs, and what it sent has been thrown away: the
                      // connection ends here.
                      if (ec) return self->close();
                      if (last) return self->finish_and_close();
                      stream->writing = false;
                      self->deadline_ = TimePoint::max();
                      self->pump(stream);
                    });
}

void HttpConnection::upgrade(std::uint64_t request, WebSocketEvents events) {
  answer(request, [events = std::move(events)](HttpConnection& self) mutable {
    self.start_web_socket(std::move(events));
  });
}

void HttpConnection::start_web_socket(WebSocketEvents events) {
  const bool proper = wants_web_socket(request_) && request_.method == "GET" && request_.version == 11 &&
                      !request_.header("sec-websocket-key").empty() && buffer_.size() == 0;
  if (!proper || request_.header("sec-websocket-version") != "13") {
    HttpResponse refusal = HttpResponse::text(proper || !wants_web_socket(request_) ? 426 : 400, "text/plain",
                                              "This address speaks WebSocket (RFC 6455) only.\n");
    refusal.add_header("Upgrade", "websocket").add_header("Sec-WebSocket-Version", "13");
    refusal.close = true;
    return deliver(std::move(refusal));
  }
  const auto keep_me = shared_from_this();
  state_ = State::closed;
  worker_->forget(this);
  accept_web_socket(worker_, std::move(socket_), request_, std::move(events));
}

void HttpConnection::check_deadline(TimePoint now) {
  if (now < deadline_ || state_ == State::closed) return;
  close();
}

// Sends FIN and reads what still comes for a moment: closing with unread bytes would send RST and could take
// the answer from the client's hands.
void HttpConnection::finish_and_close() {
  Code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  expire_after(kLinger);
  const bool already_reading = state_ == State::streaming;
  state_ = State::hanging;
  if (!already_reading) watch_for_end();
}

void HttpConnection::reset() {
  Code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  close();
}

void HttpConnection::close() {
  if (state_ == State::closed) return;
  const auto keep_me = shared_from_this();
  state_ = State::closed;
  if (stream_) std::exchange(stream_, nullptr)->set_closed();
  if (delay_) delay_->cancel();
  Code ignored;
  socket_.close(ignored);
  worker_->forget(this);
}

}  // namespace chandler::net
