// Instants and calendar days, in UTC only. An instant is milliseconds since 1970-01-01T00:00Z; a day is the
// half-open [00:00, 24:00). The machine's time zone is never asked.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace chandler {

using Millis = std::chrono::milliseconds;
using Timestamp = std::chrono::sys_time<Millis>;
using Day = std::chrono::sys_days;
using std::chrono::year_month;

inline constexpr std::int64_t kMinuteMs = 60'000;
inline constexpr std::int64_t kDayMs = 86'400'000;
inline constexpr Millis kMinute{kMinuteMs};
inline constexpr Millis kDay{kDayMs};

constexpr std::int64_t to_ms(Timestamp t) {
  return t.time_since_epoch().count();
}
constexpr Timestamp from_ms(std::int64_t ms) {
  return Timestamp{Millis{ms}};
}
constexpr std::int32_t to_day_number(Day d) {
  return static_cast<std::int32_t>(d.time_since_epoch().count());
}
constexpr Day from_day_number(std::int32_t n) {
  return Day{std::chrono::days{n}};
}

constexpr Timestamp begin_of(Day d) {
  return std::chrono::time_point_cast<Millis>(d);
}
constexpr Timestamp end_of(Day d) {
  return begin_of(d) + kDay;
}
constexpr Day day_of(Timestamp t) {
  return std::chrono::floor<std::chrono::days>(t);
}
constexpr Timestamp floor_minute(Timestamp t) {
  return std::chrono::floor<std::chrono::minutes>(t);
}
constexpr Timestamp ceil_minute(Timestamp t) {
  return std::chrono::ceil<std::chrono::minutes>(t);
}

constexpr year_month month_of(Day d) {
  const std::chrono::year_month_day ymd{d};
  return ymd.year() / ymd.month();
}
constexpr year_month month_of(Timestamp t) {
  return month_of(day_of(t));
}
constexpr Day first_day(year_month m) {
  return Day{m / std::chrono::day{1}};
}
constexpr Timestamp begin_of(year_month m) {
  return begin_of(first_day(m));
}
constexpr Timestamp end_of(year_month m) {
  return begin_of(m + std::chrono::months{1});
}
constexpr int year_number(year_month m) {
  return static_cast<int>(m.year());
}
constexpr unsigned month_number(year_month m) {
  return static_cast<unsigned>(m.month());
}

// Half-open: begin is inside, end is not.
struct TimeRange {
  Timestamp begin;
  Timestamp end;
  constexpr bool empty() const { return end <= begin; }
  constexpr Millis length() const { return empty() ? Millis{0} : end - begin; }
  constexpr bool contains(Timestamp t) const { return begin <= t && t < end; }
  friend constexpr bool operator==(const TimeRange&, const TimeRange&) = default;
};

std::string format_day(Day d);            // 2024-05-01
std::string format_month(year_month m);   // 2024-05
std::string format_minute(Timestamp t);   // 2024-05-01 13:07
std::string format_instant(Timestamp t);  // 2024-05-01T13:07:09.123Z, without .000
std::string format_range(TimeRange r);    // 2024-05-01 13:07 … 2024-05-02 00:00
std::string format_duration(Millis d);    // 1h 20m, 3.2 s, 12 d 4 h

// Exactly YYYY-MM-DD, a real calendar day.
Result<Day> parse_day(std::string_view text);
// A day (its 00:00), YYYY-MM-DD[T ]HH:MM[:SS[.mmm]][Z], or an integer of epoch milliseconds.
Result<Timestamp> parse_instant(std::string_view text);

}  // namespace chandler
