#include "base/clock.hpp"

namespace chandler {

Timestamp SystemClock::now() const {
  return std::chrono::floor<Millis>(std::chrono::system_clock::now());
}

std::chrono::nanoseconds SystemClock::steady() const {
  return std::chrono::steady_clock::now().time_since_epoch();
}

bool SystemClock::sleep(std::chrono::nanoseconds duration, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

Timestamp ManualClock::now() const {
  const std::lock_guard lock(mutex_);
  return start_ + std::chrono::floor<Millis>(elapsed_);
}

std::chrono::nanoseconds ManualClock::steady() const {
  const std::lock_guard lock(mutex_);
  return elapsed_;
}

bool ManualClock::sleep(std::chrono::nanoseconds duration, std::stop_token stop) {
  if (stop.stop_requested()) return false;
  advance(duration);
  return true;
}

void ManualClock::advance(std::chrono::nanoseconds duration) {
  const std::lock_guard lock(mutex_);
  elapsed_ += duration;
}

}  // namespace chandler
