#include "sim/candle_row.hpp"

#include "sim/decimal.hpp"
#include "sim/query.hpp"

namespace chandler::sim {

void append_row(std::string& out, const Candle& candle, RowStyle style) {
  const bool json = style == RowStyle::json || style == RowStyle::json_microseconds;
  const TimeUnit unit = style == RowStyle::csv_microseconds || style == RowStyle::json_microseconds
                            ? TimeUnit::microseconds
                            : TimeUnit::milliseconds;
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
  append_integer(out, in_unit(k.open_time, unit));
  for (const double value : {k.open, k.high, k.low, k.close, k.volume}) decimal(value);
  integer(last_in_unit(candle.close_time, unit));
  decimal(k.quote_volume);
  integer(k.trades);
  decimal(k.taker_buy_volume);
  decimal(k.taker_buy_quote_volume);
  out += json ? ",\"0\"]" : ",0\n";
}

}  // namespace chandler::sim
