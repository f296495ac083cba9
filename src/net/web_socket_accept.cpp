#include "net/web_socket_accept.hpp"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>

#include "net/web_socket_peer.hpp"

namespace chandler::net {
namespace {

namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using tcp = boost::asio::ip::tcp;

// Ties a session to its worker, which ends it when the server stops.
class ServedSession final : public Resident, public std::enable_shared_from_this<ServedSession> {
 public:
  ServedSession(std::shared_ptr<Worker> worker, tcp::socket socket, WebSocketEvents events)
      : worker_(std::move(worker)),
        peer_(std::make_shared<WebSocketPeer<tcp::socket>>(
            worker_, std::move(events), worker_->state().options.limits.web_socket, std::move(socket))) {
    ++worker_->state().open;
  }
  ~ServedSession() override { --worker_->state().open; }

  void accept(http::request<http::empty_body> request) {
    websocket::stream_base::timeout timeout{};
    timeout.handshake_timeout = worker_->state().options.limits.header_time;
    timeout.idle_timeout = websocket::stream_base::none();
    timeout.keep_alive_pings = false;
    peer_->socket().set_option(timeout);
    const auto kept = std::make_shared<http::request<http::empty_body>>(std::move(request));
    peer_->socket().async_accept(*kept,
                                 [self = shared_from_this(), kept](const boost::beast::error_code& ec) {
                                   if (ec) return self->worker_->forget(self.get());
                                   self->peer_->run([self] { self->worker_->forget(self.get()); });
                                 });
  }

  void check_deadline(std::chrono::steady_clock::time_point) override {}
  void shut() override { peer_->drop_here(); }

 private:
  std::shared_ptr<Worker> worker_;
  std::shared_ptr<WebSocketPeer<tcp::socket>> peer_;
};

}  // namespace

void accept_web_socket(const std::shared_ptr<Worker>& worker, tcp::socket socket, const HttpRequest& request,
                       WebSocketEvents events) {
  http::request<http::empty_body> upgrade(http::verb::get, request.target, 11);
  for (std::size_t i = 0; i < request.header_count(); ++i) {
    const auto name = request.header_name(i), value = request.header_value(i);
    upgrade.insert(boost::beast::string_view(name.data(), name.size()),
                   boost::beast::string_view(value.data(), value.size()));
  }
  auto session = std::make_shared<ServedSession>(worker, std::move(socket), std::move(events));
  worker->keep(session);
  session->accept(std::move(upgrade));
}

}  // namespace chandler::net
