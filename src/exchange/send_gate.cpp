#include "exchange/send_gate.hpp"

#include <algorithm>

namespace chandler::exchange {

using std::chrono::nanoseconds;

void SendGate::shut_until(nanoseconds instant) {
  const std::lock_guard lock(mutex_);
  open_at_ = std::max(open_at_, instant);
}

bool SendGate::is_open() const {
  return remaining() == nanoseconds{0};
}

nanoseconds SendGate::remaining() const {
  const std::lock_guard lock(mutex_);
  const nanoseconds now = clock_.steady();
  return now >= open_at_ ? nanoseconds{0} : open_at_ - now;
}

Status SendGate::wait(const Call& call) {
  while (true) {
    const nanoseconds left = remaining();
    if (call.stop.stop_requested()) return fail(ErrorCode::interrupted, "cancelled while waiting");
    if (left == nanoseconds{0}) return {};
    if (left > call.deadline - clock_.steady()) {
      const std::string wait = format_duration(std::chrono::ceil<std::chrono::seconds>(left));
      return fail(ErrorCode::unreachable,
                  "the exchange has told this address to send nothing for another " + wait, {},
                  "try again after that; other programs on this address share its request limit");
    }
    if (!clock_.sleep(left, call.stop)) return fail(ErrorCode::interrupted, "cancelled while waiting");
  }
}

}  // namespace chandler::exchange
