// Private to net/: an open WebSocket over any stream, the same for both ends.
#pragma once

#include <algorithm>
#include <atomic>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "net/web_socket.hpp"

namespace chandler::net {

template <class Stream>
class WebSocketPeer final : public WebSocketSession,
                            public std::enable_shared_from_this<WebSocketPeer<Stream>> {
  using Code = boost::beast::error_code;
  using Text = std::shared_ptr<const std::string>;
  using std::enable_shared_from_this<WebSocketPeer<Stream>>::shared_from_this;

 public:
  // `keeper` owns the io_context: a session may be held longer than the server or client that it came from.
  template <class... Args>
  WebSocketPeer(std::shared_ptr<void> keeper, WebSocketEvents events, WebSocketLimits limits, Args&&... args)
      : keeper_(std::move(keeper)),
        socket_(std::forward<Args>(args)...),
        events_(std::move(events)),
        limits_(limits) {
    socket_.read_message_max(limits_.max_message_bytes);
    socket_.auto_fragment(false);
    socket_.text(true);
  }

  boost::beast::websocket::stream<Stream>& socket() { return socket_; }

  // On the I/O thread, once the handshake is done. `ended` is called after on_close.
  void run(std::function<void()> ended) {
    ended_ = std::move(ended);
    open_ = true;
    socket_.control_callback(
        [this](boost::beast::websocket::frame_type kind, boost::beast::string_view payload) {
          const std::string_view text(payload.data(), payload.size());
          if (kind == boost::beast::websocket::frame_type::ping && events_.on_ping)
            events_.on_ping(shared_from_this(), text);
          if (kind == boost::beast::websocket::frame_type::pong && events_.on_pong)
            events_.on_pong(shared_from_this(), text);
        });
    if (events_.on_open) events_.on_open(shared_from_this());
    read();
  }

  using WebSocketSession::send;
  void send(Text text) override {
    if (!open_) return;
    queued_bytes_ += text->size();
    run_there([self = shared_from_this(), text = std::move(text)]() mutable {
      if (self->queued_bytes_ > self->limits_.max_queued_bytes) return self->drop_here();
      self->texts_.push_back(std::move(text));
      if (!self->writing_) self->write();
    });
  }

  void ping(std::string_view payload) override { control(true, payload); }
  void pong(std::string_view payload) override { control(false, payload); }

  void close(std::uint16_t code, std::string_view reason) override {
    if (!open_) return;
    run_there([self = shared_from_this(), code, reason = std::string(reason.substr(0, 123))] {
      if (!self->open_ || self->closing_) return;
      self->closing_ = true;
      const boost::beast::websocket::close_reason because(
          static_cast<boost::beast::websocket::close_code>(code), reason);
      self->socket_.async_close(because, [self, code, reason](const Code& ec) {
        self->finish(ec ? WebSocketClose{} : WebSocketClose{code, reason});
      });
    });
  }

  void drop() override {
    if (!open_) return;
    run_there([self = shared_from_this()] { self->drop_here(); });
  }

  std::size_t queued_bytes() const override { return queued_bytes_; }
  bool is_open() const override { return open_; }

  // On the I/O thread: the reading operation ends with an error, and that ends the session.
  void drop_here() {
    Code ignored;
    auto& lowest = boost::beast::get_lowest_layer(socket_);
    lowest.set_option(boost::asio::socket_base::linger(true, 0), ignored);
    lowest.close(ignored);
  }

 private:
  template <class Task>
  void run_there(Task task) {
    boost::asio::dispatch(socket_.get_executor(), std::move(task));
  }

  void read() {
    socket_.async_read(buffer_, [self = shared_from_this()](const Code& ec, std::size_t) {
      if (ec == boost::beast::websocket::error::closed) {
        const auto& reason = self->socket_.reason();
        return self->finish({reason.code, std::string(reason.reason.data(), reason.reason.size())});
      }
      if (ec) return self->closing_ ? void() : self->finish({1006, ec.message()});
      const auto data = self->buffer_.data();
      if (self->events_.on_message) {
        self->events_.on_message(self->shared_from_this(),
                                 {static_cast<const char*>(data.data()), data.size()});
      }
      self->buffer_.consume(self->buffer_.size());
      self->read();
    });
  }

  void write() {
    writing_ = true;
    const Text text = texts_.front();
    texts_.pop_front();
    socket_.async_write(boost::asio::buffer(*text),
                        [self = shared_from_this(), text](const Code& ec, std::size_t) {
                          self->queued_bytes_ -= text->size();
                          self->writing_ = false;
                          // An error here shows in the read operation as well, which ends the session.
                          if (!ec && !self->texts_.empty()) self->write();
                        });
  }

  void control(bool ping, std::string_view payload) {
    if (!open_) return;
    run_there([self = shared_from_this(), ping, payload = std::string(payload.substr(0, 125))]() mutable {
      self->controls_.emplace_back(ping, std::move(payload));
      if (!self->controlling_) self->write_control();
    });
  }

  void write_control() {
    controlling_ = true;
    const auto [ping, text] = controls_.front();
    controls_.pop_front();
    const boost::beast::websocket::ping_data payload(text);
    auto done = [self = shared_from_this()](const Code& ec) {
      self->controlling_ = false;
      if (!ec && !self->controls_.empty()) self->write_control();
    };
    if (ping) {
      socket_.async_ping(payload, std::move(done));
    } else {
      socket_.async_pong(payload, std::move(done));
    }
  }

  void finish(const WebSocketClose& how) {
    if (!open_.exchange(false)) return;
    const auto keep_me = shared_from_this();
    Code ignored;
    boost::beast::get_lowest_layer(socket_).close(ignored);
    texts_.clear();
    queued_bytes_ = 0;
    if (events_.on_close) events_.on_close(keep_me, how);
    events_ = {};  // what the callbacks hold may hold this session
    if (ended_) std::exchange(ended_, nullptr)();
  }

  std::shared_ptr<void> keeper_;
  boost::beast::websocket::stream<Stream> socket_;
  boost::beast::flat_buffer buffer_;
  WebSocketEvents events_;
  WebSocketLimits limits_;
  std::function<void()> ended_;
  std::deque<Text> texts_;
  std::deque<std::pair<bool, std::string>> controls_;
  std::atomic<std::size_t> queued_bytes_{0};
  std::atomic<bool> open_{false};
  bool writing_ = false;
  bool controlling_ = false;
  bool closing_ = false;
};

}  // namespace chandler::net
