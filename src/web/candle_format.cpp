#include "web/candle_format.hpp"

#include "serving/candle_csv.hpp"
#include "web/json_text.hpp"

namespace chandler::web {
namespace {

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
  for (const auto& [name, column] : serving::kNumberColumns) append_column(out, name, candles.rows.*column);
  append_trades(out, candles.rows.trades);
  append_column(out, "minutes", candles.minutes);
  append_column(out, "filled", candles.filled);
  append_column(out, "provisional", candles.provisional);
  out += '}';
  return out;
}

std::string candles_csv(const serving::Candles& candles) {
  std::string out;
  serving::append_csv_head(out);
  serving::append_csv(out, candles);
  return out;
}

}  // namespace chandler::web
