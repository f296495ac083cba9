// The simulated exchange's clock: starts at a chosen instant and runs at a chosen speed.
#pragma once

#include <mutex>

#include "base/clock.hpp"

namespace chandler::sim {

// One reading of both clocks.
struct Instant {
  Timestamp now;   // the market's time, which `speed` stretches
  Timestamp wall;  // starts with it but runs as real time does: request limits and waits are counted in it
};

// Thread safe. `base` outlives it.
class SimClock {
 public:
  // speed: market seconds per real second; 0 stands still.
  SimClock(const Clock& base, Timestamp start, double speed)
      : base_(base),
        origin_(base.steady()),
        wall_start_(start),
        start_(start),
        since_(origin_),
        speed_(speed) {}

  Instant read() const {
    const std::lock_guard lock(mutex_);
    const auto steady = base_.steady();
    const auto market = std::chrono::duration<double, std::milli>(steady - since_) * speed_;
    return {start_ + Millis(static_cast<std::int64_t>(market.count())),
            wall_start_ + std::chrono::floor<Millis>(steady - origin_)};
  }
  Timestamp now() const { return read().now; }
  double speed() const {
    const std::lock_guard lock(mutex_);
    return speed_;
  }
  // The market jumps to `now` and goes on at `speed`.
  void set(Timestamp now, double speed) {
    const std::lock_guard lock(mutex_);
    since_ = base_.steady();
    start_ = now;
    speed_ = speed;
  }

 private:
  const Clock& base_;
  std::chrono::nanoseconds origin_;
  Timestamp wall_start_;
  mutable std::mutex mutex_;
  Timestamp start_;
  std::chrono::nanoseconds since_;
  double speed_;
};

}  // namespace chandler::sim
