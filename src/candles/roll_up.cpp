#include "candles/roll_up.hpp"

#include <algorithm>
#include <numeric>

namespace chandler::candles {
namespace {

double sum(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

double sum_or_unknown(std::span<const double> values) {
  return values.empty() || std::isnan(values.front()) ? kUnknown : sum(values);
}

std::int64_t sum_trades(std::span<const std::int64_t> values) {
  if (values.empty()) return kUnknownTrades;
  std::int64_t total = 0;
  for (const std::int64_t v : values) {
    if (v == kUnknownTrades) return kUnknownTrades;
    // Rows of a foreign file need not be possible ones.
    if (__builtin_add_overflow(total, v, &total)) return kUnknownTrades;
  }
  return total;
}

template <class T>
std::span<const T> part(std::span<const T> column, std::size_t first, std::size_t count) {
  return column.empty() ? column : column.subspan(first, count);
}

Kline bar_of(const KlineSpans& m, std::int64_t open_time) {
  Kline k;
  k.open_time = open_time;
  k.open = m.open.front();
  k.high = *std::ranges::max_element(m.high);
  k.low = *std::ranges::min_element(m.low);
  k.close = m.close.back();
  k.volume = sum(m.volume);
  k.quote_volume = sum_or_unknown(m.quote_volume);
  k.taker_buy_volume = sum_or_unknown(m.taker_buy_volume);
  k.taker_buy_quote_volume = sum_or_unknown(m.taker_buy_quote_volume);
  k.trades = sum_trades(m.trades);
  return k;
}

}  // namespace

KlineSpans KlineSpans::subspan(std::size_t first, std::size_t n) const {
  return {part(open_time, first, n),
          part(open, first, n),
          part(high, first, n),
          part(low, first, n),
          part(close, first, n),
          part(volume, first, n),
          part(quote_volume, first, n),
          part(taker_buy_volume, first, n),
          part(taker_buy_quote_volume, first, n),
          part(trades, first, n)};
}

KlineSpans spans_of(const Klines& k) {
  return {k.open_time,
          k.open,
          k.high,
          k.low,
          k.close,
          k.volume,
          k.quote_volume,
          k.taker_buy_volume,
          k.taker_buy_quote_volume,
          k.trades};
}

Bars roll_up(const KlineSpans& minutes, Interval interval) {
  Bars bars;
  std::size_t first = 0;
  while (first < minutes.size()) {
    const Timestamp t = from_ms(minutes.open_time[first]);
    const Timestamp end = end_of(interval, t);
    const auto rest = minutes.open_time.subspan(first);
    const auto count = static_cast<std::size_t>(std::ranges::lower_bound(rest, to_ms(end)) - rest.begin());
    bars.rows.push_back(bar_of(minutes.subspan(first, count), to_ms(begin_of(interval, t))));
    bars.count.push_back(static_cast<std::int32_t>(count));
    first += count;
  }
  return bars;
}

}  // namespace chandler::candles
