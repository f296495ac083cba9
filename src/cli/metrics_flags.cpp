#include "cli/metrics_flags.hpp"

#include "base/log.hpp"

namespace chandler::cli {

void MetricsFlags::add_to(Flags& flags) {
  flags
      .option("--metrics-port", &port,
              "Serve Prometheus metrics on this port of 127.0.0.1; 0 for any free one, which -v tells")
      .range(0, 65535)
      .type("PORT");
}

Result<std::unique_ptr<net::HttpServer>> MetricsFlags::serve(metrics::Collect collect) const {
  if (port < 0) return nullptr;
  CHANDLER_ASSIGN(auto server,
                  metrics::serve(static_cast<std::uint16_t>(port), CHANDLER_VERSION, std::move(collect)));
  spdlog::info("metrics at {}/metrics", server->url());
  return server;
}

}  // namespace chandler::cli
