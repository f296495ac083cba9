#include "net/http_server.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <vector>

#include "net/http_connection.hpp"

namespace chandler::net {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using Code = boost::system::error_code;

// Accepts on the first worker's thread and hands connections to all workers in turn.
class Listener final : public std::enable_shared_from_this<Listener> {
 public:
  Listener(std::shared_ptr<ServerState> state, std::vector<std::shared_ptr<Worker>> workers)
      : state_(std::move(state)), workers_(std::move(workers)), acceptor_(workers_.front()->io()) {}

  Status open(const tcp::endpoint& endpoint) {
    Code ec;
    acceptor_.open(endpoint.protocol(), ec);
    if (!ec) acceptor_.set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec) acceptor_.bind(endpoint, ec);
    if (!ec) acceptor_.listen(4096, ec);
    if (!ec) return {};
    const std::string where = fmt::format("{}:{}", endpoint.address().to_string(), endpoint.port());
    if (ec == asio::error::address_in_use) {
      return fail(ErrorCode::unreachable, fmt::format("port {} is already in use", endpoint.port()), where,
                  "stop the other program, or choose another port (0 takes any free one)");
    }
    return fail(ErrorCode::unreachable, "cannot listen: " + ec.message(), where,
                "choose another address or port");
  }

  std::uint16_t port() const {
    Code ignored;
    return acceptor_.local_endpoint(ignored).port();
  }

  void accept() {
    const auto& worker = workers_[next_++ % workers_.size()];
    acceptor_.async_accept(worker->io(),
                           [self = shared_from_this(), worker](const Code& ec, tcp::socket socket) {
                             if (ec == asio::error::operation_aborted || !self->acceptor_.is_open()) return;
                             if (ec) return self->accept_later();
                             self->admit(worker, std::move(socket));
                             self->accept();
                           });
  }

  void close() {
    asio::post(acceptor_.get_executor(), [self = shared_from_this()] {
      Code ignored;
      self->acceptor_.close(ignored);
      self->retry_.cancel();
    });
  }

 private:
  void admit(const std::shared_ptr<Worker>& worker, tcp::socket socket) {
    ++state_->accepted;
    if (state_->open >= state_->options.limits.max_connections) {
      ++state_->refused;
      static constexpr std::string_view kBusy =
          "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\nRetry-After: "
          "1\r\n\r\n";
      Code ignored;
      socket.non_blocking(true, ignored);
      socket.write_some(asio::buffer(kBusy), ignored);
      return;
    }
    asio::post(worker->io(), [worker, socket = std::move(socket)]() mutable {
      auto connection = std::make_shared<HttpConnection>(worker, std::move(socket));
      worker->keep(connection);
      connection->start();
    });
  }

  // Out of file descriptors, for example: wait for some to come back.
  void accept_later() {
    retry_.expires_after(std::chrono::milliseconds(100));
    retry_.async_wait([self = shared_from_this()](const Code& ec) {
      if (!ec && self->acceptor_.is_open()) self->accept();
    });
  }

  std::shared_ptr<ServerState> state_;
  std::vector<std::shared_ptr<Worker>> workers_;
  tcp::acceptor acceptor_;
  asio::steady_timer retry_{acceptor_.get_executor()};
  std::size_t next_ = 0;
};

class Server final : public HttpServer {
 public:
  Server(std::shared_ptr<ServerState> state, std::vector<std::shared_ptr<Worker>> workers,
         std::shared_ptr<Listener> listener, std::string host)
      : state_(std::move(state)),
        workers_(std::move(workers)),
        listener_(std::move(listener)),
        port_(listener_->port()) {
    url_ = fmt::format("http://{}:{}", host, port_);
    listener_->accept();
    for (const auto& worker : workers_) worker->run();
  }
  ~Server() override { stop(); }

  std::uint16_t port() const override { return port_; }
  std::string url() const override { return url_; }
  HttpServerCounts counts() const override {
    return {state_->accepted, state_->refused, state_->requests, state_->malformed, state_->open};
  }
  void stop() override {
    if (!listener_) return;
    listener_->close();
    for (const auto& worker : workers_) worker->stop();
    listener_.reset();
    workers_.clear();
  }

 private:
  std::shared_ptr<ServerState> state_;
  std::vector<std::shared_ptr<Worker>> workers_;
  std::shared_ptr<Listener> listener_;
  std::uint16_t port_;
  std::string url_;
};

// A process may hold few files unless it asks for more (1,024 on Debian), and every connection is one.
void allow_open_files(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, wanted);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

bool has_token(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    std::string_view token = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    while (token.starts_with(' ')) token.remove_prefix(1);
    while (token.ends_with(' ')) token.remove_suffix(1);
    const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
    if (std::ranges::equal(token, wanted, same)) return true;
  }
  return false;
}

}  // namespace

Responder::~Responder() {
  if (sink_) sink_->respond(request_, HttpResponse::text(500, "text/plain", "Internal Server Error\n"));
}

void Responder::send(HttpResponse response) {
  if (const auto sink = std::exchange(sink_, nullptr)) sink->respond(request_, std::move(response));
}

std::shared_ptr<BodyStream> Responder::stream(HttpResponse head) {
  const auto sink = std::exchange(sink_, nullptr);
  return sink ? sink->stream(request_, std::move(head)) : nullptr;
}

void Responder::upgrade(WebSocketEvents events) {
  if (const auto sink = std::exchange(sink_, nullptr)) sink->upgrade(request_, std::move(events));
}

bool wants_web_socket(const HttpRequest& request) {
  return has_token(request.header("upgrade"), "websocket") &&
         has_token(request.header("connection"), "upgrade");
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpServerOptions options, HttpHandler handler) {
  Code ec;
  const auto address = asio::ip::make_address(options.address, ec);
  if (ec) {
    return fail(ErrorCode::usage, fmt::format("'{}' is not an IP address", options.address), {},
                "use 127.0.0.1, ::1 or 0.0.0.0");
  }
  constexpr std::size_t kOtherFiles = 512 + MemoryFile::kMost;  // of the rest of the program
  allow_open_files(options.limits.max_connections + kOtherFiles);
  const tcp::endpoint endpoint(address, options.port);
  auto state = std::make_shared<ServerState>();
  state->options = std::move(options);
  state->handler = std::move(handler);
  std::vector<std::shared_ptr<Worker>> workers;
  for (unsigned i = 0; i < std::max(1U, state->options.threads); ++i)
    workers.push_back(std::make_shared<Worker>(state));
  auto listener = std::make_shared<Listener>(state, workers);
  CHANDLER_TRY(listener->open(endpoint));
  const std::string host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  return std::make_unique<Server>(std::move(state), std::move(workers), std::move(listener), host);
}

}  // namespace chandler::net
