// The times that kline files are stamped with: integers of four units, and dates in several spellings.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.hpp"

namespace chandler::exchange {

// Binance moved its archives from ms to µs on 2025-01-01, and files that people keep mix s, ms and µs. The
// ranges in which the four units name the years 1973…2286 do not touch, so each stamp tells its own unit.
enum class TimeUnit { seconds, milliseconds, microseconds, nanoseconds };

// How many ns one step of the unit is.
constexpr std::int64_t nanoseconds_in(TimeUnit unit) {
  constexpr std::int64_t kLengths[] = {1'000'000'000, 1'000'000, 1'000, 1};
  return kLengths[static_cast<int>(unit)];
}

// nullopt: no unit makes a time of this century or the last of it.
constexpr std::optional<TimeUnit> unit_of(std::int64_t stamp) {
  if (stamp < 100'000'000) return std::nullopt;
  if (stamp < 10'000'000'000) return TimeUnit::seconds;
  if (stamp < 100'000'000'000) return std::nullopt;
  if (stamp < 10'000'000'000'000) return TimeUnit::milliseconds;
  if (stamp < 100'000'000'000'000) return std::nullopt;
  if (stamp < 10'000'000'000'000'000) return TimeUnit::microseconds;
  if (stamp < 100'000'000'000'000'000) return std::nullopt;
  return TimeUnit::nanoseconds;
}

// An integer stamp, possibly with a fraction of zeros, or a UTC date: 2017-08-17, 2017/08/17, 20170817, with
// [T ]HH:MM[:SS[.fff…]] and Z, UTC or an offset, or with an hour of the 12-hour clock as in "2019-10-17
// 09-AM". Dates whose day and month could be swapped (01/03/2017) are refused. What does not fall on a whole
// millisecond is refused too. The error's `what` is the reason in a few words; it names neither file nor
// line.
Result<Timestamp> parse_open_time(std::string_view text);

}  // namespace chandler::exchange
