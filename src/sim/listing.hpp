// One symbol of the look-alike exchange: its candles at every interval, as they are seen at an instant.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "candles/interval.hpp"
#include "candles/klines.hpp"

namespace chandler::sim {

using candles::Interval;
using candles::Kline;
using candles::Klines;

// A minute (or a day) `elapsed` of `length` into its life, derived from what it ends as: the price walks from
// open by way of both extremes to close on the symbol's tick, volume and trades grow in proportion. Grows
// monotonically (high, volumes, trades up, low down) and ends exactly as `whole`.
Kline grown(const Kline& whole, Millis elapsed, Millis length, int price_places, int quantity_places);

// A candle as the exchange shows it.
struct Candle {
  Kline values;
  std::int64_t close_time = 0;  // ms, the last of the candle
};

struct CandleQuery {
  Interval interval = Interval::m1;
  std::optional<Timestamp> start;  // open time at or after
  std::optional<Timestamp> end;    // open time at or before
  std::size_t limit = 500;
  Millis time_zone{0};  // what is added to UTC before the candles are cut
};

// The last 24 hours.
struct DayTicker {
  Timestamp open_time, close_time;
  double open = 0, high = 0, low = 0, last = 0, previous_close = 0;
  double volume = 0, quote_volume = 0, last_quantity = 0;
  std::int64_t first_trade = -1, last_trade = -1, trades = 0;

  double change() const { return last - open; }
  double change_percent() const { return open != 0 ? change() / open * 100 : 0; }
  double weighted_average_price() const { return volume > 0 ? quote_volume / volume : 0; }
};

// Immutable but for caches; every method may be called from any thread.
class Listing {
 public:
  // Both sorted and unique; either may be empty, not both. `days` are the exchange's own daily candles: a day
  // with fewer than all its minutes is taken from there. Unknown trades become 0, unknown quote volume is
  // derived from volume and the mean of the four prices, unknown taker volumes are half of all: a simulated
  // exchange has them all.
  Listing(std::string symbol, Klines minutes, Klines days);

  const std::string& symbol() const { return symbol_; }
  const std::string& base() const { return base_; }
  const std::string& quote() const { return quote_; }
  int price_places() const { return price_places_; }        // decimals of a price: the tick
  int quantity_places() const { return quantity_places_; }  // decimals of a quantity: the lot
  const Klines& minutes() const { return minutes_; }

  Timestamp first() const { return first_; }  // open time of the first candle
  Timestamp end() const { return end_; }      // end of the last
  bool is_listed(Timestamp now) const { return first_ <= now; }
  bool is_trading(Timestamp now) const { return is_listed(now) && now < end_ + kDay; }

  // With a start: the oldest `limit`; without: the latest `limit`. Ascending. The last may be the open one.
  // Nothing of what happens after `now` can be seen.
  std::vector<Candle> candles(const CandleQuery& query, Timestamp now) const;
  // The candle that contains `now`, if it has a minute yet.
  std::optional<Candle> open_candle(Interval interval, Timestamp now, Millis time_zone = Millis{0}) const;
  // The candle that began at `open_time`, as it closed or as it is at `now`.
  std::optional<Candle> candle_at(Interval interval, Timestamp open_time, Timestamp now) const;
  DayTicker ticker(Timestamp now) const;
  // Trades before the given row of minutes(): ids are counted from the first minute.
  std::int64_t trades_before(std::size_t row) const { return trades_before_[row]; }

 private:
  // The whole series of the interval, closed by the end of the data.
  const Klines& series(Interval interval, Millis time_zone) const;
  Klines build_series(Interval interval, Millis time_zone) const;
  std::optional<Kline> open_minute(Timestamp now) const;
  std::optional<Kline> open_day(Timestamp now) const;
  std::optional<Kline> open_values(Interval interval, Timestamp begin, Timestamp now, Millis time_zone) const;

  std::string symbol_, base_, quote_;
  Klines minutes_, days_;
  int price_places_ = 2, quantity_places_ = 5;
  Timestamp first_, end_;
  std::vector<std::int64_t> trades_before_;
  mutable std::mutex mutex_;
  mutable std::map<std::pair<Interval, std::int64_t>, std::unique_ptr<const Klines>> series_;
};

// "BTCUSDT" → {"BTC", "USDT"}, by the exchange's quote assets; an unknown one is cut in the middle.
std::pair<std::string, std::string> split_symbol(const std::string& symbol);

}  // namespace chandler::sim
