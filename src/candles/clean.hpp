// From rows as they came to rows that can be stored: in order, one a minute, each possible.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "candles/klines.hpp"

namespace chandler::candles {

enum class Reason : std::uint8_t {
  off_grid,           // the open time is not a multiple of the interval
  not_finite,         // a price or volume is NaN or infinite
  not_positive,       // a price is zero or below
  high_below_low,     //
  open_outside,       // open not in [low, high]
  close_outside,      // close not in [low, high]
  negative_volume,    // volume, quote volume, a taker volume or the number of trades is below zero
  time_out_of_range,  // before 2009 (the first bitcoin) or after 2100: a unit mistaken for another
  too_many_trades,    // more than kMostTrades
};
inline constexpr std::size_t kReasons = 9;
std::string_view describe(Reason reason);
// Also says what the grid is on which a time has to lie.
std::string_view describe(Reason reason, std::int64_t grid_ms);

// Open times of candles lie in [kEarliestOpenTime, kLatestOpenTime), in ms: from 2009 up to 2100.
inline constexpr std::int64_t kEarliestOpenTime = 1'230'768'000'000;
inline constexpr std::int64_t kLatestOpenTime = 4'102'444'800'000;

// A hundred times what any month of any market had. Sums over a whole history stay far from the overflow.
inline constexpr std::int64_t kMostTrades = 100'000'000'000;

struct Rejected {
  std::size_t row = 0;  // index in the input
  Kline kline;
  Reason reason = Reason::off_grid;
};

struct Cleaned {
  Klines rows;                     // sorted, unique, possible
  std::vector<Rejected> rejected;  // in input order
  std::size_t exact_repeats = 0;   // rows dropped because an equal one is there
  std::vector<Kline> conflicting;  // rows of a minute for which another, different row was kept
};

// Why a row cannot be a candle of the given grid (kMinuteMs or kDayMs), if it cannot.
std::optional<Reason> impossible(const Kline& kline, std::int64_t grid_ms);

// Orders, drops repeats, rejects impossible rows. Of two different rows of one minute and one rank of source,
// the one with more trading in it is kept (a candle only grows, so the other was an earlier sight of it);
// that rule and its tie-breaks look at values only, so any order and duplication of the input gives the same
// output. Rows that are already in order cost one pass.
Cleaned clean(Klines raw, std::int64_t grid_ms = kMinuteMs);
// The same of rows that are known to be possible and have no negative zero: nothing is rejected.
Cleaned unify(Klines rows);

}  // namespace chandler::candles
