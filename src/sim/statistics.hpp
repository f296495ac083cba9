// What the clients of the simulated exchange did: what tests assert on.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "sim/faults.hpp"

namespace chandler::sim {

struct StreamStatistics {
  std::int64_t connections = 0, refused = 0, open = 0, messages = 0, closed_by_age = 0;
  std::int64_t dropped_connections = 0, dropped_messages = 0, duplicated = 0, reordered = 0, delayed = 0;
};

// A snapshot. Counts are since the start or the last reset.
struct Statistics {
  std::int64_t requests = 0;  // all but /sim/…
  std::int64_t weight = 0;
  int max_weight_per_minute = 0;  // of one client
  int weight_limit = 0;           // per minute
  std::int64_t told_to_wait = 0;  // answers 429 and 418
  std::int64_t requests_while_told_to_wait = 0;
  std::int64_t requests_after_the_order = 0;  // of these, on a connection that had brought the order to wait
  std::int64_t bans = 0;
  std::int64_t bytes = 0;                     // of bodies
  std::map<std::string, std::int64_t> paths;  // archive files are counted by folder
  std::map<int, std::int64_t> statuses;       // as intended, before a fault broke the delivery
  std::array<std::int64_t, kFaultKinds> faults{};
  StreamStatistics streams;

  std::int64_t fault_count() const;
  std::string to_json() const;
};

}  // namespace chandler::sim
