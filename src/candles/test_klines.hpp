// Klines for tests: seeded random histories, and recorded days read by a parser of their own.
#pragma once

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "base/random.hpp"
#include "candles/klines.hpp"

namespace chandler::candles::testing {

// A multiple of 0.01 in [low, high): prices as an exchange quotes them.
inline double random_price(Random& random, double low, double high) {
  const auto steps = static_cast<std::uint64_t>((high - low) * 100);
  return low + static_cast<double>(random.below(steps)) / 100.0;
}

inline Kline random_kline(Random& random, std::int64_t open_time, Source source = Source::rest) {
  Kline k;
  k.open_time = open_time;
  k.low = random_price(random, 100, 200);
  k.high = k.low + random_price(random, 0, 50);
  k.open = k.low + (k.high - k.low) * random.uniform();
  k.close = k.low + (k.high - k.low) * random.uniform();
  k.volume = static_cast<double>(random.below(1'000'000)) / 1e5;
  k.source = source;
  if (source == Source::import) return k;  // such files lack the rest
  k.quote_volume = k.volume * k.close;
  k.taker_buy_volume = k.volume * random.uniform();
  k.taker_buy_quote_volume = k.taker_buy_volume * k.close;
  k.trades = static_cast<std::int64_t>(random.below(5000));
  return k;
}

// Candles on a grid from `first` on, of which each is missing with the given probability; now and then a
// stretch of up to `longest_gap` candles is missing as well.
inline Klines random_history(Random& random, Timestamp first, std::size_t steps, double missing = 0.01,
                             std::size_t longest_gap = 0, std::int64_t grid_ms = kMinuteMs,
                             Source source = Source::rest) {
  Klines rows;
  for (std::size_t i = 0; i < steps; ++i) {
    if (longest_gap > 0 && random.chance(1e-4)) i += random.below(longest_gap);
    if (i >= steps) break;
    const std::int64_t t = to_ms(first) + static_cast<std::int64_t>(i) * grid_ms;
    const Kline k = random_kline(random, t, source);
    if (!random.chance(missing)) rows.push_back(k);
  }
  return rows;
}

inline void shuffle(Klines& rows, Random& random) {
  std::vector<std::uint32_t> order(rows.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  rows.reorder(order);
}

// Equal to the bit in every column, nulls and sources included.
inline bool identical(const Klines& a, const Klines& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same_values(a.at(i), b.at(i)) || a.source[i] != b.source[i]) return false;
  }
  return true;
}

inline std::string test_data(const std::string& name) {
  return std::string(CHANDLER_SOURCE_DIR) + "/tests/data/" + name;
}

// Cells of the lines of a CSV file; the header line is left out.
inline std::vector<std::vector<std::string>> read_cells(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("no test data at " + path);
  std::vector<std::vector<std::string>> lines;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.starts_with("symbol,")) continue;
    std::vector<std::string> cells;
    std::stringstream cut(line);
    for (std::string cell; std::getline(cut, cell, ',');) cells.push_back(cell);
    lines.push_back(std::move(cells));
  }
  return lines;
}

// One of the recorded archives in tests/data/binance, e.g. "BTCUSDT-1m-2024-05-31.csv".
inline Klines recorded_minutes(const std::string& file) {
  Klines rows;
  for (const auto& c : read_cells(test_data("binance/" + file))) {
    Kline k;
    k.open_time = std::stoll(c.at(0));
    k.open = std::stod(c.at(1));
    k.high = std::stod(c.at(2));
    k.low = std::stod(c.at(3));
    k.close = std::stod(c.at(4));
    k.volume = std::stod(c.at(5));
    k.quote_volume = std::stod(c.at(7));
    k.trades = std::stoll(c.at(8));
    k.taker_buy_volume = std::stod(c.at(9));
    k.taker_buy_quote_volume = std::stod(c.at(10));
    k.source = Source::archive;
    rows.push_back(k);
  }
  return rows;
}

}  // namespace chandler::candles::testing
