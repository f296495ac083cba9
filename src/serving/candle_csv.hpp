// Candles as CSV: what `chandler candles` writes and what the dashboard offers for download.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "serving/candle_query.hpp"

namespace chandler::serving {

// The columns of prices and volumes, in the order in which every text of candles has them.
inline constexpr std::pair<std::string_view, std::vector<double> candles::Klines::*> kNumberColumns[] = {
    {"open", &candles::Klines::open},
    {"high", &candles::Klines::high},
    {"low", &candles::Klines::low},
    {"close", &candles::Klines::close},
    {"volume", &candles::Klines::volume},
    {"quote_volume", &candles::Klines::quote_volume},
    {"taker_buy_volume", &candles::Klines::taker_buy_volume},
    {"taker_buy_quote_volume", &candles::Klines::taker_buy_quote_volume}};

// The line of names, then a line for each candle. As few digits as give a number back; nothing where it is
// unknown.
void append_csv_head(std::string& out);
void append_csv(std::string& out, const Candles& candles);

}  // namespace chandler::serving
