#include "exchange/weight_budget.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/number_text.hpp"

namespace chandler::exchange {
namespace {

using std::chrono::nanoseconds;
using namespace std::chrono_literals;

// The exchange's minute, and a margin for clocks that do not run at the same rate.
constexpr nanoseconds kWindow = 60s + 250ms;
// How often a waiting request looks again: replies of others may free weight earlier than it was thought.
constexpr nanoseconds kLookAgain = 500ms;
constexpr nanoseconds kShortestWait = 1ms;
// A wait that somebody who looks on wonders about.
constexpr nanoseconds kLongWait = 2s;

}  // namespace

Permit::Permit(Permit&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), weight_(other.weight_), sends_(other.sends_) {}

Permit::~Permit() {
  if (budget_ != nullptr) budget_->finish(weight_, sends_);
}

bool Permit::may_send() {
  if (!budget_->start(weight_, sends_)) return false;
  ++sends_;
  return true;
}

WeightBudget::WeightBudget(Clock& clock, WeightLimits limits)
    : clock_(clock),
      gate_(clock),
      limit_(limits.limit),
      raised_limit_(limits.raised_limit),
      reserve_(limits.reserve) {}

Result<Permit> WeightBudget::acquire(int weight, const Call& call) {
  nanoseconds began{0};
  bool waited_for_the_limit = false;
  while (true) {
    CHANDLER_TRY(gate_.wait(call));
    nanoseconds wait{0};
    {
      const std::lock_guard lock(mutex_);
      wait = wait_for(weight);
      if (wait == nanoseconds{0}) {
        open_ += weight;
        reported_ += weight;
        return Permit(*this, weight);
      }
    }
    if (!std::exchange(waited_for_the_limit, true)) began = clock_.steady();
    if (clock_.steady() - began >= kLongWait) tell_of_the_limit();
    const nanoseconds left = call.deadline - clock_.steady();
    if (left <= nanoseconds{0}) {
      return fail(ErrorCode::unreachable, "the exchange's request limit leaves no room before the deadline",
                  {}, "allow more time, or stop other programs that use the exchange from this address");
    }
    if (!clock_.sleep(std::min({wait, left, kLookAgain}), call.stop))
      return fail(ErrorCode::interrupted, "cancelled while waiting for the request limit");
  }
}

void WeightBudget::set_limit(int weight_per_minute) {
  const std::lock_guard lock(mutex_);
  if (weight_per_minute <= 0) return;
  limit_ = weight_per_minute;
  learnt_ = true;
}

// The reported count covers what has arrived. What is open may or may not be in it, and counts again to be
// safe. A report lower than the last one is either late, or of a new minute: half of the last or less is
// taken for the latter.
void WeightBudget::observe(int used_weight) {
  const std::lock_guard lock(mutex_);
  const nanoseconds now = clock_.steady();
  if (!learnt_ && used_weight > limit_) limit_ = std::max(raised_limit_, used_weight);
  const int at_most = used_weight + open_;
  const bool expired = now >= reported_until_;
  const bool new_minute = at_most <= last_report_ / 2;
  if (!expired && !new_minute && at_most < reported_) return;
  reported_ = at_most;
  last_report_ = used_weight;
  reported_until_ = now + kWindow;
}

void WeightBudget::told_to_wait(nanoseconds duration) {
  const bool known = gate_.remaining() + kLongWait > duration;
  gate_.shut_until(clock_.steady() + std::max(duration, nanoseconds{0}));
  if (listener_ && !known) {
    listener_(fmt::format("the exchange says to wait {}",
                          format_duration(std::chrono::ceil<std::chrono::seconds>(duration))));
  }
}

void WeightBudget::tell_of_the_limit() {
  {
    const std::lock_guard lock(mutex_);
    if (!listener_ || std::exchange(told_of_the_limit_, true)) return;
  }
  listener_(
      fmt::format("the exchange's limit of {} request weight a minute is used up; from here on requests "
                  "leave as it allows",
                  group_digits(limit())));
}

int WeightBudget::limit() const {
  const std::lock_guard lock(mutex_);
  return limit_;
}

int WeightBudget::used() const {
  const std::lock_guard lock(mutex_);
  return held();
}

std::int64_t WeightBudget::total_sent() const {
  const std::lock_guard lock(mutex_);
  return total_sent_;
}

// A transport may send one request twice (the kept-alive connection turned out to be closed): the second time
// needs room of its own.
bool WeightBudget::start(int weight, int sends_before) {
  const std::lock_guard lock(mutex_);
  if (!gate_.is_open()) return false;
  if (sends_before > 0) {
    if (wait_for(weight) > nanoseconds{0}) return false;
    open_ += weight;
    reported_ += weight;
  }
  total_sent_ += weight;
  return true;
}

void WeightBudget::finish(int weight, int sends) {
  const std::lock_guard lock(mutex_);
  if (sends == 0) {
    open_ -= weight;
    reported_ -= weight;
    return;
  }
  open_ -= weight * sends;
  recent_ += weight * sends;
  spent_.push_back({clock_.steady() + kWindow, weight * sends});
}

int WeightBudget::held() const {
  const nanoseconds now = clock_.steady();
  int recent = recent_;
  for (const Spent& s : spent_) {
    if (s.until > now) break;
    recent -= s.weight;
  }
  const int own = open_ + recent;
  return now < reported_until_ ? std::max(own, reported_) : own;
}

int WeightBudget::usable() const {
  return limit_ - static_cast<int>(std::ceil(limit_ * reserve_));
}

// Zero when `weight` fits now. A weight beyond the whole budget goes alone.
nanoseconds WeightBudget::wait_for(int weight) {
  const nanoseconds now = clock_.steady();
  while (!spent_.empty() && spent_.front().until <= now) {
    recent_ -= spent_.front().weight;
    spent_.pop_front();
  }
  const int used = held();
  if (used + weight <= usable() || used == 0) return nanoseconds{0};
  nanoseconds wait = kLookAgain;
  if (!spent_.empty()) wait = std::min(wait, spent_.front().until - now);
  if (reported_until_ > now) wait = std::min(wait, reported_until_ - now);
  return std::max(wait, kShortestWait);
}

}  // namespace chandler::exchange
