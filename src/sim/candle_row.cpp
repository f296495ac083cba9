#include "sim/candle_row.hpp"

#include "sim/decimal.hpp"

namespace chandler::sim {

void append_row(std::string& out, const Candle& candle, RowStyle style) {
  const bool json = style == RowStyle::json;
  const bool microseconds = style == RowStyle::csv_microseconds;
  const auto decimal = [&](double value) {
    out += json ? ",\"" : ",";
    append_decimal(out, value);
    if (json) out += '"';
  };
  const auto integer = [&](std::int64_t value) {
    out += ',';
    append_integer(out, value);
  };
  const Kline& k = candle.values;
  if (json) out += '[';
  append_integer(out, microseconds ? k.open_time * 1000 : k.open_time);
  for (const double value : {k.open, k.high, k.low, k.close, k.volume}) decimal(value);
  integer(microseconds ? candle.close_time * 1000 + 999 : candle.close_time);
  decimal(k.quote_volume);
  integer(k.trades);
  decimal(k.taker_buy_volume);
  decimal(k.taker_buy_quote_volume);
  out += json ? ",\"0\"]" : ",0\n";
}

}  // namespace chandler::sim
