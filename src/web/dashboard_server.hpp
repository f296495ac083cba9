// `chandler serve`: the dashboard, both APIs and the events over one lake.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "lake/storage.hpp"
#include "web/access.hpp"

namespace chandler::web {

struct DashboardOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  // 0: any free one
  AccessRules access;
  std::string version;
  std::chrono::milliseconds watch_period{1000};  // how often the lake is looked at
  std::size_t cache_bytes = 96 << 20;            // of encoded answers
  std::size_t block_bytes = 64 << 20;            // of candles
  std::size_t max_connections = 1024;
  std::size_t max_listeners = 512;
};

// Runs on threads of its own until it is destroyed. Reads the lake, never writes or locks it.
class DashboardServer {
 public:
  // The clock outlives the server. Errors: unreachable (the port is taken), usage (the address is none).
  static Result<std::unique_ptr<DashboardServer>> start(std::shared_ptr<const lake::Storage> storage,
                                                        Clock& clock, DashboardOptions options);
  virtual ~DashboardServer() = default;
  virtual std::string url() const = 0;
  virtual std::uint16_t port() const = 0;
  // The OpenAPI document that it serves.
  virtual const std::string& openapi() const = 0;
};

}  // namespace chandler::web
