#include "web/dashboard_server.hpp"

#include <algorithm>

#include "base/parallel.hpp"
#include "metrics/families.hpp"
#include "net/http_server.hpp"
#include "web/assets.hpp"
#include "web/binance_api.hpp"
#include "web/front.hpp"
#include "web/live_feed.hpp"
#include "web/metrics_text.hpp"
#include "web/sources.hpp"

namespace chandler::web {
namespace {

// What a request may ask for at most; see also the limits of each parameter.
net::HttpLimits limits_of(const DashboardOptions& options) {
  net::HttpLimits limits;
  limits.max_connections = options.max_connections;
  limits.max_target_bytes = 8'192;
  limits.max_header_bytes = 16'384;
  limits.max_body_bytes = 0;  // nobody sends us anything
  limits.header_time = std::chrono::seconds(10);
  limits.idle_time = std::chrono::seconds(75);
  limits.write_time = std::chrono::seconds(30);
  return limits;
}

class Server final : public DashboardServer {
 public:
  Server(std::shared_ptr<const lake::Storage> storage, Clock& clock, DashboardOptions options)
      : options_(std::move(options)),
        watch_(storage, clock, options_.watch_period),
        blocks_(storage, options_.block_bytes),
        candles_(blocks_),
        overview_(storage, watch_),
        sources_{storage, watch_, overview_, candles_, clock, options_.version},
        pool_(std::max<std::size_t>(2, core_count()), 512),
        live_(sources_, watch_, pool_, options_.max_listeners),
        front_({options_.access, options_.cache_bytes, 512}, watch_, pool_, clock) {
    add_own_api();
    add_binance_api(front_, sources_);
    add_operations();
    front_.add_instant([this](const net::HttpRequest& request) { return assets_.answer(request); });
  }

  ~Server() override {
    if (server_) server_->stop();
    watch_.stop();
    pool_.stop();
  }

  Status listen() {
    net::HttpServerOptions http;
    http.address = options_.address;
    http.port = options_.port;
    http.threads = static_cast<unsigned>(std::max<std::size_t>(2, core_count()));
    http.limits = limits_of(options_);
    CHANDLER_ASSIGN(server_,
                    net::HttpServer::start(http, [this](const net::HttpRequest& request, net::Responder r) {
                      front_.answer(request, std::move(r));
                    }));
    return {};
  }

  std::string url() const override { return server_->url(); }
  std::uint16_t port() const override { return server_->port(); }
  const std::string& openapi() const override { return openapi_; }

 private:
  void add_own_api() {
    for (auto* routes :
         {&status_routes, &candle_routes, &coverage_routes, &table_routes, &query_routes, &forecast_routes}) {
      for (Route& route : (*routes)(sources_)) routes_.push_back(std::move(route));
    }
    for (const Route& route : routes_) {
      front_.add(route.path, [&route](const net::HttpRequest& request) { return call(route, request); });
    }
    Route live;
    live.path = "/api/v1/live";
    live.tag = "live";
    live.summary =
        "Server-sent events: `candle` whenever the last candles of a symbol move, `lake` whenever anything "
        "does";
    live.params = live_params();
    live.types = {"text/event-stream"};
    front_.add_stream(live.path, [this](const net::HttpRequest& request, net::Responder responder) {
      live_.listen(request, std::move(responder));
    });
    auto described = routes_;
    described.push_back(live);
    Route self;
    self.path = "/api/v1/openapi.json";
    self.tag = "server";
    self.summary = "This description";
    self.types = {std::string(kJson)};
    self.schema = R"({"type":"object"})";
    described.push_back(self);
    openapi_ = openapi_document(described);
    front_.add(self.path, [this](const net::HttpRequest&) {
      Answer answer;
      answer.body = openapi_;
      answer.freshness.kind = Freshness::Kind::forever;
      return answer;
    });
  }

  void add_operations() {
    front_.add("/healthz", [this](const net::HttpRequest&) {
      const ListingPtr listing = watch_.now();
      Answer answer;
      answer.type = "text/plain; charset=utf-8";
      answer.status = listing->error ? 503 : 200;
      answer.body = listing->error ? "the lake cannot be read\n" : "ok\n";
      return answer;
    });
    front_.add("/metrics", [this](const net::HttpRequest&) {
      Answer answer;
      answer.type = metrics::kContentType;
      answer.body = metrics_text({front_.counts(), front_.cache_counts(), server_->counts(), blocks_.bytes(),
                                  live_.listeners(), pool_.waiting(), overview_.now(), problems_now(sources_),
                                  options_.version});
      return answer;
    });
  }

  // In this order: each uses those above it, and they end in the reverse one.
  DashboardOptions options_;
  LakeWatch watch_;
  CandleBlocks blocks_;
  CandleReader candles_;
  OverviewKeeper overview_;
  Sources sources_;
  std::vector<Route> routes_;
  std::string openapi_;
  Assets assets_;
  WorkPool pool_;
  LiveFeed live_;
  Front front_;
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace

Result<std::unique_ptr<DashboardServer>> DashboardServer::start(std::shared_ptr<const lake::Storage> storage,
                                                                Clock& clock, DashboardOptions options) {
  auto server = std::make_unique<Server>(std::move(storage), clock, std::move(options));
  CHANDLER_TRY(server->listen());
  return server;
}

}  // namespace chandler::web
