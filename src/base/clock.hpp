// Time is handed in, so that a test replays. Nothing outside this file asks the machine what time it is.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "base/time.hpp"

namespace chandler {

class Clock {
 public:
  virtual ~Clock() = default;
  // The machine's idea of UTC. Which candles are closed is decided by the exchange's clock, not by this one.
  virtual Timestamp now() const = 0;
  // Monotonic time since an arbitrary origin, for deadlines and durations.
  virtual std::chrono::nanoseconds steady() const = 0;
  // Waits; returns false at once when `stop` is (or gets) requested.
  virtual bool sleep(std::chrono::nanoseconds duration, std::stop_token stop = {}) = 0;
};

// Thread safe.
class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
  std::chrono::nanoseconds steady() const override;
  bool sleep(std::chrono::nanoseconds duration, std::stop_token stop = {}) override;
};

// Starts at a given instant and moves only when slept on or advanced; sleeping costs no real time. Thread
// safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start) : start_(start) {}
  Timestamp now() const override;
  std::chrono::nanoseconds steady() const override;
  bool sleep(std::chrono::nanoseconds duration, std::stop_token stop = {}) override;
  void advance(std::chrono::nanoseconds duration);

 private:
  mutable std::mutex mutex_;
  Timestamp start_;
  std::chrono::nanoseconds elapsed_{0};
};

}  // namespace chandler
