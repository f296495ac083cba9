// The simulated exchange as a state machine: request and instant → answer. No socket, no clock of its own.
#pragma once

#include <memory>
#include <mutex>

#include "net/http_message.hpp"
#include "sim/archive.hpp"
#include "sim/faults.hpp"
#include "sim/market.hpp"
#include "sim/rate_limiter.hpp"
#include "sim/rest_api.hpp"
#include "sim/sim_clock.hpp"
#include "sim/statistics.hpp"

namespace chandler::sim {

struct ExchangeOptions {
  RateLimits limits;
  FaultOptions faults;
  ArchiveOptions archive;
  std::chrono::milliseconds latency{0};
};

// Thread safe.
class Exchange {
 public:
  Exchange(std::shared_ptr<const Market> market, ExchangeOptions options);

  // Limits, faults and latency included (as HttpResponse's delay and delivery).
  net::HttpResponse answer(const net::HttpRequest& request, Instant at);
  // Whether answering may take so long that an I/O thread should not do it.
  static bool is_slow(const net::HttpRequest& request) { return Archive::owns(request.path); }
  Statistics statistics() const;
  void reset_statistics();
  const Market& market() const { return *market_; }

 private:
  net::HttpResponse refuse(const Admission& admission) const;
  net::HttpResponse serve(const net::HttpRequest& request, Instant at, int weight);
  net::HttpResponse serve_archive(const net::HttpRequest& request, Timestamp now);

  std::shared_ptr<const Market> market_;
  ExchangeOptions options_;
  RestApi rest_;
  Archive archive_;
  mutable std::mutex mutex_;  // guards what follows
  RateLimiter limiter_;
  FaultPlan faults_;
  Statistics statistics_;
};

}  // namespace chandler::sim
