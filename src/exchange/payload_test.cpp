#include "exchange/payload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <charconv>

#include "base/random.hpp"
#include "exchange/scripted_exchange.hpp"

namespace chandler::exchange {
namespace {

using ::testing::HasSubstr;
using testing::recorded;

TEST(ParseKlines, RecordedPageGivesTheValuesThatStandInIt) {
  const auto page = parse_klines(recorded("klines_1h.json"));
  ASSERT_TRUE(page) << to_text(page.error());
  ASSERT_EQ(page->rows.size(), 5u);
  const candles::Kline k = page->rows.at(1);  // read off the file by hand
  EXPECT_EQ(k.open_time, 1561744800000);
  EXPECT_EQ(k.open, 34.3671);
  EXPECT_EQ(k.high, 34.4555);
  EXPECT_EQ(k.low, 34.2559);
  EXPECT_EQ(k.close, 34.376);
  EXPECT_EQ(k.volume, 102988.27);
  EXPECT_EQ(k.quote_volume, 3537971.200408);
  EXPECT_EQ(k.trades, 2408);
  EXPECT_EQ(k.taker_buy_volume, 71412.85);
  EXPECT_EQ(k.taker_buy_quote_volume, 2453092.004132);
  EXPECT_EQ(k.source, candles::Source::rest);
  EXPECT_EQ(page->close_time[1], 1561748399999);
}

TEST(ParseKlines, RecordedOutageIsAHoleBetweenRows) {
  const auto page = parse_klines(recorded("klines_1h_outage_2020-06-28.json"));
  ASSERT_TRUE(page) << to_text(page.error());
  ASSERT_EQ(page->rows.size(), 25u);
  int holes = 0;
  for (std::size_t i = 1; i < page->rows.size(); ++i)
    holes += page->rows.open_time[i] - page->rows.open_time[i - 1] != 60 * kMinuteMs;
  EXPECT_EQ(holes, 1);
  EXPECT_EQ(count_truncated(*page, candles::Interval::h1), 0u);
}

TEST(ParseKlines, EveryDecimalBecomesTheNearestDouble) {
  Random random(7);
  for (int i = 0; i < 2000; ++i) {
    std::string text = std::to_string(random.below(i % 2 == 0 ? 100 : 10'000'000'000)) + "." +
                       fmt::format("{:08}", random.below(100'000'000));
    const auto page = parse_klines(
        fmt::format(R"([[1500000000000,"{0}",{0},"{0}","{0}","1",1500000059999,"1",1,"1","1","0"]])", text));
    ASSERT_TRUE(page) << text;
    const double expected = std::strtod(text.c_str(), nullptr);
    ASSERT_EQ(page->rows.open[0], expected) << text;
    ASSERT_EQ(page->rows.high[0], expected) << "as a number: " << text;
  }
}

std::string one_kline(std::string_view open_time, std::string_view price, std::string_view close_time,
                      std::string_view trades) {
  return fmt::format(R"([[{},{},"2","1","2","3",{},"4",{},"5","6","0"]])", open_time, price, close_time,
                     trades);
}

TEST(ParseKlines, NumbersAreUnderstoodInEveryNotation) {
  for (const char* price : {R"("1.5")", "1.5", "15e-1", R"("15e-1")", R"("0.15E1")", "1.50"}) {
    const auto page = parse_klines(one_kline("1.5e12", price, R"("1500000059999")", "7.0"));
    ASSERT_TRUE(page) << price << to_text(page.error());
    EXPECT_EQ(page->rows.open[0], 1.5);
    EXPECT_EQ(page->rows.open_time[0], 1500000000000);
    EXPECT_EQ(page->close_time[0], 1500000059999);
    EXPECT_EQ(page->rows.trades[0], 7);
  }
}

TEST(ParseKlines, MicrosecondsAreToldFromMilliseconds) {
  const auto page = parse_klines(one_kline("1735689600000000", "1.5", "1735689659999999", "1"));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->rows.open_time[0], 1735689600000);
  EXPECT_EQ(page->close_time[0], 1735689659999);
  EXPECT_EQ(count_truncated(*page, candles::Interval::m1), 0u);
}

TEST(ParseKlines, TruncatedCloseTimesAreCounted) {
  const auto page = parse_klines(one_kline("1500000000000", "1.5", "1500000029999", "1"));
  ASSERT_TRUE(page);
  EXPECT_EQ(count_truncated(*page, candles::Interval::m1), 1u);
}

TEST(ParseKlines, AnEmptyListIsAPageWithoutRows) {
  const auto page = parse_klines(" [ ] ");
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->rows.empty());
}

TEST(ParseKlines, WhatIsNotAListOfKlinesIsAnErrorWithItsPlace) {
  const std::string good = recorded("klines_1h.json");
  const std::vector<std::string> wrong = {
      "",
      "<html><body>502 Bad Gateway</body></html>",
      "{}",
      "null",
      R"({"code":-1121,"msg":"Invalid symbol."})",
      "[1]",
      "[[]]",
      "[[1500000000000]]",
      "[[null,\"1\",\"2\",\"1\",\"2\",\"3\",1,\"4\",1,\"5\",\"6\",\"0\"]]",
      one_kline("1500000000000", R"("abc")", "1500000059999", "1"),
      one_kline("1500000000000", R"("")", "1500000059999", "1"),
      one_kline("1500000000000", R"("1.5 ")", "1500000059999", "1"),
      one_kline("1500000000000", R"("0x10")", "1500000059999", "1"),
      one_kline("1500000000000", R"("NaN")", "1500000059999", "1"),
      one_kline("1500000000000", R"("inf")", "1500000059999", "1"),
      one_kline("1500000000000", R"("1e999")", "1500000059999", "1"),
      one_kline("1500000000000", "1e999", "1500000059999", "1"),
      one_kline("1500000000000", "true", "1500000059999", "1"),
      one_kline("1500000000000", "[1]", "1500000059999", "1"),
      one_kline("1500000000000", "1.5", "1500000059999", "1.5"),
      one_kline("1500000000000.5", "1.5", "1500000059999", "1"),
      one_kline("-1500000000000", "1.5", "1500000059999", "1"),
      one_kline("99999999999999999999", "1.5", "1500000059999", "1"),
      one_kline("15000000000000000000", "1.5", "1500000059999", "1"),
      good + good,
      good + "x",
      good.substr(0, good.size() - 1),
      "[" + good,
      std::string("[[1500000000000,\"\xff\"") + "]]",
  };
  for (const std::string& json : wrong) {
    const auto page = parse_klines(json);
    ASSERT_FALSE(page) << json;
    EXPECT_EQ(page.error().code, ErrorCode::invalid_data);
    EXPECT_THAT(page.error().where, HasSubstr("byte ")) << json;
  }
}

TEST(ParseKlines, TheOffsetPointsIntoTheRowThatIsWrong) {
  std::string json = recorded("klines_1h.json");
  const std::size_t third_row = json.find("[1561748400000");
  json.replace(json.find("34.3842", third_row), 7, "34..842");
  const auto page = parse_klines(json);
  ASSERT_FALSE(page);
  std::size_t offset = 0;
  std::from_chars(page.error().where.data() + 5, page.error().where.data() + page.error().where.size(),
                  offset);
  EXPECT_GE(offset, third_row);
  EXPECT_LT(offset, json.find("]", third_row));
  EXPECT_THAT(page.error().what, HasSubstr("kline 3"));
}

TEST(Payloads, EveryPrefixOfAnAnswerIsAnErrorAndNothingElse) {
  const std::string klines = recorded("klines_1h.json");
  for (std::size_t n = 0; n < klines.size(); ++n) ASSERT_FALSE(parse_klines(klines.substr(0, n))) << n;
  const std::string info = recorded("exchange_info_2019.json");
  for (std::size_t n = 0; n < info.size(); n += 7) ASSERT_FALSE(parse_exchange_info(info.substr(0, n))) << n;
}

TEST(Payloads, RandomDamageNeverCrashesAndNeverGivesRowsThatWereNotThere) {
  Random random(11);
  const std::string inputs[] = {recorded("klines_1h.json"), recorded("exchange_info_2019.json"),
                                recorded("error_invalid_symbol.json"), recorded("time.json")};
  for (int i = 0; i < 20000; ++i) {
    std::string json = inputs[random.below(4)];
    for (std::uint64_t n = 1 + random.below(4); n > 0; --n) {
      const std::size_t at = random.below(json.size());
      switch (random.below(3)) {
        case 0:
          json[at] = static_cast<char>(random.below(256));
          break;
        case 1:
          json.erase(at, random.below(20));
          break;
        default:
          json.insert(at, json.substr(random.below(json.size()), random.below(20)));
      }
      if (json.empty()) json = "x";
    }
    if (const auto page = parse_klines(json)) {
      EXPECT_LE(page->rows.size(), 6u);
      EXPECT_EQ(page->close_time.size(), page->rows.size());
    }
    (void)parse_exchange_info(json);
    (void)parse_error(json);
    (void)parse_server_time(json);
  }
}

TEST(ParseExchangeInfo, RecordedAnswersGiveSymbolsAndTheWeightLimit) {
  const auto old = parse_exchange_info(recorded("exchange_info_2019.json"));
  ASSERT_TRUE(old) << to_text(old.error());
  EXPECT_EQ(old->weight_per_minute, 1200);
  EXPECT_EQ(old->symbols.size(), 8u);
  EXPECT_EQ(old->symbols[0].symbol, "ETHBTC");
  EXPECT_EQ(old->symbols[0].base, "ETH");
  EXPECT_EQ(old->symbols[0].quote, "BTC");
  EXPECT_TRUE(old->symbols[0].trading());
  int halted = 0;
  for (const auto& s : old->symbols) halted += !s.trading();
  EXPECT_GE(halted, 1);

  const auto present = parse_exchange_info(recorded("exchange_info_2025.json"));
  ASSERT_TRUE(present) << to_text(present.error());
  EXPECT_EQ(present->weight_per_minute, 6000);
  EXPECT_FALSE(present->symbols.empty());
}

TEST(ParseExchangeInfo, TheTightestWeightLimitCounts) {
  const auto info = parse_exchange_info(
      R"({"symbols":[],"rateLimits":[
        {"rateLimitType":"REQUEST_WEIGHT","interval":"SECOND","intervalNum":10,"limit":50},
        {"rateLimitType":"REQUEST_WEIGHT","interval":"HOUR","intervalNum":1,"limit":360000},
        {"rateLimitType":"ORDERS","interval":"MINUTE","intervalNum":1,"limit":1}]})");
  ASSERT_TRUE(info) << to_text(info.error());
  EXPECT_EQ(info->weight_per_minute, 300);
}

