// Seeded faults of one stream connection: which message is lost, doubled, late, or the last. Pure: times are
// handed in.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"
#include "sim/statistics.hpp"

namespace chandler::sim {

struct StreamFaultOptions {
  double rate = 0;  // share of the messages, 0…1
  std::uint64_t seed = 1;
  Millis longest_delay{3000};
};

// Not thread safe.
class StreamFaultPlan {
 public:
  using Text = std::shared_ptr<const std::string>;
  // `connection` numbers the server's connections: the same one in another run meets the same faults.
  StreamFaultPlan(const StreamFaultOptions& options, std::uint64_t connection)
      : options_(options), random_(options.seed * 0x9e3779b97f4a7c15ULL + connection) {}

  // What leaves now, in order, when `message` is to be sent; earlier messages that were held back may be
  // among it. Counts what it did. `drop`: the connection breaks here.
  std::vector<Text> pass(Text message, Timestamp wall, StreamStatistics& counts, bool& drop);
  // Delayed messages whose time has come.
  std::vector<Text> due(Timestamp wall);

 private:
  StreamFaultOptions options_;
  Random random_;
  std::optional<Text> swapped_;  // leaves after the next one
  std::deque<std::pair<Timestamp, Text>> delayed_;
};

}  // namespace chandler::sim
