// Exponential back-off with full jitter: the n-th wait is uniform in [0, min(cap, base·2ⁿ)). Spreads clients
// that failed together (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog 2015).
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <mutex>

#include "base/random.hpp"
#include "exchange/send_gate.hpp"

namespace chandler::exchange {

struct RetryPolicy {
  int attempts = 10;  // of one request, the first included
  std::chrono::milliseconds base{250};
  std::chrono::milliseconds cap{5000};
  std::chrono::milliseconds request_timeout{10'000};
  std::chrono::seconds wait_after_429{60};   // where Retry-After is absent: the exchange's minute
  std::chrono::seconds wait_after_418{120};  // likewise: its shortest ban
};

// Thread safe.
class Backoff {
 public:
  Backoff(const RetryPolicy& policy, Random random) : policy_(policy), random_(random) {}

  // The wait after failure number `failure`, counted from 0.
  std::chrono::nanoseconds delay(int failure) {
    const double base = static_cast<double>(std::chrono::nanoseconds(policy_.base).count());
    const double cap = static_cast<double>(std::chrono::nanoseconds(policy_.cap).count());
    const double ceiling = std::min(cap, base * static_cast<double>(1ULL << std::min(failure, 40)));
    const std::lock_guard lock(mutex_);
    return std::chrono::nanoseconds(static_cast<std::int64_t>(random_.uniform() * ceiling));
  }

 private:
  RetryPolicy policy_;
  std::mutex mutex_;
  Random random_;
};

// What one attempt came to.
template <class T>
struct Tried {
  Result<T> result;
  bool again = false;  // an error that may pass
};

// Calls attempt() until it succeeds, fails for good, or attempts or time are used up; waits in between.
template <class T, class Attempt>
Result<T> try_again(const RetryPolicy& policy, Backoff& backoff, Clock& clock, const Call& call,
                    Attempt&& attempt) {
  for (int failures = 0;; ++failures) {
    Tried<T> tried = attempt();
    if (tried.result || !tried.again) return std::move(tried.result);
    Error& error = tried.result.error();
    if (failures + 1 >= policy.attempts) {
      error.what += fmt::format(", {} times in a row", failures + 1);
      return std::move(tried.result);
    }
    const std::chrono::nanoseconds delay = backoff.delay(failures);
    if (delay >= call.deadline - clock.steady()) {
      error.what += ", and the deadline leaves no time to try again";
      return std::move(tried.result);
    }
    if (!clock.sleep(delay, call.stop)) return fail(ErrorCode::interrupted, "the request was cancelled");
  }
}

}  // namespace chandler::exchange
