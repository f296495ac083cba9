#include "speed/day_minutes.hpp"

#include <fmt/format.h>

#include <charconv>
#include <tuple>

namespace chandler::speed {
namespace {

auto order_of(const candles::Kline& k) {
  return std::tuple(k.volume, k.trades, k.close, k.high, k.low, k.open, k.quote_volume, k.taker_buy_volume,
                    k.taker_buy_quote_volume);
}

}  // namespace

bool supersedes(const StoredMinute& a, const StoredMinute& b) {
  if (a.event_time != b.event_time) return a.event_time > b.event_time;
  return order_of(a.kline) > order_of(b.kline);
}

void DayMinutes::push_back(const StoredMinute& minute) {
  rows.push_back(minute.kline);
  event_times.push_back(minute.event_time);
}

Joined join(const DayMinutes& stored, std::span<const StoredMinute> changes) {
  Joined out;
  out.minutes.rows.reserve(stored.size() + changes.size());
  out.minutes.event_times.reserve(stored.size() + changes.size());
  std::size_t row = 0;
  for (const StoredMinute& change : changes) {
    const std::int64_t t = change.kline.open_time;
    const std::size_t first = row;
    while (row < stored.size() && stored.rows.open_time[row] < t) ++row;
    out.minutes.rows.append(stored.rows, first, row);
    out.minutes.event_times.insert(out.minutes.event_times.end(),
                                   stored.event_times.begin() + static_cast<std::ptrdiff_t>(first),
                                   stored.event_times.begin() + static_cast<std::ptrdiff_t>(row));
    if (row == stored.size() || stored.rows.open_time[row] != t) {
      out.minutes.push_back(change);
      ++out.added;
      continue;
    }
    const StoredMinute old = stored.at(row++);
    const bool wins = supersedes(change, old);
    out.minutes.push_back(wins ? change : old);
    if (wins) ++out.replaced;
  }
  out.minutes.rows.append(stored.rows, row, stored.size());
  out.minutes.event_times.insert(out.minutes.event_times.end(),
                                 stored.event_times.begin() + static_cast<std::ptrdiff_t>(row),
                                 stored.event_times.end());
  return out;
}

std::string encode_event_times(const DayMinutes& minutes) {
  fmt::memory_buffer text;
  for (std::size_t i = 0; i < minutes.size(); ++i) {
    if (i > 0) text.push_back(',');
    fmt::format_to(std::back_inserter(text), "{}",
                   minutes.event_times[i] - (minutes.rows.open_time[i] + kMinuteMs));
  }
  return fmt::to_string(text);
}

Result<std::vector<std::int64_t>> decode_event_times(std::string_view text, const candles::Klines& rows) {
  std::vector<std::int64_t> times;
  times.reserve(rows.size());
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::int64_t after = 0;
    const auto [next, error] = std::from_chars(at, end, after);
    const bool last = i + 1 == rows.size();
    if (error != std::errc{} || (last ? next != end : next == end || *next != ',')) {
      return fail(ErrorCode::damaged, "the event times cannot be read");
    }
    std::int64_t time = 0;
    if (__builtin_add_overflow(rows.open_time[i] + kMinuteMs, after, &time))
      return fail(ErrorCode::damaged, "the event times cannot be read");
    times.push_back(time);
    at = last ? next : next + 1;
  }
  return times;
}

}  // namespace chandler::speed
