#include "candles/klines.hpp"

#include <algorithm>

namespace chandler::candles {
namespace {

bool same(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

}  // namespace

std::optional<Source> parse_source(std::string_view text) {
  for (const Source s : {Source::import, Source::stream, Source::rest, Source::archive}) {
    if (text == name(s)) return s;
  }
  return std::nullopt;
}

bool same_values(const Kline& a, const Kline& b) {
  return a.open_time == b.open_time && same(a.open, b.open) && same(a.high, b.high) && same(a.low, b.low) &&
         same(a.close, b.close) && same(a.volume, b.volume) && same(a.quote_volume, b.quote_volume) &&
         same(a.taker_buy_volume, b.taker_buy_volume) &&
         same(a.taker_buy_quote_volume, b.taker_buy_quote_volume) && a.trades == b.trades;
}

void Klines::clear() {
  for_each_column([&](auto column) { (this->*column).clear(); });
}

void Klines::reserve(std::size_t rows) {
  for_each_column([&](auto column) { (this->*column).reserve(rows); });
}

void Klines::resize(std::size_t rows) {
  for_each_column([&](auto column) { (this->*column).resize(rows); });
}

void Klines::push_back(const Kline& k) {
  open_time.push_back(k.open_time);
  open.push_back(k.open);
  high.push_back(k.high);
  low.push_back(k.low);
  close.push_back(k.close);
  volume.push_back(k.volume);
  quote_volume.push_back(k.quote_volume);
  taker_buy_volume.push_back(k.taker_buy_volume);
  taker_buy_quote_volume.push_back(k.taker_buy_quote_volume);
  trades.push_back(k.trades);
  source.push_back(k.source);
}

Kline Klines::at(std::size_t row) const {
  return {open_time[row],
          open[row],
          high[row],
          low[row],
          close[row],
          volume[row],
          quote_volume[row],
          taker_buy_volume[row],
          taker_buy_quote_volume[row],
          trades[row],
          source[row]};
}

void Klines::set(std::size_t row, const Kline& k) {
  open_time[row] = k.open_time;
  open[row] = k.open;
  high[row] = k.high;
  low[row] = k.low;
  close[row] = k.close;
  volume[row] = k.volume;
  quote_volume[row] = k.quote_volume;
  taker_buy_volume[row] = k.taker_buy_volume;
  taker_buy_quote_volume[row] = k.taker_buy_quote_volume;
  trades[row] = k.trades;
  source[row] = k.source;
}

void Klines::append(const Klines& other, std::size_t first, std::size_t last) {
  for_each_column([&](auto column) {
    auto& to = this->*column;
    const auto& from = other.*column;
    to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(first),
              from.begin() + static_cast<std::ptrdiff_t>(last));
  });
}

void Klines::reorder(std::span<const std::uint32_t> order) {
  for_each_column([&](auto column) {
    auto& values = this->*column;
    std::remove_reference_t<decltype(values)> moved(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) moved[i] = values[order[i]];
    values = std::move(moved);
  });
}

std::size_t lower_bound(const Klines& sorted, Timestamp t) {
  return static_cast<std::size_t>(std::ranges::lower_bound(sorted.open_time, to_ms(t)) -
                                  sorted.open_time.begin());
}

Klines slice(const Klines& sorted, TimeRange range) {
  Klines rows;
  if (!range.empty()) rows.append(sorted, lower_bound(sorted, range.begin), lower_bound(sorted, range.end));
  return rows;
}

bool is_sorted_unique(std::span<const std::int64_t> open_time) {
  return std::ranges::adjacent_find(open_time, std::ranges::greater_equal{}) == open_time.end();
}

}  // namespace chandler::candles
