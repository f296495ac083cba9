#include "exchange/symbols.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chandler::exchange {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<std::string> kListed = {"BTCUSDT", "BTCUSDC", "BTCEUR",   "ETHUSDT", "ETHBTC",
                                          "BNBUSDT", "BCHUSDT", "DOGEUSDT", "LTCUSDT", "WBTCUSDT"};

TEST(Symbols, SpellingsOfOtherExchangesAreOne) {
  for (const char* name : {"btcusdt", "BTC/USDT", "btc-usdt", "Btc_Usdt", "BTC:USDT"})
    EXPECT_EQ(normalise_symbol(name), "BTCUSDT");
}

TEST(Symbols, DollarsMeanTheAssetsThatStandForThem) {
  EXPECT_THAT(did_you_mean("BTCUSD", kListed, 2), ElementsAre("BTCUSDT", "BTCUSDC"));
  EXPECT_THAT(did_you_mean("XBTUSD", kListed, 1), ElementsAre("BTCUSDT"));
  EXPECT_THAT(did_you_mean("eth-usd", kListed, 1), ElementsAre("ETHUSDT"));
}

TEST(Symbols, AnAssetAloneMeansItsPriceInDollars) {
  EXPECT_THAT(did_you_mean("doge", kListed, 1), ElementsAre("DOGEUSDT"));
}

TEST(Symbols, TypingMistakesAreForgiven) {
  EXPECT_THAT(did_you_mean("BTCUDST", kListed, 1), ElementsAre("BTCUSDT"));
  EXPECT_THAT(did_you_mean("BTCUSDTT", kListed, 1), ElementsAre("BTCUSDT"));
  EXPECT_THAT(did_you_mean("EHTUSDT", kListed, 1), ElementsAre("ETHUSDT"));
}

TEST(Symbols, NothingNearMeansNoSuggestion) {
  EXPECT_THAT(did_you_mean("QQQQQQQQ", kListed), IsEmpty());
  EXPECT_THAT(did_you_mean("", kListed), IsEmpty());
}

TEST(Symbols, TheQuestionListsWhatIsNear) {
  EXPECT_EQ(did_you_mean_question("BTCUSDTT", std::vector<std::string>{"BTCUSDT", "ETHUSDT"}),
            "; did you mean BTCUSDT?");
  EXPECT_EQ(did_you_mean_question("BTCUSD", std::vector<std::string>{"BTCUSDC", "BTCUSDT"}),
            "; did you mean BTCUSDT or BTCUSDC?");
  EXPECT_EQ(did_you_mean_question("QQQQQQQQ", kListed), "");
}

TEST(Symbols, TheOrderOfTheListDoesNotMatter) {
  std::vector<std::string> reversed(kListed.rbegin(), kListed.rend());
  for (const char* name : {"BTCUSD", "LTCUSTD", "BTC", "XBTUSDT"})
    EXPECT_EQ(did_you_mean(name, kListed), did_you_mean(name, reversed)) << name;
}

}  // namespace
}  // namespace chandler::exchange
