#include "candles/interval.hpp"

namespace chandler::candles {
namespace {

struct Cut {
  std::string_view name;
  std::int64_t length_ms;  // 0 for a calendar month
  std::int64_t origin_ms;  // an instant at which a candle begins
};

constexpr std::int64_t kHourMs = 60 * kMinuteMs;
// 1970-01-05 was a Monday; the 3-day grid runs from the epoch.
constexpr std::array<Cut, kIntervals.size()> kCuts = {{{"1m", kMinuteMs, 0},
                                                       {"3m", 3 * kMinuteMs, 0},
                                                       {"5m", 5 * kMinuteMs, 0},
                                                       {"15m", 15 * kMinuteMs, 0},
                                                       {"30m", 30 * kMinuteMs, 0},
                                                       {"1h", kHourMs, 0},
                                                       {"2h", 2 * kHourMs, 0},
                                                       {"4h", 4 * kHourMs, 0},
                                                       {"6h", 6 * kHourMs, 0},
                                                       {"8h", 8 * kHourMs, 0},
                                                       {"12h", 12 * kHourMs, 0},
                                                       {"1d", kDayMs, 0},
                                                       {"3d", 3 * kDayMs, kDayMs},
                                                       {"1w", 7 * kDayMs, 4 * kDayMs},
                                                       {"1M", 0, 0}}};

const Cut& cut_of(Interval interval) {
  return kCuts[static_cast<std::size_t>(interval)];
}

}  // namespace

std::string_view name(Interval interval) {
  return cut_of(interval).name;
}

std::optional<Interval> parse_interval(std::string_view text) {
  for (const Interval i : kIntervals) {
    if (name(i) == text) return i;
  }
  return std::nullopt;
}

Timestamp begin_of(Interval interval, Timestamp t) {
  if (interval == Interval::mo1) return chandler::begin_of(month_of(t));
  const Cut& cut = cut_of(interval);
  const std::int64_t offset = to_ms(t) - cut.origin_ms;
  std::int64_t steps = offset / cut.length_ms;
  if (offset % cut.length_ms < 0) --steps;
  return from_ms(cut.origin_ms + steps * cut.length_ms);
}

Timestamp end_of(Interval interval, Timestamp t) {
  if (interval == Interval::mo1) return chandler::end_of(month_of(t));
  return begin_of(interval, t) + Millis{cut_of(interval).length_ms};
}

}  // namespace chandler::candles
