#include "cli/kline_difference.hpp"

#include <fmt/format.h>

#include <cmath>

namespace chandler::cli {

KlineDifference difference_of(const candles::Kline& stored, const candles::Kline& incoming) {
  KlineDifference difference;
  const auto say = [](std::string& text, std::string_view field, auto value) {
    text += fmt::format("{}{} {}", text.empty() ? "" : " ", field, value);
  };
  const auto compare = [&](std::string_view field, double candles::Kline::*member) {
    const double a = stored.*member, b = incoming.*member;
    if (std::isnan(a) || std::isnan(b) || a == b) return;
    say(difference.stored, field, a);
    say(difference.incoming, field, b);
  };
  compare("open", &candles::Kline::open);
  compare("high", &candles::Kline::high);
  compare("low", &candles::Kline::low);
  compare("close", &candles::Kline::close);
  compare("volume", &candles::Kline::volume);
  compare("quote_volume", &candles::Kline::quote_volume);
  compare("taker_buy_volume", &candles::Kline::taker_buy_volume);
  compare("taker_buy_quote_volume", &candles::Kline::taker_buy_quote_volume);
  if (stored.trades != incoming.trades && stored.trades != candles::kUnknownTrades &&
      incoming.trades != candles::kUnknownTrades) {
    say(difference.stored, "trades", stored.trades);
    say(difference.incoming, "trades", incoming.trades);
  }
  return difference;
}

}  // namespace chandler::cli
