// Klines as columns: one vector per field, row i of each belongs together. Everything in chandler that
// touches many candles takes and returns these; nothing allocates per row.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace chandler::candles {

// Where a candle came from. The order is the stored code, not the precedence: see rank().
enum class Source : std::uint8_t { import = 0, stream = 1, rest = 2, archive = 3 };

// Precedence for one candle: archive or rest (2) > stream (1) > import (0).
constexpr int rank(Source s) {
  return s == Source::import ? 0 : s == Source::stream ? 1 : 2;
}
constexpr std::string_view name(Source s) {
  constexpr std::string_view names[] = {"import", "stream", "rest", "archive"};
  return names[static_cast<std::size_t>(s)];
}
std::optional<Source> parse_source(std::string_view text);

// In memory a field that its source lacks is NaN, or kUnknownTrades; on disk and in every output it is null.
inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
inline constexpr std::int64_t kUnknownTrades = std::numeric_limits<std::int64_t>::min();

// One candle, for the places where one is handled at a time. Prices are in the quote asset, volume and
// taker_buy_volume in the base asset, quote_volume and taker_buy_quote_volume in the quote asset.
struct Kline {
  std::int64_t open_time = 0;  // ms since the epoch, UTC; names the candle
  double open = 0, high = 0, low = 0, close = 0;
  double volume = 0;
  double quote_volume = kUnknown;
  double taker_buy_volume = kUnknown;
  double taker_buy_quote_volume = kUnknown;
  std::int64_t trades = kUnknownTrades;
  Source source = Source::rest;
};

// Equal in every value (two unknowns are equal); the source is not a value.
bool same_values(const Kline& a, const Kline& b);

struct Klines {
  std::vector<std::int64_t> open_time;
  std::vector<double> open, high, low, close, volume, quote_volume, taker_buy_volume, taker_buy_quote_volume;
  std::vector<std::int64_t> trades;
  std::vector<Source> source;

  std::size_t size() const { return open_time.size(); }
  bool empty() const { return open_time.empty(); }
  void clear();
  void reserve(std::size_t rows);
  void resize(std::size_t rows);
  void push_back(const Kline& k);
  Kline at(std::size_t row) const;
  void set(std::size_t row, const Kline& k);
  // Rows [first, last) of `other` after the rows that are here.
  void append(const Klines& other, std::size_t first, std::size_t last);
  void append(const Klines& other) { append(other, 0, other.size()); }
  // Row i becomes what row order[i] was; order may be shorter than the columns, which then shrink.
  void reorder(std::span<const std::uint32_t> order);
};

// Sorted and unique open times: first row at or after t. O(log n).
std::size_t lower_bound(const Klines& sorted, Timestamp t);
// Rows of a sorted column set whose open time lies in the range.
Klines slice(const Klines& sorted, TimeRange range);
bool is_sorted_unique(std::span<const std::int64_t> open_time);

// Calls visit(member of Klines) for each column, so that code which treats all columns alike names none.
template <class F>
void for_each_column(F&& visit) {
  visit(&Klines::open_time);
  visit(&Klines::open);
  visit(&Klines::high);
  visit(&Klines::low);
  visit(&Klines::close);
  visit(&Klines::volume);
  visit(&Klines::quote_volume);
  visit(&Klines::taker_buy_volume);
  visit(&Klines::taker_buy_quote_volume);
  visit(&Klines::trades);
  visit(&Klines::source);
}

}  // namespace chandler::candles
