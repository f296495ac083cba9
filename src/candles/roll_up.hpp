// Candles of a longer interval from minutes.
#pragma once

#include "candles/interval.hpp"
#include "candles/klines.hpp"

namespace chandler::candles {

// The columns a roll-up reads; spans of equal length, sorted and unique by open time. The optional columns
// may be empty spans, which means unknown for every row.
struct KlineSpans {
  std::span<const std::int64_t> open_time;
  std::span<const double> open, high, low, close, volume, quote_volume, taker_buy_volume,
      taker_buy_quote_volume;
  std::span<const std::int64_t> trades;

  std::size_t size() const { return open_time.size(); }
  KlineSpans subspan(std::size_t first, std::size_t count) const;
};
KlineSpans spans_of(const Klines& klines);

// Rolled-up candles: open of the first minute, highest high, lowest low, close of the last, sums of the rest.
// A sum over rows of which one is unknown is unknown.
struct Bars {
  Klines rows;                      // the source column means nothing here
  std::vector<std::int32_t> count;  // minutes in each candle
  std::size_t size() const { return count.size(); }
};

// Sums run in order of time from the candle's first minute, so the result does not depend on how the history
// was cut into pieces, as long as no candle is cut.
Bars roll_up(const KlineSpans& minutes, Interval interval);

}  // namespace chandler::candles
