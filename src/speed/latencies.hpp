// How long things took: a histogram that one thread may add to while others read it.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace chandler::speed {

class Latencies {
 public:
  // Upper bounds of the buckets in ms, inclusive; what took longer than the last is in one more bucket.
  static constexpr std::array<std::int64_t, 33> kBounds = {
      1,    2,      3,      5,      7,      10,     15,     20,     30,      50,        70,
      100,  150,    200,    300,    500,    700,    1000,   1500,   2000,    3000,      5000,
      7000, 10'000, 11'000, 12'000, 15'000, 20'000, 30'000, 60'000, 300'000, 3'600'000, 86'400'000};
  using Counts = std::array<std::uint64_t, kBounds.size() + 1>;

  // Less than nothing, as between two clocks that disagree, counts as nothing.
  void add(Millis took, std::uint64_t times = 1) {
    const std::int64_t ms = std::max<std::int64_t>(0, took.count());
    const auto bucket = static_cast<std::size_t>(std::ranges::lower_bound(kBounds, ms) - kBounds.begin());
    counts_[bucket].fetch_add(times, std::memory_order_relaxed);
    total_ms_.fetch_add(ms * static_cast<std::int64_t>(times), std::memory_order_relaxed);
  }

  Counts counts() const {
    Counts now;
    std::ranges::transform(counts_, now.begin(), [](const auto& count) { return count.load(); });
    return now;
  }
  Millis total() const { return Millis{total_ms_.load()}; }

  // The bound that so great a share (0 to 1) stayed within: no estimate, but as coarse as the buckets are.
  // nullopt: nothing was added, or the share lies beyond the last bound.
  std::optional<Millis> within(double share) const {
    const Counts now = counts();
    std::uint64_t all = 0, so_far = 0;
    for (const auto count : now) all += count;
    for (std::size_t i = 0; i < kBounds.size(); ++i) {
      so_far += now[i];
      if (so_far > 0 && static_cast<double>(so_far) >= share * static_cast<double>(all))
        return Millis{kBounds[i]};
    }
    return std::nullopt;
  }

 private:
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> counts_{};
  std::atomic<std::int64_t> total_ms_{0};
};

}  // namespace chandler::speed
