// What the serving layer is asked and what it answers.
#pragma once

#include <optional>
#include <vector>

#include "candles/interval.hpp"
#include "candles/klines.hpp"

namespace chandler::serving {

enum class Detail {
  prices,  // prices, volume, quote volume, trades: what a chart shows; days come from daily_filled
  all      // the taker's volumes too, which only the minutes have
};

struct CandleQuery {
  candles::Interval interval = candles::Interval::h1;
  std::optional<Timestamp> from = std::nullopt;  // candles that open at or after it; none: from the first
  std::optional<Timestamp> to = std::nullopt;    // candles that open before it; none: to the newest
  bool fill = false;  // candles without any minute are made of the last close, and flagged
  Detail detail = Detail::all;
};

// Sorted and unique by open time. With Detail::prices the taker's volumes are unknown; `source` has a meaning
// for 1m only.
struct Candles {
  candles::Klines rows;
  std::vector<std::int32_t> minutes;      // present in each; 0 where only the exchange's day is known
  std::vector<std::uint8_t> filled;       // made up: the last close in all prices, volume 0
  std::vector<std::uint8_t> provisional;  // may still change: not closed as far as the lake knows

  std::size_t size() const { return minutes.size(); }
  void append(const Candles& other);
  // Drops all but the last `count`.
  void keep_last(std::size_t count);
};

}  // namespace chandler::serving
