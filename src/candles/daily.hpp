// daily_filled: one row a day, no day missing, with moving averages. Everything here is a pure function of
// the days that are known and of what came before them (the carry), so a history can be derived month by
// month and a change in one month stops spreading where the carry comes out as it was.
#pragma once

#include <vector>

#include "candles/roll_up.hpp"

namespace chandler::candles {

// Columns of daily_filled. NaN and kUnknownTrades are null on disk.
struct DailyRows {
  std::vector<std::int32_t> date;  // days since the epoch
  std::vector<double> open, high, low, close, volume;
  std::vector<std::int32_t> count;  // minutes present: 1440 for a whole day, 0 for a filled one
  std::vector<std::uint8_t> filled;
  std::vector<double> ma7, ma30;
  std::vector<double> quote_volume;
  std::vector<std::int64_t> trades;
  std::vector<double> vwap;  // quote_volume / volume

  std::size_t size() const { return date.size(); }
  void append(const DailyRows& other);
};

// What a month hands to the next one: the closes of the last days (at most 29, oldest first). The last of
// them is what a missing day carries on. Empty before the first day.
inline constexpr std::size_t kCarriedCloses = 29;
struct Carry {
  std::vector<double> closes;
  friend bool operator==(const Carry&, const Carry&) = default;
};

// Days of `known` (daily bars, sorted, unique) become rows; days without one, from the first day that is
// known here or carried into here up to `until` (exclusive), are filled: the last close in all four prices,
// volume 0, count 0. `from` is the first day of the piece. Nothing is filled before the first known day of
// the history. Moves the carry.
DailyRows fill_days(const Bars& known, Day from, Day until, Carry& carry);

// Mean of the last `window` values up to each, over fewer at the start. `before` are values that precede,
// oldest first. Each mean is summed afresh in order of time: the same wherever the history was cut, and free
// of drift.
std::vector<double> moving_average(std::span<const double> before, std::span<const double> values,
                                   std::size_t window);

// Days of two bar sets: where both have a day, minutes win.
Bars minutes_before_days(const Bars& from_minutes, const Bars& from_days);

}  // namespace chandler::candles
