// A door in front of an exchange: shut while it has told us to wait. Every request passes it twice, before it
// queues and right before it leaves, because another thread may have been told to wait in between.
#pragma once

#include <chrono>
#include <mutex>
#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace chandler::exchange {

// How long a piece of work may take and what cancels it.
struct Call {
  std::chrono::nanoseconds deadline = std::chrono::nanoseconds::max();  // an instant of Clock::steady()
  std::stop_token stop = {};
};

// Thread safe.
class SendGate {
 public:
  explicit SendGate(Clock& clock) : clock_(clock) {}

  // Nothing may leave until then (an instant of Clock::steady()). A later instant than the present one
  // counts, an earlier one changes nothing.
  void shut_until(std::chrono::nanoseconds instant);
  bool is_open() const;
  // What is left of the wait; zero when open.
  std::chrono::nanoseconds remaining() const;
  // Returns when open; interrupted when stopped; unreachable, at once, when the wait outlasts the deadline.
  Status wait(const Call& call);

 private:
  Clock& clock_;
  mutable std::mutex mutex_;
  std::chrono::nanoseconds open_at_{std::chrono::nanoseconds::min()};
};

}  // namespace chandler::exchange
