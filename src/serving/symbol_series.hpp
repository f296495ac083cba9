// One symbol's history as the serving layer sees it: batch ∪ speed. For one minute a batch value wins over a
// closed speed value, and that over a candle that is still open. A day without minutes comes from klines_1d.
#pragma once

#include <string>
#include <vector>

#include "candles/roll_up.hpp"
#include "lake/catalog.hpp"
#include "lake/speed_snapshot.hpp"
#include "serving/candle_query.hpp"

namespace chandler::serving {

// Rows of both, sorted and unique; where both have a minute, the first one's row.
candles::Klines first_wins(const candles::Klines& first, const candles::Klines& second);

// A view of the files as they were when it was opened; cheap to open, holds no minutes. The storage must
// outlive it. Const methods may be called from several threads.
class SymbolSeries {
 public:
  // not_found if the lake has nothing of the symbol.
  static Result<SymbolSeries> open(const lake::Storage& storage, std::string symbol);

  const std::string& symbol() const { return symbol_; }
  // From the first known minute or day to the end of the last, the open candle included. Empty without rows.
  TimeRange extent() const { return extent_; }
  // Candles of the interval that end at or before this instant are closed. Below a day: the end of what batch
  // has been told and of the last closed speed minute. From a day on: batch, or the speed layer's watermark,
  // since minutes of a day may come late.
  Timestamp closed_until(candles::Interval interval) const;
  // Open time of the minute that is not final, if there is one.
  std::optional<Timestamp> open_minute() const;

  // Minutes that open inside the range.
  Result<candles::Klines> minutes(TimeRange range, Detail detail) const;
  // Days in [from, until) that are known; month by month on all cores. With Detail::prices, closed days that
  // the speed layer has no part in come from daily_filled, which is the same roll-up done before.
  Result<candles::Bars> days(Day from, Day until, Detail detail) const;
  // Close of the last minute (below a day) or day that opens before t.
  Result<std::optional<double>> close_before(Timestamp t, candles::Interval interval) const;

 private:
  SymbolSeries(const lake::Storage& storage, std::string symbol)
      : storage_(&storage), symbol_(std::move(symbol)) {}
  Status read_extent();
  Status read_horizons();
  bool has_speed(Day day) const;
  // `vanished`: set if a file has gone since the series was opened.
  Result<candles::Klines> read(const std::vector<lake::Partition>& partitions, TimeRange range, Detail detail,
                               bool& vanished) const;
  Result<candles::Bars> month_days(Day from, Day until, Detail detail) const;
  Result<candles::Bars> days_from_minutes(Day from, Day until, Detail detail) const;

  const lake::Storage* storage_;
  std::string symbol_;
  std::vector<lake::Partition> minutes_, speed_, daily_;
  candles::Bars known_days_;  // klines_1d
  std::optional<lake::OpenCandle> open_;
  TimeRange extent_{};
  Timestamp minutes_closed_{};  // closed_until below a day
  Timestamp days_closed_{};     // … of days that come from minutes
  Timestamp known_closed_{};    // … of klines_1d
};

}  // namespace chandler::serving
