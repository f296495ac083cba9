#include "exchange/exchange_clock.hpp"

namespace chandler::exchange {

void ExchangeClock::learn(Timestamp server_time, std::chrono::nanoseconds received) {
  const std::lock_guard lock(mutex_);
  server_time_ = server_time;
  received_ = received;
  machine_offset_ = clock_.now() - server_time;
}

std::optional<Timestamp> ExchangeClock::now() const {
  const std::lock_guard lock(mutex_);
  if (!server_time_) return std::nullopt;
  return *server_time_ + std::chrono::floor<Millis>(clock_.steady() - received_);
}

std::optional<Millis> ExchangeClock::machine_offset() const {
  const std::lock_guard lock(mutex_);
  if (!server_time_) return std::nullopt;
  return machine_offset_;
}

}  // namespace chandler::exchange