TEST(ParseExchangeInfo, AnAnswerWithoutSymbolsIsAnError) {
  EXPECT_FALSE(parse_exchange_info("{}"));
  EXPECT_FALSE(parse_exchange_info(R"({"symbols":{}})"));
  EXPECT_FALSE(parse_exchange_info(R"({"symbols":[{"status":"TRADING"}]})"));
  EXPECT_FALSE(parse_exchange_info(R"({"symbols":[{"symbol":5}]})"));
  EXPECT_FALSE(parse_exchange_info(
      R"({"symbols":[],"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":0,"limit":5}]})"));
}

TEST(ParseServerTime, RecordedAnswerAndItsDamage) {
  EXPECT_EQ(*parse_server_time(recorded("time.json")), from_ms(1629602498507));
  EXPECT_EQ(*parse_server_time(R"({"serverTime":1629602498507123})"), from_ms(1629602498507));
  EXPECT_FALSE(parse_server_time("{}"));
  EXPECT_FALSE(parse_server_time(R"({"serverTime":"soon"})"));
  EXPECT_FALSE(parse_server_time(R"({"serverTime":1629602498507)"));
}

TEST(ParseError, RecordedAnswerAndWhatIsNone) {
  const auto api = parse_error(recorded("error_invalid_symbol.json"));
  ASSERT_TRUE(api);
  EXPECT_EQ(api->code, -1121);
  EXPECT_EQ(api->msg, "Invalid symbol.");
  EXPECT_FALSE(parse_error(R"({"msg":"x"})"));
  EXPECT_FALSE(parse_error(R"({"code":99999999999})"));
  EXPECT_FALSE(
      parse_error(R"({"code":-9223372036854775808})"));  // found by fuzzing: it has no absolute value
  EXPECT_FALSE(parse_error("<html>"));
}

}  // namespace
}  // namespace chandler::exchange
