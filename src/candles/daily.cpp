#include "candles/daily.hpp"

#include <algorithm>

namespace chandler::candles {
namespace {

template <class T>
void extend(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

void add_known(DailyRows& rows, const Kline& k, std::int32_t count) {
  rows.open.push_back(k.open);
  rows.high.push_back(k.high);
  rows.low.push_back(k.low);
  rows.close.push_back(k.close);
  rows.volume.push_back(k.volume);
  rows.count.push_back(count);
  rows.filled.push_back(0);
  rows.quote_volume.push_back(k.quote_volume);
  rows.trades.push_back(k.trades);
  rows.vwap.push_back(k.volume > 0 ? k.quote_volume / k.volume : kUnknown);
}

void add_filled(DailyRows& rows, double last_close) {
  for (auto* price : {&rows.open, &rows.high, &rows.low, &rows.close}) price->push_back(last_close);
  rows.volume.push_back(0);
  rows.count.push_back(0);
  rows.filled.push_back(1);
  rows.quote_volume.push_back(0);
  rows.trades.push_back(0);
  rows.vwap.push_back(kUnknown);
}

}  // namespace

void DailyRows::append(const DailyRows& other) {
  extend(date, other.date);
  extend(open, other.open);
  extend(high, other.high);
  extend(low, other.low);
  extend(close, other.close);
  extend(volume, other.volume);
  extend(count, other.count);
  extend(filled, other.filled);
  extend(ma7, other.ma7);
  extend(ma30, other.ma30);
  extend(quote_volume, other.quote_volume);
  extend(trades, other.trades);
  extend(vwap, other.vwap);
}

DailyRows fill_days(const Bars& known, Day from, Day until, Carry& carry) {
  DailyRows rows;
  std::size_t next = 0;
  while (next < known.size() && day_of(from_ms(known.rows.open_time[next])) < from) ++next;
  for (Day day = from; day < until; day += std::chrono::days{1}) {
    const bool is_known = next < known.size() && day_of(from_ms(known.rows.open_time[next])) == day;
    if (is_known) {
      add_known(rows, known.rows.at(next), known.count[next]);
      ++next;
    } else if (!rows.close.empty() || !carry.closes.empty()) {
      add_filled(rows, rows.close.empty() ? carry.closes.back() : rows.close.back());
    } else {
      continue;  // before the first known day of the history
    }
    rows.date.push_back(to_day_number(day));
  }
  rows.ma7 = moving_average(carry.closes, rows.close, 7);
  rows.ma30 = moving_average(carry.closes, rows.close, 30);

  extend(carry.closes, rows.close);
  if (carry.closes.size() > kCarriedCloses) {
    carry.closes.erase(carry.closes.begin(),
                       carry.closes.end() - static_cast<std::ptrdiff_t>(kCarriedCloses));
  }
  return rows;
}

std::vector<double> moving_average(std::span<const double> before, std::span<const double> values,
                                   std::size_t window) {
  if (window == 0) return std::vector<double>(values.size(), kUnknown);
  std::vector<double> joined(before.begin(), before.end());
  joined.insert(joined.end(), values.begin(), values.end());
  std::vector<double> means;
  means.reserve(values.size());
  for (std::size_t i = before.size(); i < joined.size(); ++i) {
    const std::size_t first = i + 1 >= window ? i + 1 - window : 0;
    double total = 0;
    for (std::size_t j = first; j <= i; ++j) total += joined[j];
    means.push_back(total / static_cast<double>(i + 1 - first));
  }
  return means;
}

Bars minutes_before_days(const Bars& from_minutes, const Bars& from_days) {
  Bars both;
  std::size_t m = 0, d = 0;
  while (m < from_minutes.size() || d < from_days.size()) {
    const bool minutes_next =
        d == from_days.size() ||
        (m < from_minutes.size() && from_minutes.rows.open_time[m] <= from_days.rows.open_time[d]);
    if (minutes_next) {
      if (d < from_days.size() && from_days.rows.open_time[d] == from_minutes.rows.open_time[m]) ++d;
      both.rows.append(from_minutes.rows, m, m + 1);
      both.count.push_back(from_minutes.count[m++]);
    } else {
      both.rows.append(from_days.rows, d, d + 1);
      both.count.push_back(from_days.count[d++]);
    }
  }
  return both;
}

}  // namespace chandler::candles
