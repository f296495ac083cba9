// The request weight that one address may spend per minute, shared by everything that talks to the exchange.
//
// The exchange counts weight per minute of its own clock, and counts a request when it arrives. Neither the
// phase of its minutes nor the instant of arrival is known here, so a request is held against the budget from
// the moment it is let through until a full minute after its reply: any two requests that the exchange could
// count in the same minute are then in the sum when the second is let through. That holds for any latency and
// clock offset.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string_view>
#include <utility>

#include "exchange/send_gate.hpp"

namespace chandler::exchange {

class WeightBudget;

// The right to send one request of a certain weight. Destroying it unsent gives the weight back.
class Permit {
 public:
  Permit(Permit&& other) noexcept;
  Permit& operator=(Permit&&) = delete;
  ~Permit();

  // Asked right before the bytes leave: false while told to wait. From the first true on, the weight counts.
  bool may_send();

 private:
  friend class WeightBudget;
  Permit(WeightBudget& budget, int weight) : budget_(&budget), weight_(weight) {}
  WeightBudget* budget_;
  int weight_;
  int sends_ = 0;
};

struct WeightLimits {
  // Per minute, until exchangeInfo tells: what Binance allowed before it raised the limit in 2023.
  int limit = 1200;
  // What it allows since. Assumed as soon as the exchange counts more than `limit` without complaint.
  int raised_limit = 6000;
  // Share kept back for others on the same address and for miscounting.
  double reserve = 0.02;
};

// Thread safe.
class WeightBudget {
 public:
  explicit WeightBudget(Clock& clock, WeightLimits limits = {});
  WeightBudget(const WeightBudget&) = delete;

  // Waits until the weight fits and nobody has told us to wait. interrupted when stopped; unreachable when
  // the wait would outlast the deadline.
  Result<Permit> acquire(int weight, const Call& call);

  // The limit per minute that exchangeInfo names.
  void set_limit(int weight_per_minute);
  // X-MBX-USED-WEIGHT-1M of a reply: what the exchange counts in its present minute, other programs on this
  // address included.
  void observe(int used_weight);
  // 429 and 418: nothing leaves for that long from now.
  void told_to_wait(std::chrono::nanoseconds duration);
  // Who is to be told, in a line for people, when the exchange says to wait, and the first time that requests
  // have to wait for the limit. Before the first request; called from any thread.
  void tell_of_waits(std::function<void(std::string_view)> listener) { listener_ = std::move(listener); }

  const SendGate& gate() const { return gate_; }
  int limit() const;
  // What is held against the budget now, and what has been sent since the start.
  int used() const;
  std::int64_t total_sent() const;

 private:
  friend class Permit;
  struct Spent {
    std::chrono::nanoseconds until;
    int weight;
  };

  void tell_of_the_limit();
  bool start(int weight, int sends_before);
  void finish(int weight, int sends);
  int held() const;
  int usable() const;
  std::chrono::nanoseconds wait_for(int weight);

  Clock& clock_;
  SendGate gate_;
  mutable std::mutex mutex_;
  int limit_;
  int raised_limit_;
  bool learnt_ = false;  // the limit comes from the exchange
  double reserve_;
  int open_ = 0;             // let through, no reply yet
  int recent_ = 0;           // sum of spent_
  std::deque<Spent> spent_;  // replied to less than a minute ago, oldest first
  int reported_ = 0;         // the exchange's own count, plus what may not have been in it
  std::chrono::nanoseconds reported_until_{std::chrono::nanoseconds::min()};
  int last_report_ = 0;
  std::int64_t total_sent_ = 0;
  std::function<void(std::string_view)> listener_;
  bool told_of_the_limit_ = false;
};

}  // namespace chandler::exchange
