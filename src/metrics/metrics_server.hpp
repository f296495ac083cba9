// http://127.0.0.1:PORT/metrics of a command that runs for a while.
#pragma once

#include <functional>
#include <memory>

#include "metrics/families.hpp"
#include "net/http_server.hpp"

namespace chandler::metrics {

// Called on a thread of its own while the command works.
using Collect = std::function<void(Families&)>;

// Serves what `collect` adds, preceded by the version and the process's own figures, for as long as it lives.
// port 0: any free one. Errors: unreachable (the port is taken).
Result<std::unique_ptr<net::HttpServer>> serve(std::uint16_t port, std::string version, Collect collect);

}  // namespace chandler::metrics
