// The exchange's request limits, per client address: a weight per minute, then 429, then bans.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "base/time.hpp"

namespace chandler::sim {

struct RateLimits {
  int weight_per_minute = 6000;
  // A client that was told to wait and sends all the same is banned at this many such requests.
  int patience = 5;
  Millis first_ban{120'000};  // doubles with every further ban
  Millis longest_ban{3 * kDayMs};
  // What was on its way when the client was told is no offence. A request on a connection that has brought
  // an order for this time was certainly sent after it; one on another connection counts when it arrives this
  // long after the order left.
  Millis grace{250};
};

struct Admission {
  int status = 200;              // 429, 418
  int used_weight = 0;           // in this minute, this request included
  std::int64_t retry_after = 0;  // s
  Timestamp banned_until;        // 418
  bool offence = false;          // sent while told to wait
  bool certainly = false;        // and that on a connection that had brought the order
};

// Not thread safe. Times are SimClock's wall time: minutes are those of the exchange's clock, not a sliding
// window.
class RateLimiter {
 public:
  explicit RateLimiter(RateLimits limits) : limits_(limits) {}

  // `connection` tells a client's connections apart; 0: it is not known which one it was.
  Admission admit(const std::string& client, int weight, Timestamp wall, std::uint64_t connection = 0);
  // The exchange has told the client, by an answer that leaves at `told_at`, to send nothing for that long.
  void tell_to_wait(const std::string& client, Timestamp told_at, Millis wait, std::uint64_t connection = 0);

  const RateLimits& limits() const { return limits_; }
  int max_weight() const { return max_weight_; }  // of one client in one minute
  std::int64_t offences() const { return offences_; }
  std::int64_t certain_offences() const { return certain_offences_; }  // of these
  std::int64_t bans() const { return bans_; }
  void reset() { *this = RateLimiter(limits_); }

 private:
  struct Client {
    std::int64_t minute = -1;
    int used = 0;
    Timestamp told_at = Timestamp::max();
    std::map<std::uint64_t, Timestamp> told_on;  // connection → until when its last order says to wait
    Timestamp wait_until = Timestamp::min();
    Timestamp banned_until = Timestamp::min();
    int offences = 0;  // since the last ban
    int bans = 0;
  };
  void ban(Client& client, Timestamp wall);

  RateLimits limits_;
  std::map<std::string, Client, std::less<>> clients_;
  int max_weight_ = 0;
  std::int64_t offences_ = 0, certain_offences_ = 0, bans_ = 0;
};

}  // namespace chandler::sim
