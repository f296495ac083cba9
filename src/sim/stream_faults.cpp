#include "sim/stream_faults.hpp"

#include <algorithm>

namespace chandler::sim {
namespace {

// Of 100 faults.
constexpr std::uint64_t kLost = 10, kDoubled = 35, kSwapped = 25, kDelayed = 27;

}  // namespace

std::vector<StreamFaultPlan::Text> StreamFaultPlan::pass(Text message, Timestamp wall,
                                                         StreamStatistics& counts, bool& drop) {
  std::vector<Text> now;
  std::optional<Text> after = std::exchange(swapped_, std::nullopt);
  if (options_.rate > 0 && random_.chance(options_.rate)) {
    const std::uint64_t kind = random_.below(100);
    if (kind < kLost) {
      ++counts.dropped_messages;
    } else if (kind < kLost + kDoubled) {
      ++counts.duplicated;
      now = {message, message};
    } else if (kind < kLost + kDoubled + kSwapped) {
      ++counts.reordered;
      swapped_ = std::move(message);
    } else if (kind < kLost + kDoubled + kSwapped + kDelayed) {
      ++counts.delayed;
      const auto longest =
          static_cast<std::uint64_t>(std::max<std::int64_t>(1, options_.longest_delay.count()));
      delayed_.emplace_back(wall + Millis(static_cast<std::int64_t>(1 + random_.below(longest))),
                            std::move(message));
    } else {
      ++counts.dropped_connections;
      drop = true;
    }
  } else {
    now = {std::move(message)};
  }
  if (after) now.push_back(std::move(*after));
  return now;
}

std::vector<StreamFaultPlan::Text> StreamFaultPlan::due(Timestamp wall) {
  std::vector<Text> now;
  std::erase_if(delayed_, [&](auto& entry) {
    if (entry.first > wall) return false;
    now.push_back(std::move(entry.second));
    return true;
  });
  return now;
}

}  // namespace chandler::sim
