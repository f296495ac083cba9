#include <fmt/format.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <optional>
#include <thread>

#include "net/web_socket_peer.hpp"

namespace chandler::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using tcp = asio::ip::tcp;
using Code = boost::beast::error_code;
using TlsStream = boost::beast::ssl_stream<tcp::socket>;

struct Address {
  bool tls = false;
  std::string host;
  std::string port;
  std::string target;
};

Result<Address> parse_address(const std::string& url) {
  Address address;
  std::string_view rest = url;
  if (rest.starts_with("wss://")) {
    address.tls = true;
    rest.remove_prefix(6);
  } else if (rest.starts_with("ws://")) {
    rest.remove_prefix(5);
  } else {
    return fail(ErrorCode::usage, "a stream's address begins with ws:// or wss://", url);
  }
  const auto slash = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, slash);
  address.target = rest.substr(slash);
  if (!address.target.starts_with('/')) address.target.insert(0, "/");
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  address.port = address.tls ? "443" : "80";
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    address.port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']'))
    authority = authority.substr(1, authority.size() - 2);
  address.host = authority;
  if (address.host.empty() || address.port.empty())
    return fail(ErrorCode::usage, "the stream's address names no host", url);
  return address;
}

// Runs asynchronous steps on the calling thread until each is done, the deadline has passed or a stop is
// requested.
class Steps {
 public:
  Steps(asio::io_context& io, const WebSocketClientOptions& options, std::stop_token stop)
      : io_(io),
        url_(options.url),
        stop_(std::move(stop)),
        end_(std::chrono::steady_clock::now() + options.connect_deadline) {}

  // `start` begins the operation and is given the completion to call; `cancel` makes it complete soon.
  template <class Start, class Cancel>
  Status run(std::string_view what, Start start, Cancel cancel) {
    const auto done = std::make_shared<std::optional<Code>>();
    start([done](const Code& ec) { *done = ec; });
    bool expired = false;
    while (!*done) {
      io_.restart();
      io_.run_one_until(std::min(end_, std::chrono::steady_clock::now() + std::chrono::milliseconds(50)));
      if (*done) break;
      expired = std::chrono::steady_clock::now() >= end_;
      if (expired || stop_.stop_requested()) {
        cancel();
        if (!expired) return fail(ErrorCode::interrupted, "interrupted while connecting", url_);
        return fail(ErrorCode::unreachable, fmt::format("{}: no answer in time", what), url_);
      }
    }
    if (const Code ec = **done)
      return fail(ErrorCode::unreachable, fmt::format("{}: {}", what, ec.message()), url_);
    return {};
  }

 private:
  asio::io_context& io_;
  const std::string& url_;
  std::stop_token stop_;
  std::chrono::steady_clock::time_point end_;
};

class Client final : public WebSocketClient {
 public:
  ~Client() override {
    if (session_) session_->drop();
    if (thread_.joinable()) thread_.join();
    // Handlers that were queued while the thread ended hold the session.
    core_->io.restart();
    core_->io.poll();
  }

  const WebSocketPtr& session() const override { return session_; }

  Status open(const WebSocketClientOptions& options, WebSocketEvents events, const std::stop_token& stop) {
    CHANDLER_ASSIGN(const Address address, parse_address(options.url));
    Steps steps(core_->io, options, stop);
    CHANDLER_ASSIGN(tcp::socket socket, connect(steps, address));
    if (!address.tls) {
      auto peer = std::make_shared<WebSocketPeer<tcp::socket>>(core_, std::move(events), options.limits,
                                                               std::move(socket));
      return upgrade(steps, options, address, std::move(peer));
    }
    Code ec;
    if (options.ca_file.empty()) {
      core_->tls.set_default_verify_paths(ec);
    } else {
      core_->tls.load_verify_file(options.ca_file, ec);
    }
    if (ec) {
      return fail(ErrorCode::usage, "the certificates to trust cannot be read: " + ec.message(),
                  options.ca_file, "name a PEM file of certificates");
    }
    auto peer = std::make_shared<WebSocketPeer<TlsStream>>(core_, std::move(events), options.limits,
                                                           std::move(socket), core_->tls);
    TlsStream& stream = peer->socket().next_layer();
    SSL_set_tlsext_host_name(stream.native_handle(), address.host.c_str());
    stream.set_verify_mode(asio::ssl::verify_peer);
    stream.set_verify_callback(asio::ssl::host_name_verification(address.host));
    CHANDLER_TRY(steps.run(
        "TLS handshake", [&](auto done) { stream.async_handshake(asio::ssl::stream_base::client, done); },
        [&] { peer->drop_here(); }));
    return upgrade(steps, options, address, std::move(peer));
  }

