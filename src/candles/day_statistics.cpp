#include "candles/day_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace chandler::candles {
namespace {

std::vector<std::size_t> real_days(const DailyRows& days) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < days.size(); ++i) {
    if (days.filled[i] == 0) rows.push_back(i);
  }
  return rows;
}

// The first `count` of `rows` by descending key; rows come in order of time, which settles ties.
template <class Key>
std::vector<std::size_t> largest(std::vector<std::size_t> rows, std::size_t count, Key key) {
  std::ranges::stable_sort(rows, std::ranges::greater{}, key);
  rows.resize(std::min(rows.size(), count));
  return rows;
}

int year_of(Day day) {
  return year_number(month_of(day));
}

}  // namespace

std::vector<PriceChange> top_price_change_days(const DailyRows& days, std::size_t count) {
  const auto relative = [&](std::size_t i) { return (days.close[i] - days.open[i]) / days.open[i]; };
  std::vector<PriceChange> top;
  for (const std::size_t i :
       largest(real_days(days), count, [&](std::size_t r) { return std::abs(relative(r)); })) {
    top.push_back({from_day_number(days.date[i]), days.open[i], days.close[i], days.close[i] - days.open[i],
                   relative(i) * 100});
  }
  return top;
}

std::vector<DayVolume> top_volume_days(const DailyRows& days, std::size_t count) {
  std::vector<DayVolume> top;
  for (const std::size_t i : largest(real_days(days), count, [&](std::size_t r) { return days.volume[r]; })) {
    top.push_back({from_day_number(days.date[i]), days.volume[i], days.quote_volume[i], days.close[i]});
  }
  return top;
}

std::vector<MonthVolume> avg_volume_per_month(const DailyRows& days) {
  std::vector<MonthVolume> months;
  for (const std::size_t i : real_days(days)) {
    const year_month month = month_of(from_day_number(days.date[i]));
    if (months.empty() || months.back().year != year_number(month) ||
        months.back().month != month_number(month)) {
      months.push_back({year_number(month), month_number(month), 0, 0});
    }
    months.back().average += days.volume[i];
    ++months.back().days;
  }
  for (MonthVolume& m : months) m.average /= static_cast<double>(m.days);
  return months;
}

std::vector<YearReturn> avg_return_per_year(const DailyRows& days) {
  std::vector<YearReturn> years;
  double before_year = kUnknown, last_close = kUnknown;
  std::int32_t last_date = 0;
  for (const std::size_t i : real_days(days)) {
    const int year = year_of(from_day_number(days.date[i]));
    if (years.empty() || years.back().year != year) {
      before_year = std::isnan(last_close) ? days.open[i] : last_close;
      years.push_back({year, 0, 0, 0});
    }
    YearReturn& current = years.back();
    const bool first = std::isnan(last_close);
    if (first || days.date[i] == last_date + 1) {
      current.average += days.close[i] / (first ? days.open[i] : last_close) - 1;
      ++current.days;
    }
    last_close = days.close[i];
    last_date = days.date[i];
    current.total = last_close / before_year - 1;
  }
  for (YearReturn& y : years) y.average = y.days > 0 ? y.average / static_cast<double>(y.days) : kUnknown;
  return years;
}

}  // namespace chandler::candles
