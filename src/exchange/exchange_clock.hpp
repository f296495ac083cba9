// What time it is at the exchange, from its answer to /api/v3/time and the monotonic time since.
#pragma once

#include <mutex>
#include <optional>

#include "base/clock.hpp"

namespace chandler::exchange {

// Thread safe.
class ExchangeClock {
 public:
  explicit ExchangeClock(const Clock& clock) : clock_(clock) {}

  // `server_time` came in a reply received at `received` (Clock::steady()).
  void learn(Timestamp server_time, std::chrono::nanoseconds received);

  // Never ahead of the exchange (the reply's way here is not added), so that a candle which this clock calls
  // closed is closed. nullopt until something was learnt.
  std::optional<Timestamp> now() const;
  // The machine's clock minus the exchange's; for telling the user that the machine's clock is wrong.
  std::optional<Millis> machine_offset() const;

 private:
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::optional<Timestamp> server_time_;
  std::chrono::nanoseconds received_{0};
  Millis machine_offset_{0};
};

}  // namespace chandler::exchange
