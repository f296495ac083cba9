#include "web/candle_format.hpp"

#include <fmt/format.h>

#include <cmath>

#include "web/json_text.hpp"

namespace chandler::web {
namespace {

using candles::Klines;

constexpr std::pair<std::string_view, std::vector<double> Klines::*> kNumbers[] = {
    {"open", &Klines::open},
    {"high", &Klines::high},
    {"low", &Klines::low},
    {"close", &Klines::close},
    {"volume", &Klines::volume},
    {"quote_volume", &Klines::quote_volume},
    {"taker_buy_volume", &Klines::taker_buy_volume},
    {"taker_buy_quote_volume", &Klines::taker_buy_quote_volume}};

void append_trades(std::string& out, const std::vector<std::int64_t>& trades) {
  append_name(out, "trades");
  out += '[';
  for (std::size_t i = 0; i < trades.size(); ++i) {
    if (i > 0) out += ',';
    if (trades[i] == candles::kUnknownTrades) {
      out += "null";
    } else {
      append_number(out, trades[i]);
    }
  }
  out += ']';
}

}  // namespace

std::string candles_json(std::string_view symbol, candles::Interval interval,
                         const serving::Candles& candles) {
  std::string out;
  out.reserve(256 + candles.size() * 130);
  out += '{';
  append_name(out, "symbol");
  append_string(out, symbol);
  append_name(out, "interval");
  append_string(out, candles::name(interval));
  append_column(out, "open_time", candles.rows.open_time);
  for (const auto& [name, column] : kNumbers) append_column(out, name, candles.rows.*column);
  append_trades(out, candles.rows.trades);
  append_column(out, "minutes", candles.minutes);
  append_column(out, "filled", candles.filled);
  append_column(out, "provisional", candles.provisional);
  out += '}';
  return out;
}

std::string candles_csv(const serving::Candles& c) {
  std::string out = "open_time";
  for (const auto& [name, column] : kNumbers) out.append(1, ',').append(name);
  out += ",trades,minutes,filled,provisional\n";
  out.reserve(out.size() + c.size() * 150);
  for (std::size_t i = 0; i < c.size(); ++i) {
    out += format_instant(from_ms(c.rows.open_time[i]));
    for (const auto& [name, column] : kNumbers) {
      out += ',';
      if (const double value = (c.rows.*column)[i]; !std::isnan(value)) append_number(out, value);
    }
    out += ',';
    if (c.rows.trades[i] != candles::kUnknownTrades) append_number(out, c.rows.trades[i]);
    fmt::format_to(std::back_inserter(out), ",{},{},{}\n", c.minutes[i], c.filled[i] != 0,
                   c.provisional[i] != 0);
  }
  return out;
}

}  // namespace chandler::web
