#include "exchange/stream_event.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "base/random.hpp"

namespace chandler::exchange {
namespace {

constexpr std::string_view kClosed =
    R"({"e":"kline","E":1653818820012,"s":"BTCUSDT","k":{"t":1653818760000,"T":1653818819999,"s":"BTCUSDT","i":"1m",)"
    R"("f":1384844002,"L":1384844032,"o":"29038.46000000","c":"29038.47000000","h":"29040.47000000","l":"29038.4",)"
    R"("v":"0.20926000","n":31,"x":true,"q":"6076.58918320","V":"0.10436000","Q":"3030.45472920","B":"0"}})";

std::string with(std::string_view from, std::string_view to) {
  std::string text(kClosed);
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::vector<std::string> recorded() {
  std::ifstream in(std::string(CHANDLER_SOURCE_DIR) + "/tests/data/stream/binance.jsonl");
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

EventFault fault(std::string_view message) {
  StreamEventParser parser;
  EXPECT_EQ(parser.parse(message), EventKind::refused) << message;
  return parser.fault();
}

TEST(StreamEvent, AClosedMinuteHasEveryField) {
  StreamEventParser parser;
  ASSERT_EQ(parser.parse(kClosed), EventKind::kline);
  const KlineEvent& e = parser.kline();
  EXPECT_EQ(e.symbol, "BTCUSDT");
  EXPECT_EQ(to_ms(e.event_time), 1653818820012);
  EXPECT_TRUE(e.closed);
  EXPECT_EQ(e.kline.open_time, 1653818760000);
  EXPECT_EQ(e.kline.open, 29038.46);
  EXPECT_EQ(e.kline.high, 29040.47);
  EXPECT_EQ(e.kline.low, 29038.4);
  EXPECT_EQ(e.kline.close, 29038.47);
  EXPECT_EQ(e.kline.volume, 0.20926);
  EXPECT_EQ(e.kline.quote_volume, 6076.5891832);
  EXPECT_EQ(e.kline.taker_buy_volume, 0.10436);
  EXPECT_EQ(e.kline.taker_buy_quote_volume, 3030.4547292);
  EXPECT_EQ(e.kline.trades, 31);
  EXPECT_EQ(e.kline.source, candles::Source::stream);
  EXPECT_EQ(parser.event_json(), kClosed);
}

TEST(StreamEvent, EveryRecordedMessageIsWhatItsNameSays) {
  StreamEventParser parser;
  int klines = 0, tickers = 0, others = 0;
  for (const std::string& line : recorded()) {
    const EventKind kind = parser.parse(line);
    if (line.find("@kline_1m") != std::string::npos) {
      EXPECT_EQ(kind, EventKind::kline) << line << describe(parser.fault());
      EXPECT_NE(line.find(parser.event_json()), std::string::npos);
      EXPECT_EQ(parser.event_json().front(), '{');
      EXPECT_EQ(parser.event_json().back(), '}');
      ++klines;
    } else if (line.find("\"24hrTicker\"") != std::string::npos) {
      EXPECT_EQ(kind, EventKind::ticker) << line;
      ++tickers;
    } else {
      EXPECT_NE(kind, EventKind::kline) << line;
      ++others;
    }
  }
  EXPECT_GE(klines, 4);
  EXPECT_GE(tickers, 4);
  EXPECT_GE(others, 1);
}

TEST(StreamEvent, ATickerHasItsFields) {
  StreamEventParser parser;
  ASSERT_EQ(
      parser.parse(
          R"({"stream":"ethusdt@ticker","data":{"e":"24hrTicker","E":1653812650349,"s":"ETHUSDT","p":"28.23",)"
          R"("P":"1.600","w":"1781.16275609","x":"1764.61","c":"1792.84","Q":"0.5572","b":"1792.83",)"
          R"("B":"1.6274","a":"1792.84","A":"20.2914","o":"1764.61","h":"1808.98","l":"1748.94",)"
          R"("v":"471703.5311","q":"840180761.513581","O":1653726250344,"C":1653812650344,"F":841094172,)"
          R"("L":841646650,"n":552479}})"),
      EventKind::ticker);
  const TickerEvent& t = parser.ticker();
  EXPECT_EQ(t.symbol, "ETHUSDT");
  EXPECT_EQ(t.price, 1792.84);
  EXPECT_EQ(t.open, 1764.61);
  EXPECT_EQ(t.price_change, 28.23);
  EXPECT_EQ(t.price_change_percent, 1.6);
  EXPECT_EQ(t.quote_volume, 840180761.513581);
  EXPECT_EQ(t.trades, 552479);
  EXPECT_EQ(to_ms(t.close_time), 1653812650344);
}

// Found by fuzzing against strtod.
TEST(StreamEvent, NumbersOfAnyLengthBecomeTheNearestDouble) {
  StreamEventParser parser;
  Random random(5);
  for (int round = 0; round < 500; ++round) {
    std::string number = "0.6";
    for (std::uint64_t i = random.below(120); i > 0; --i) number += static_cast<char>('0' + random.below(10));
    ASSERT_EQ(parser.parse(with("6076.58918320", number)), EventKind::kline) << number;
    ASSERT_EQ(parser.kline().kline.quote_volume, std::strtod(number.c_str(), nullptr)) << number;
  }
}

TEST(StreamEvent, AnswersAndOtherEventsAreNoFaults) {
  StreamEventParser parser;
  EXPECT_EQ(parser.parse(R"({"result":null,"id":3})"), EventKind::answer);
  EXPECT_EQ(parser.parse(R"({"e":"serverShutdown","E":1})"), EventKind::other);
}

TEST(StreamEvent, FieldsMayStandInAnyOrderAndTimesInMicroseconds) {
  StreamEventParser parser;
  const std::string text =
      R"({"k":{"x":true,"Q":"1","V":"1","q":"2","n":1,"v":"2","l":"1","h":"3","c":2,"o":"2","i":"1m","s":"A","T":1653818819999000,"t":1653818760000000},"s":"A","E":1653818820012000,"e":"kline"})";
  ASSERT_EQ(parser.parse(text), EventKind::kline) << describe(parser.fault());
  EXPECT_EQ(parser.kline().kline.open_time, 1653818760000);
  EXPECT_EQ(parser.kline().kline.close, 2);
}

TEST(StreamEvent, WhatCannotBeACandleIsRefusedWithItsReason) {
  EXPECT_EQ(fault(""), EventFault::not_json);
  EXPECT_EQ(fault("hello"), EventFault::not_json);
  EXPECT_EQ(fault("[1,2]"), EventFault::wrong_shape);
  EXPECT_EQ(fault("{}"), EventFault::wrong_shape);
  EXPECT_EQ(fault("\xff\xfe{}"), EventFault::not_json);
  EXPECT_EQ(fault(std::string(1 << 20, 'x')), EventFault::too_large);
  EXPECT_EQ(fault(R"({"stream":"a","data":{"data":{"e":"kline"}}})"), EventFault::wrong_shape);
  EXPECT_EQ(fault(with(R"("n":31)", R"("n":"31")")), EventFault::wrong_shape);
  EXPECT_EQ(fault(with(R"("o":"29038.46000000")", R"("o":[1])")), EventFault::wrong_shape);
  EXPECT_EQ(fault(with("29038.46000000", std::string(400, '9'))), EventFault::bad_number);
  EXPECT_EQ(fault(with("29038.46000000", "NaN")), EventFault::bad_number);
  EXPECT_EQ(fault(with(R"("x":true)", R"("x":1)")), EventFault::wrong_shape);
  EXPECT_EQ(fault(with(R"("o":"29038.46000000",)", "")), EventFault::wrong_shape);
  EXPECT_EQ(fault(with("29038.46000000", "lots")), EventFault::bad_number);
  EXPECT_EQ(fault(with("29038.46000000", "1e999")), EventFault::bad_number);
  EXPECT_EQ(fault(with("29038.46000000", "-1")), EventFault::bad_number);
  EXPECT_EQ(fault(with("29040.47000000", "1")), EventFault::bad_number);
  EXPECT_EQ(fault(with("1653818760000", "1653818760001")), EventFault::bad_number);
  EXPECT_EQ(fault(with("0.20926000", "-0.2")), EventFault::bad_number);
  EXPECT_EQ(fault(with(R"("i":"1m")", R"("i":"1h")")), EventFault::other_interval);
  EXPECT_EQ(fault(with("BTCUSDT", "../../etc")), EventFault::bad_symbol);
  EXPECT_EQ(fault(with(R"("s":"BTCUSDT","i")", R"("s":"ETHUSDT","i")")), EventFault::bad_symbol);
  EXPECT_EQ(fault(with("1653818820012", "1653818790012")), EventFault::bad_time) << "closed before its end";
  EXPECT_EQ(fault(with("1653818820012", "1743818820012")), EventFault::bad_time);
}

TEST(StreamEvent, MangledMessagesNeverCrashAndNeverMakeAnImpossibleCandle) {
  Random random(7);
  StreamEventParser parser;
  const auto lines = recorded();
  for (int round = 0; round < 40'000; ++round) {
    std::string text = random.chance(0.5) ? std::string(kClosed) : lines[random.below(lines.size())];
    for (std::uint64_t n = 1 + random.below(4); n > 0; --n) {
      const std::size_t at = random.below(text.size());
      switch (random.below(4)) {
        case 0:
          text[at] = static_cast<char>(random.below(256));
          break;
        case 1:
          text.erase(at, random.below(20));
          break;
        case 2:
          text.insert(at, std::string(1 + random.below(3), "{}[],:\"0e-.\\"[random.below(12)]));
          break;
        default:
          text.resize(at + 1);
      }
      if (text.empty()) text = "x";
    }
    if (parser.parse(text) == EventKind::kline) {
      const auto& k = parser.kline().kline;
      ASSERT_LE(k.low, k.high);
      ASSERT_GT(k.low, 0);
      ASSERT_EQ(k.open_time % kMinuteMs, 0);
      ASSERT_FALSE(parser.kline().symbol.empty());
    }
  }
}

TEST(StreamEvent, AFetchedCandleAsAnEventParsesBackToItself) {
  Random random(8);
  StreamEventParser parser;
  for (int round = 0; round < 2000; ++round) {
    candles::Kline k;
    k.open_time = 1653818760000 + static_cast<std::int64_t>(random.below(1000)) * kMinuteMs;
    k.low = random.uniform() * 1e-6;
    k.high = k.low + random.uniform() * 1e5;
    k.open = k.high;
    k.close = k.low;
    k.volume = random.uniform() * 1e9;
    k.quote_volume = k.volume * k.close;
    k.taker_buy_volume = 0;
    k.taker_buy_quote_volume = 1 / 3.0;
    k.trades = static_cast<std::int64_t>(random.below(1u << 30));
    ASSERT_EQ(parser.parse(kline_event_json("BTCUSDT", k)), EventKind::kline);
    EXPECT_TRUE(candles::same_values(parser.kline().kline, k));
    EXPECT_TRUE(parser.kline().closed);
  }
}

}  // namespace
}  // namespace chandler::exchange
