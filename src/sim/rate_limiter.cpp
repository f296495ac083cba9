#include "sim/rate_limiter.hpp"

#include <algorithm>

namespace chandler::sim {
namespace {

std::int64_t seconds_until(Timestamp end, Timestamp now) {
  return std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(end - now).count());
}

}  // namespace

Admission RateLimiter::admit(const std::string& name, int weight, Timestamp wall, std::uint64_t connection) {
  Client& client = clients_[name];
  const std::int64_t minute = to_ms(wall) / kMinuteMs;
  if (minute != client.minute) {
    client.minute = minute;
    client.used = 0;
  }
  client.used += weight;
  max_weight_ = std::max(max_weight_, client.used);

  Admission admission;
  admission.used_weight = client.used;
  const bool waiting = wall < std::max(client.wait_until, client.banned_until);
  const auto told = client.told_on.find(connection);
  admission.certainly = told != client.told_on.end() && wall < told->second;
  admission.offence = admission.certainly || (waiting && client.told_at != Timestamp::max() &&
                                              wall > client.told_at + limits_.grace);
  if (admission.offence) {
    ++offences_;
    certain_offences_ += admission.certainly ? 1 : 0;
    if (++client.offences >= limits_.patience && wall >= client.banned_until) ban(client, wall);
  }
  if (wall < client.banned_until) {
    admission.status = 418;
    admission.banned_until = client.banned_until;
    admission.retry_after = seconds_until(client.banned_until, wall);
  } else if (waiting) {
    admission.status = 429;
    admission.retry_after = seconds_until(client.wait_until, wall);
  } else if (client.used > limits_.weight_per_minute) {
    admission.status = 429;
    admission.retry_after = seconds_until(from_ms((minute + 1) * kMinuteMs), wall);
  }
  return admission;
}

void RateLimiter::tell_to_wait(const std::string& name, Timestamp told_at, Millis wait,
                               std::uint64_t connection) {
  Client& client = clients_[name];
  std::erase_if(client.told_on, [&](const auto& told) { return told.second <= told_at; });
  if (connection != 0) client.told_on[connection] = told_at + wait;
  // The first order counts: repeating it to somebody who goes on does not start the time for obeying afresh.
  if (told_at >= client.wait_until || client.told_at == Timestamp::max()) client.told_at = told_at;
  client.wait_until = std::max(client.wait_until, told_at + wait);
}

void RateLimiter::ban(Client& client, Timestamp wall) {
  Millis duration = limits_.first_ban;
  for (int i = 0; i < client.bans && duration < limits_.longest_ban; ++i) duration *= 2;
  client.banned_until = wall + std::min(duration, limits_.longest_ban);
  client.offences = 0;
  ++client.bans;
  ++bans_;
}

}  // namespace chandler::sim
