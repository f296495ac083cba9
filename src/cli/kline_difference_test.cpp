#include "cli/kline_difference.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace chandler::cli {
namespace {

candles::Kline a_kline() {
  candles::Kline k;
  k.open = k.high = k.low = k.close = 1.5;
  k.volume = k.quote_volume = k.taker_buy_volume = k.taker_buy_quote_volume = 2;
  k.trades = 7;
  return k;
}

TEST(KlineDifference, NamesTheFieldsThatDifferAndNoOthers) {
  const candles::Kline stored = a_kline();
  candles::Kline incoming = stored;
  incoming.trades = 8;
  EXPECT_EQ(difference_of(stored, incoming).stored, "trades 7");
  EXPECT_EQ(difference_of(stored, incoming).incoming, "trades 8");
  incoming.close = 1.25;
  EXPECT_EQ(difference_of(stored, incoming).stored, "close 1.5 trades 7");
  EXPECT_EQ(difference_of(stored, incoming).incoming, "close 1.25 trades 8");
}

TEST(KlineDifference, AnUnknownValueContradictsNothing) {
  const candles::Kline stored = a_kline();
  candles::Kline incoming = stored;
  incoming.quote_volume = incoming.taker_buy_volume = std::nan("");
  incoming.trades = candles::kUnknownTrades;
  EXPECT_EQ(difference_of(stored, incoming).stored, "");
}

}  // namespace
}  // namespace chandler::cli
