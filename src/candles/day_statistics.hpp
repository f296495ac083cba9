// Questions about a history of days. Filled days are nobody's trading: they are left out of every answer.
#pragma once

#include <vector>

#include "candles/daily.hpp"

namespace chandler::candles {

// From the day's open to its close.
struct PriceChange {
  Day date;
  double open = 0, close = 0;
  double change = 0;   // close - open, in the quote asset
  double percent = 0;  // of the open
};
// Largest relative change first, whichever its direction; of equals the earlier day.
std::vector<PriceChange> top_price_change_days(const DailyRows& days, std::size_t count);

struct DayVolume {
  Day date;
  double volume = 0;        // base asset
  double quote_volume = 0;  // NaN where unknown
  double close = 0;
};
// Largest volume first; of equals the earlier day.
std::vector<DayVolume> top_volume_days(const DailyRows& days, std::size_t count);

struct MonthVolume {
  int year = 0;
  unsigned month = 0;
  double average = 0;  // mean of the real days' volumes, base asset
  std::size_t days = 0;
};
// Months with at least one real day, in order of time.
std::vector<MonthVolume> avg_volume_per_month(const DailyRows& days);

struct YearReturn {
  int year = 0;
  double average = 0;  // mean of the daily returns close / close of the day before - 1
  double total = 0;  // last real close of the year / last real close before the year (or the first open) - 1
  std::size_t days = 0;  // daily returns that went into the average
};
// A daily return needs two real days in a row: what happened across a hole is no return of one day. The first
// day of a history is measured from its open. Years with at least one real day, in order of time.
std::vector<YearReturn> avg_return_per_year(const DailyRows& days);

}  // namespace chandler::candles
