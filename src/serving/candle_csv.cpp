#include "serving/candle_csv.hpp"

#include <fmt/format.h>

#include <cmath>

namespace chandler::serving {

void append_csv_head(std::string& out) {
  out += "open_time";
  for (const auto& [name, column] : kNumberColumns) out.append(1, ',').append(name);
  out += ",trades,minutes,filled,provisional\n";
}

void append_csv(std::string& out, const Candles& c) {
  constexpr std::size_t kBytesOfALine = 150;
  out.reserve(out.size() + c.size() * kBytesOfALine);
  const auto end = std::back_inserter(out);
  for (std::size_t i = 0; i < c.size(); ++i) {
    out += format_instant(from_ms(c.rows.open_time[i]));
    for (const auto& [name, column] : kNumberColumns) {
      out += ',';
      if (const double value = (c.rows.*column)[i]; !std::isnan(value)) fmt::format_to(end, "{}", value);
    }
    out += ',';
    if (c.rows.trades[i] != candles::kUnknownTrades) fmt::format_to(end, "{}", c.rows.trades[i]);
    fmt::format_to(end, ",{},{},{}\n", c.minutes[i], c.filled[i] != 0, c.provisional[i] != 0);
  }
}

}  // namespace chandler::serving
