// /metrics: the server's and the lake's state for Prometheus (text exposition format 0.0.4).
#pragma once

#include <string>

#include "net/http_server.hpp"
#include "web/front.hpp"
#include "web/overview.hpp"

namespace chandler::web {

struct MetricsInput {
  std::vector<EndpointCounts> endpoints;
  ResponseCache::Counts cache;
  net::HttpServerCounts server;
  std::size_t block_bytes = 0;
  std::size_t listeners = 0;
  std::size_t waiting = 0;
  std::shared_ptr<const Overview> overview;
  std::vector<Problem> problems;
  std::string version;
};

std::string metrics_text(const MetricsInput& input);

}  // namespace chandler::web
