// --metrics-port of the commands that run for a while.
#pragma once

#include <memory>

#include "cli/command_line.hpp"
#include "metrics/metrics_server.hpp"

namespace chandler::cli {

struct MetricsFlags {
  int port = -1;
  void add_to(Flags& flags);
  // http://127.0.0.1:PORT/metrics for as long as the result lives; nothing where no port was given.
  Result<std::unique_ptr<net::HttpServer>> serve(metrics::Collect collect) const;
};

}  // namespace chandler::cli
