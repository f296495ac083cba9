#include "exchange/retry_after.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace chandler::exchange {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::chrono::seconds kLongest{7 * 86400};

std::optional<std::chrono::nanoseconds> retry_after(const http::Head& head, Timestamp now) {
  const std::string_view text = head.header("retry-after");
  if (const auto seconds = parse_count(text)) return std::min(std::chrono::seconds{*seconds}, kLongest);
  const auto until = parse_http_date(text);
  if (!until) return std::nullopt;
  const Timestamp sent = parse_http_date(head.header("date")).value_or(now);
  // In milliseconds: the time up to a date of the year 3000 is more nanoseconds than 64 bits count.
  return std::clamp<Millis>(*until - sent, Millis{0}, kLongest);
}

}  // namespace

std::optional<int> parse_count(std::string_view text) {
  if (text.empty() || text.size() > 9) return std::nullopt;
  unsigned value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return static_cast<int>(value);
}

std::optional<Timestamp> parse_http_date(std::string_view text) {
  // "Sun, 06 Nov 1994 08:49:37 GMT": every field at a fixed place.
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT") return std::nullopt;
  if (text[7] != ' ' || text[11] != ' ' || text[16] != ' ' || text[19] != ':' || text[22] != ':')
    return std::nullopt;
  const auto month = std::ranges::find(kMonths, text.substr(8, 3));
  const auto day = parse_count(text.substr(5, 2)), year = parse_count(text.substr(12, 4));
  const auto hour = parse_count(text.substr(17, 2)), minute = parse_count(text.substr(20, 2)),
             second = parse_count(text.substr(23, 2));
  if (month == kMonths.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(month - kMonths.begin() + 1)},
      std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return begin_of(Day{date}) + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
         std::chrono::seconds{*second};
}

std::optional<std::chrono::nanoseconds> wait_told_by(const http::Head& head, const RetryPolicy& policy,
                                                     Timestamp now) {
  const bool limited = head.status == 429 || head.status == 418;
  if (!limited && head.status != 403 && head.status != 503) return std::nullopt;
  if (const auto wait = retry_after(head, now)) return wait;
  if (!limited) return std::nullopt;
  return head.status == 418 ? policy.wait_after_418 : policy.wait_after_429;
}

}  // namespace chandler::exchange
