#include "sim/sim_server.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "net/http_server.hpp"
#include "sim/background.hpp"
#include "sim/stream_requests.hpp"

namespace chandler::sim {
namespace {

using net::HttpRequest;
using net::HttpResponse;

class Server final : public SimServer {
 public:
  Server(const std::shared_ptr<const Market>& market, const SimOptions& options, Timestamp start,
         const Clock& clock)
      : clock_(clock, start, options.speed),
        exchange_(market, options.exchange),
        streams_(market, options.streams, clock_) {}

  Status open(const SimOptions& options) {
    net::HttpServerOptions http;
    http.address = options.address;
    http.port = options.port;
    http.threads = options.threads;
    http.server_name = "chandler-sim";
    CHANDLER_ASSIGN(
        http_, net::HttpServer::start(http, [this](const HttpRequest& request, net::Responder responder) {
          if (is_stream_path(request.path)) return streams_.connect(request, std::move(responder));
          if (Exchange::is_slow(request)) {
            background_.post([this, copy = request, answering = std::move(responder)]() mutable {
              answering.send(exchange_.answer(copy, clock_.read()));
            });
            return;
          }
          responder.send(request.path.starts_with("/sim/") ? control(request)
                                                           : exchange_.answer(request, clock_.read()));
        }));
    return {};
  }
  ~Server() override { stop(); }

  std::string url() const override { return http_->url(); }
  std::string archive_url() const override { return http_->url(); }
  std::string stream_url() const override { return "ws" + http_->url().substr(4); }
  std::uint16_t port() const override { return http_->port(); }
  Timestamp now() const override { return clock_.now(); }
  void set_clock(Timestamp now, double speed) override { clock_.set(now, speed); }
  Statistics statistics() const override {
    Statistics statistics = exchange_.statistics();
    statistics.streams = streams_.statistics();
    return statistics;
  }
  void reset_statistics() override {
    exchange_.reset_statistics();
    streams_.reset_statistics();
  }
  void stop() override {
    background_.stop();
    streams_.stop();
    if (http_) http_->stop();
  }

 private:
  // /sim/stats, /sim/clock; POST /sim/reset, POST /sim/clock?now=…&speed=….
  HttpResponse control(const HttpRequest& request) {
    const bool post = request.method == "POST";
    if (request.path == "/sim/stats") return HttpResponse::json(200, statistics().to_json());
    if (request.path == "/sim/reset" && post) {
      reset_statistics();
      return HttpResponse::json(200, "{}");
    }
    if (request.path == "/sim/clock") {
      if (post && !move_clock(request))
        return HttpResponse::json(400, R"({"error":"now is a time, speed a number from 0"})");
      const Timestamp now = clock_.now();
      return HttpResponse::json(200, fmt::format(R"({{"now":{},"time":"{}","speed":{}}})", to_ms(now),
                                                 format_instant(now), clock_.speed()));
    }
    return HttpResponse::json(404,
                              R"({"error":"/sim/stats, /sim/clock and POST /sim/reset are what there is"})");
  }

  bool move_clock(const HttpRequest& request) {
    Timestamp now = clock_.now();
    double speed = clock_.speed();
    if (const auto text = request.param("now")) {
      const auto parsed = parse_instant(*text);
      if (!parsed) return false;
      now = *parsed;
    }
    if (const auto text = request.param("speed")) {
      const auto [end, ec] = std::from_chars(text->data(), text->data() + text->size(), speed);
      if (ec != std::errc{} || end != text->data() + text->size() || !(speed >= 0) || !std::isfinite(speed))
        return false;
    }
    clock_.set(now, speed);
    return true;
  }

  SimClock clock_;
  Exchange exchange_;
  StreamHub streams_;
  Background background_;
  std::unique_ptr<net::HttpServer> http_;
};

}  // namespace

Result<std::unique_ptr<SimServer>> SimServer::start(std::shared_ptr<const Market> market, SimOptions options,
                                                    const Clock& clock) {
  if (!(options.speed >= 0) || !std::isfinite(options.speed)) {
    return fail(ErrorCode::usage, "the clock's speed must be 0 or more");
  }
  const auto is_share = [](double rate) { return rate >= 0 && rate <= 1; };
  if (!is_share(options.exchange.faults.rate) || !is_share(options.streams.faults.rate)) {
    return fail(ErrorCode::usage, "the rate of faults is a share between 0 and 1");
  }
  const Timestamp start = options.now.value_or(market->live_end() - std::chrono::minutes(90));
  auto server = std::make_unique<Server>(market, options, start, clock);
  CHANDLER_TRY(server->open(options));
  return server;
}

}  // namespace chandler::sim