 private:
  Result<tcp::socket> connect(Steps& steps, const Address& address) {
    tcp::resolver resolver(core_->io);
    const auto found = std::make_shared<tcp::resolver::results_type>();
    CHANDLER_TRY(steps.run(
        "looking up " + address.host,
        [&](auto done) {
          resolver.async_resolve(address.host, address.port, [found, done](const Code& ec, auto results) {
            *found = std::move(results);
            done(ec);
          });
        },
        [&] { resolver.cancel(); }));
    const auto socket = std::make_shared<tcp::socket>(core_->io);
    CHANDLER_TRY(steps.run(
        "connecting to " + address.host,
        [&](auto done) {
          asio::async_connect(*socket, *found,
                              [socket, found, done](const Code& ec, const tcp::endpoint&) { done(ec); });
        },
        [&] {
          Code ignored;
          socket->close(ignored);
        }));
    Code ignored;
    socket->set_option(tcp::no_delay(true), ignored);
    return std::move(*socket);
  }

  template <class Stream>
  Status upgrade(Steps& steps, const WebSocketClientOptions& options, const Address& address,
                 std::shared_ptr<WebSocketPeer<Stream>> peer) {
    websocket::stream_base::timeout timeout{};
    timeout.handshake_timeout = options.connect_deadline;
    timeout.idle_timeout = options.silence_limit.count() > 0
                               ? std::chrono::steady_clock::duration(options.silence_limit)
                               : websocket::stream_base::none();
    timeout.keep_alive_pings = false;
    peer->socket().set_option(timeout);
    peer->socket().set_option(websocket::stream_base::decorator(
        [](websocket::request_type& request) { request.set(http::field::user_agent, "chandler"); }));
    const std::string host =
        (address.host.find(':') == std::string::npos ? address.host : "[" + address.host + "]") +
        (address.port == (address.tls ? "443" : "80") ? "" : ":" + address.port);
    const auto answer = std::make_shared<websocket::response_type>();
    auto shook = steps.run(
        "opening the stream",
        [&](auto done) {
          peer->socket().async_handshake(*answer, host, address.target,
                                         [answer, peer, done](const Code& ec) { done(ec); });
        },
        [&] { peer->drop_here(); });
    if (!shook) {
      if (answer->result_int() >= 300) {
        shook.error().what =
            fmt::format("opening the stream: the server answered HTTP {}", answer->result_int());
        if (const auto wait = (*answer)[http::field::retry_after]; !wait.empty()) {
          shook.error().remedy = fmt::format("wait {} s", std::string_view(wait.data(), wait.size()));
        }
      }
      return shook;
    }
    session_ = peer;
    // Beast's timer for the silence would keep the thread until it expires.
    peer->run([core = core_.get()] { core->io.stop(); });
    thread_ = std::thread([this] {
      core_->io.restart();
      core_->io.run();
    });
    return {};
  }

  // What a session needs for as long as somebody holds it.
  struct Core {
    asio::io_context io{1};
    asio::ssl::context tls{asio::ssl::context::tls_client};
  };

  std::shared_ptr<Core> core_ = std::make_shared<Core>();
  WebSocketPtr session_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<WebSocketClient>> WebSocketClient::connect(WebSocketClientOptions options,
                                                                  WebSocketEvents events,
                                                                  std::stop_token stop) {
  auto client = std::make_unique<Client>();
  CHANDLER_TRY(client->open(options, std::move(events), stop));
  return client;
}

}  // namespace chandler::net
