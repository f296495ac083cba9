#include "base/time.hpp"

#include <fmt/format.h>

#include <charconv>

namespace chandler {
namespace {

// Reads exactly `digits` decimal digits at `at` and moves past them.
std::optional<int> take_digits(std::string_view text, std::size_t& at, std::size_t digits) {
  if (at + digits > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = at; i < at + digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  at += digits;
  return value;
}

bool take(std::string_view text, std::size_t& at, char wanted) {
  if (at >= text.size() || text[at] != wanted) return false;
  ++at;
  return true;
}

std::optional<Day> take_day(std::string_view text, std::size_t& at) {
  const auto y = take_digits(text, at, 4);
  if (!y || !take(text, at, '-')) return std::nullopt;
  const auto m = take_digits(text, at, 2);
  if (!m || !take(text, at, '-')) return std::nullopt;
  const auto d = take_digits(text, at, 2);
  if (!d) return std::nullopt;
  const std::chrono::year_month_day ymd{std::chrono::year{*y}, std::chrono::month{static_cast<unsigned>(*m)},
                                        std::chrono::day{static_cast<unsigned>(*d)}};
  if (!ymd.ok()) return std::nullopt;
  return Day{ymd};
}

// After "YYYY-MM-DD": [T ]HH:MM[:SS[.mmm]][Z].
std::optional<Millis> take_time_of_day(std::string_view text, std::size_t& at) {
  if (!take(text, at, 'T') && !take(text, at, ' ')) return std::nullopt;
  const auto h = take_digits(text, at, 2);
  if (!h || *h > 23 || !take(text, at, ':')) return std::nullopt;
  const auto m = take_digits(text, at, 2);
  if (!m || *m > 59) return std::nullopt;
  Millis time = std::chrono::hours{*h} + std::chrono::minutes{*m};
  if (take(text, at, ':')) {
    const auto s = take_digits(text, at, 2);
    if (!s || *s > 59) return std::nullopt;
    time += std::chrono::seconds{*s};
    if (take(text, at, '.')) {
      const auto ms = take_digits(text, at, 3);
      if (!ms) return std::nullopt;
      time += Millis{*ms};
      while (at < text.size() && text[at] == '0') ++at;
    }
  }
  if (!take(text, at, 'Z')) {
    if (text.substr(at) == "+00:00") at += 6;
  }
  return time;
}

}  // namespace

std::string format_day(Day d) {
  const std::chrono::year_month_day ymd{d};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(ymd.year()), static_cast<unsigned>(ymd.month()),
                     static_cast<unsigned>(ymd.day()));
}

std::string format_month(year_month m) {
  return fmt::format("{:04}-{:02}", year_number(m), month_number(m));
}

std::string format_minute(Timestamp t) {
  const Day d = day_of(t);
  const auto minutes = (t - begin_of(d)).count() / kMinuteMs;
  return fmt::format("{} {:02}:{:02}", format_day(d), minutes / 60, minutes % 60);
}

std::string format_instant(Timestamp t) {
  const Day d = day_of(t);
  const auto ms = (t - begin_of(d)).count();
  std::string text =
      fmt::format("{}T{:02}:{:02}:{:02}", format_day(d), ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60);
  if (ms % 1000 != 0) text += fmt::format(".{:03}", ms % 1000);
  return text + 'Z';
}

std::string format_range(TimeRange r) {
  return format_minute(r.begin) + " … " + format_minute(r.end);
}

std::string format_duration(Millis d) {
  const auto ms = d.count();
  if (ms < 0) return "-" + format_duration(-d);
  if (ms < 1000) return fmt::format("{} ms", ms);
  if (ms < 60'000) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000.0);
  const auto minutes = ms / 60'000;
  if (minutes < 60) return fmt::format("{}m {:02}s", minutes, ms / 1000 % 60);
  if (minutes < 48 * 60) return fmt::format("{}h {:02}m", minutes / 60, minutes % 60);
  return fmt::format("{}d {}h", minutes / 1440, minutes / 60 % 24);
}

Result<Day> parse_day(std::string_view text) {
  std::size_t at = 0;
  const auto day = take_day(text, at);
  if (!day || at != text.size()) {
    return fail(ErrorCode::usage, fmt::format("'{}' is not a day", text), {},
                "write it as YYYY-MM-DD, e.g. 2024-05-01");
  }
  return *day;
}

Result<Timestamp> parse_instant(std::string_view text) {
  std::size_t at = 0;
  if (const auto day = take_day(text, at)) {
    if (at == text.size()) return begin_of(*day);
    if (const auto time = take_time_of_day(text, at); time && at == text.size())
      return begin_of(*day) + *time;
  } else if (!text.empty()) {
    std::int64_t ms = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), ms);
    constexpr std::int64_t kYear1 = -62'135'596'800'000, kYear9999 = 253'402'300'799'999;
    if (ec == std::errc{} && end == text.data() + text.size() && ms >= kYear1 && ms <= kYear9999)
      return from_ms(ms);
  }
  return fail(ErrorCode::usage, fmt::format("'{}' is not a time", text), {},
              "write it in UTC as 2024-05-01, 2024-05-01T13:07Z, or epoch milliseconds");
}

}  // namespace chandler
