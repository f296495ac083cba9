// What the speed layer counts: read by the live table, the metrics endpoint and the final report.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "metrics/families.hpp"
#include "speed/latencies.hpp"
#include "speed/rejection.hpp"

namespace chandler::speed {

// Every figure may be read while another thread counts.
struct Figures {
  using Count = std::atomic<std::uint64_t>;
  Count messages{0}, bytes{0}, closed{0}, open{0}, repeated{0}, late{0};
  std::array<Count, kRejections> rejected{};
  Count commits{0}, commit_failures{0}, files{0}, minutes_added{0}, minutes_replaced{0};
  Count connects{0}, disconnects{0}, caught_up{0};  // stream connections; minutes fetched by REST
  Count published{0}, publish_failures{0};          // to the broker
  std::atomic<std::int64_t> pending_minutes{0}, queued{0};
  std::atomic<std::int64_t> newest_event_ms{0}, watermark_ms{0}, last_commit_ms{0}, lag_messages{0},
      streams{0};
  Latencies delivery;  // of an event: from the exchange's stream (or REST) to the broker's acknowledgement
  Latencies storing;   // of a closed minute: from there to its commit
  Latencies commit;    // what a commit itself takes

  void reject(Rejection why) {
    rejected[static_cast<std::size_t>(why)].fetch_add(1, std::memory_order_relaxed);
  }
  std::uint64_t rejected_total() const;
};

void add_to(metrics::Families& families, const Figures& figures);

}  // namespace chandler::speed
