// The exchange without a socket: request and instant in, answer out.
#include "sim/exchange.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

namespace chandler::sim {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Timestamp at(std::string_view text) {
  return *parse_instant(text);
}
Instant instant(std::string_view text) {
  return {at(text), at(text)};
}
constexpr std::string_view kNow = "2024-06-01T12:00:30Z";

std::shared_ptr<const Market> recorded() {
  static const auto market = [] {
    const std::vector<std::string> places{CHANDLER_SOURCE_DIR "/tests/data/binance"};
    return *Market::load(places);
  }();
  return market;
}

net::HttpRequest request(std::string_view target, std::string_view peer = "10.0.0.1") {
  net::HttpRequest r;
  r.method = "GET";
  r.peer = peer;
  EXPECT_TRUE(r.set_target(target)) << target;
  return r;
}

class SimExchange : public testing::Test {
 protected:
  std::string body(std::string_view target, std::string_view now = kNow) {
    return std::string(exchange_.answer(request(target), instant(now)).payload());
  }
  int status(std::string_view target) { return exchange_.answer(request(target), instant(kNow)).status; }

  Exchange exchange_{recorded(), {}};
};

TEST_F(SimExchange, KlinesAreTheArchivesRowsToTheLastDigit) {
  // Line 1 of tests/data/binance/BTCUSDT-1m-2023-03-24.csv in the order of the API.
  EXPECT_EQ(
      body("/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=1679616000000&limit=1"),
      R"([[1679616000000,"28295.42000000","28305.41000000","28292.24000000","28302.33000000","90.28077000",1679616059999,)"
      R"("2554807.39801410",1040,"55.72565000","1576802.32380560","0"]])");
}

TEST_F(SimExchange, TheLimitIs500UnlessAskedAnd1000AtMost) {
  const auto rows = [&](const std::string& more) {
    simdjson::dom::parser parser;
    return parser.parse(body("/api/v3/klines?symbol=BTCUSDT&interval=1m" + more)).get_array().value().size();
  };
  EXPECT_EQ(rows(""), 500U);
  EXPECT_EQ(rows("&limit=7"), 7U);
  EXPECT_EQ(rows("&limit=5000"), 1000U);
}

TEST_F(SimExchange, TheOpenCandleComesLastAndGrowsWithTheClock) {
  const std::string early = body("/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1", "2024-06-01T12:00:10Z");
  const std::string late = body("/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1", "2024-06-01T12:00:50Z");
  const std::string closed =
      body("/api/v3/klines?symbol=BTCUSDT&interval=1m&endTime=1717243200000&limit=1", "2024-06-01T12:01:00Z");
  EXPECT_THAT(early, StartsWith("[[1717243200000,"));
  EXPECT_THAT(late, StartsWith("[[1717243200000,"));
  EXPECT_NE(early, late);
  EXPECT_NE(late, closed);
  EXPECT_EQ(closed,
            body("/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=1717243200000&limit=1", "2024-06-02"));
}

TEST_F(SimExchange, RefusalsHaveTheExchangesCodesAndSentences) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"/api/v3/klines?symbol=NOPE&interval=1m", R"({"code":-1121,"msg":"Invalid symbol."})"},
      {"/api/v3/klines?interval=1m",
       R"({"code":-1102,"msg":"Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."})"},
      {"/api/v3/klines?symbol=BTCUSDT",
       R"({"code":-1102,"msg":"Mandatory parameter 'interval' was not sent, was empty/null, or malformed."})"},
      {"/api/v3/klines?symbol=&interval=1m", R"({"code":-1105,"msg":"Parameter 'symbol' was empty."})"},
      {"/api/v3/klines?symbol=BTCUSDT&interval=",
       R"({"code":-1105,"msg":"Parameter 'interval' was empty."})"},
      {"/api/v3/klines?symbol=NOPE&interval=1", R"({"code":-1121,"msg":"Invalid symbol."})"},
      {"/api/v3/ticker/24hr?type=full", R"({"code":-1139,"msg":"Invalid ticker type."})"},
      {"/api/v3/ticker/24hr?symbolStatus=ON", R"({"code":-1122,"msg":"Invalid symbolStatus."})"},
      {"/api/v3/ticker/24hr?symbol=BTCUSDT&symbolStatus=HALT",
       R"({"code":-1220,"msg":"The symbol's status does not match the requested symbolStatus."})"},
      {"/api/v3/exchangeInfo?permissions=%5B%22SPOT%22",
       R"({"code":-1130,"msg":"Data sent for parameter 'permissions' is not valid."})"},
      {"/api/v3/klines?symbol=btcusdt&interval=1m",
       R"({"code":-1100,"msg":"Illegal characters found in parameter 'symbol'; legal range is '^[A-Z0-9-_.]{1,20}$'."})"},
      {"/api/v3/klines?symbol=BTCUSDT&interval=7m", R"({"code":-1120,"msg":"Invalid interval."})"},
      {"/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=None",
       R"({"code":-1100,"msg":"Illegal characters found in parameter 'startTime'; legal range is '^[0-9]{1,20}$'."})"},
      {"/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=-5",
       R"({"code":-1100,"msg":"Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'."})"},
      {"/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=0",
       R"({"code":-1130,"msg":"Data sent for parameter 'limit' is not valid."})"},
      {"/api/v3/klines?symbol=BTCUSDT&interval=1m&start_time=5",
       R"({"code":-1104,"msg":"Not all sent parameters were read; read '2' parameter(s) but was sent '3'."})"},
      {"/api/v3/klines?symbol=BTCUSDT&symbol=BTCUSDT&interval=1m",
       R"({"code":-1101,"msg":"Duplicate values for a parameter detected."})"},
      {"/api/v3/time?x=1", R"({"code":-1101,"msg":"Too many parameters; expected '0' and received '1'."})"},
      {"/api/v3/exchangeInfo?symbol=NOPE", R"({"code":-1121,"msg":"Invalid symbol."})"},
      {"/api/v3/exchangeInfo?symbol=BTCUSDT&symbols=[%22BTCUSDT%22]",
       R"({"code":-1128,"msg":"Combination of optional parameters invalid."})"},
      {"/api/v3/ticker/24hr?symbol=NOPE", R"({"code":-1121,"msg":"Invalid symbol."})"},
  };
  for (const auto& [target, wanted] : cases) {
    const auto answer = exchange_.answer(request(target), instant(kNow));
    EXPECT_EQ(answer.status, 400) << target;
    EXPECT_EQ(answer.payload(), wanted) << target;
  }
  EXPECT_EQ(status("/api/v3/nothing"), 404);
  net::HttpRequest post = request("/api/v3/ping");
  post.method = "POST";
  EXPECT_EQ(exchange_.answer(post, instant(kNow)).status, 405);
}

TEST_F(SimExchange, ASymbolIsUnknownBeforeItsFirstCandle) {
  const std::string target = "/api/v3/klines?symbol=BTCUSDT&interval=1m";
  EXPECT_EQ(exchange_.answer(request(target), instant("2023-03-23T23:59:59Z")).status, 400);
  EXPECT_EQ(exchange_.answer(request(target), instant("2023-03-24T00:00:00Z")).status, 200);
  EXPECT_THAT(body("/api/v3/exchangeInfo", "2023-03-23"), HasSubstr(R"("symbols":[])"));
  EXPECT_THAT(body("/api/v3/exchangeInfo?symbol=BTCUSDT"),
              HasSubstr(R"("status":"TRADING","baseAsset":"BTC")"));
  EXPECT_THAT(body("/api/v3/exchangeInfo?symbol=BTCUSDT", "2025-01-01"), HasSubstr(R"("status":"BREAK")"));
}

TEST_F(SimExchange, TheTickerHasTheFieldsOfRecordedAnswers) {
  const std::string answer = body("/api/v3/ticker/24hr?symbol=BTCUSDT");
  simdjson::dom::parser parser;
  const auto ticker = parser.parse(answer).get_object().value();
  std::vector<std::string> names;
  for (const auto field : ticker) names.emplace_back(field.key);
  // As in Binance's answer of 2019 (mwlang's recording) and its documentation.
  EXPECT_THAT(names,
              testing::ElementsAre("symbol", "priceChange", "priceChangePercent", "weightedAvgPrice",
                                   "prevClosePrice", "lastPrice", "lastQty", "bidPrice", "bidQty", "askPrice",
                                   "askQty", "openPrice", "highPrice", "lowPrice", "volume", "quoteVolume",
                                   "openTime", "closeTime", "firstId", "lastId", "count"));
  EXPECT_THAT(body("/api/v3/ticker/24hr"), StartsWith("[{"));
  EXPECT_THAT(body("/api/v3/ticker/24hr?symbols=[%22BTCUSDT%22]&type=MINI"),
              testing::Not(HasSubstr("priceChange")));
}

TEST_F(SimExchange, WeightsAddUpPerClientAndMinute) {
  const auto used = [&](std::string_view target, std::string_view peer, std::string_view now) {
    const auto answer = exchange_.answer(request(target, peer), instant(now));
    const auto from = answer.headers.find("x-mbx-used-weight-1m: ");
    return std::stoi(answer.headers.substr(from + 22));
  };
  EXPECT_EQ(used("/api/v3/klines?symbol=BTCUSDT&interval=1m", "a", "2024-06-01T12:00:00Z"), 2);
  EXPECT_EQ(used("/api/v3/exchangeInfo", "a", "2024-06-01T12:00:59Z"), 22);
  EXPECT_EQ(used("/api/v3/ticker/24hr", "b", "2024-06-01T12:00:59Z"), 80);
  EXPECT_EQ(used("/api/v3/ticker/24hr?symbol=BTCUSDT", "a", "2024-06-01T12:00:59Z"), 24);
  EXPECT_EQ(used("/api/v3/ping", "a", "2024-06-01T12:01:00Z"), 1) << "a new minute";
  EXPECT_EQ(exchange_.statistics().weight, 2 + 20 + 80 + 2 + 1);
  EXPECT_EQ(exchange_.statistics().max_weight_per_minute, 80);
}

TEST(SimLimits, OverTheLimitComes429ThenBansThatDouble) {
  ExchangeOptions options;
  options.limits.weight_per_minute = 10;
  options.limits.patience = 3;
  options.limits.grace = Millis{100};
  Exchange exchange(recorded(), options);
  const Timestamp start = at("2024-06-01T12:00:30Z");
  const auto ask = [&](Millis later) {
    return exchange.answer(request("/api/v3/ping"), {start, start + later});
  };
  for (int i = 0; i < 10; ++i) ASSERT_EQ(ask(Millis{i}).status, 200);
  const auto told = ask(Millis{10});
  EXPECT_EQ(told.status, 429);
  EXPECT_THAT(told.headers, HasSubstr("Retry-After: 30\r\n"));
  EXPECT_THAT(std::string(told.payload()),
              StartsWith(R"({"code":-1003,"msg":"Too much request weight used; current limit is 10 )"));
  EXPECT_EQ(ask(Millis{60}).status, 429);
  EXPECT_EQ(exchange.statistics().requests_while_told_to_wait, 0) << "it may have been on its way";
  EXPECT_EQ(ask(Millis{1000}).status, 429);
  EXPECT_EQ(ask(Millis{2000}).status, 429);
  EXPECT_EQ(exchange.statistics().requests_while_told_to_wait, 2);
  const auto banned = ask(Millis{3000});
  EXPECT_EQ(banned.status, 418);
  EXPECT_THAT(banned.headers, HasSubstr("Retry-After: 120\r\n"));
  EXPECT_THAT(std::string(banned.payload()),
              HasSubstr("IP banned until " + std::to_string(to_ms(start) + 123'000)));
  EXPECT_EQ(ask(Millis{100'000}).status, 418);
  EXPECT_EQ(ask(Millis{123'000}).status, 200) << "it is over at its end";
  EXPECT_EQ(exchange.statistics().bans, 1);
  for (int i = 0; i < 10; ++i) ask(Millis{150'000 + i});
  for (int i = 0; i < 4; ++i) ask(Millis{160'000 + 1000 * i});
  EXPECT_EQ(exchange.statistics().bans, 2);
  EXPECT_EQ(ask(Millis{160'000 + 200'000}).status, 418) << "the second ban is longer than two minutes";
}

TEST(SimLimits, ARequestOnTheConnectionThatBroughtTheOrderIsCertainlyNotOnItsWay) {
  ExchangeOptions options;
  options.limits.weight_per_minute = 2;
  Exchange exchange(recorded(), options);
  const Timestamp start = at("2024-06-01T12:00:30Z");
  const auto ask = [&](std::uint64_t connection, Millis later) {
    auto ping = request("/api/v3/ping");
    ping.connection = connection;
    return exchange.answer(ping, {start, start + later}).status;
  };
  const auto certain = [&] { return exchange.statistics().requests_after_the_order; };
  const auto all = [&] { return exchange.statistics().requests_while_told_to_wait; };
  EXPECT_EQ(ask(1, Millis{0}), 200);
  EXPECT_EQ(ask(2, Millis{1}), 200);
  EXPECT_EQ(ask(1, Millis{2}), 429);
  EXPECT_EQ(ask(2, Millis{3}), 429);
  EXPECT_EQ(all(), 0) << "the second connection's may have left before the first one's answer came";
  EXPECT_EQ(ask(2, Millis{4}), 429);
  EXPECT_EQ(all(), 1) << "but its client has had an answer of its own since";
  EXPECT_EQ(certain(), 1);
  EXPECT_EQ(ask(3, Millis{1000}), 429);
  EXPECT_EQ(all(), 2) << "a second is not on the way";
  EXPECT_EQ(certain(), 1) << "though nobody knows";
  EXPECT_EQ(ask(1, Millis{30'003}), 429);
  EXPECT_EQ(certain(), 1) << "the order that it brought is over; the second one's is not";
  EXPECT_EQ(all(), 3);
  EXPECT_EQ(ask(1, Millis{91'000}), 200);
  EXPECT_EQ(ask(1, Millis{91'001}), 200);
  EXPECT_EQ(ask(1, Millis{91'002}), 429);
  EXPECT_EQ(ask(2, Millis{91'003}), 429);
  EXPECT_EQ(all(), 3) << "another order, which the second connection has not brought yet";
}

TEST(SimLimits, AClientThatWaitsIsServedAgain) {
  ExchangeOptions options;
  options.limits.weight_per_minute = 2;
  Exchange exchange(recorded(), options);
  const auto ask = [&](std::string_view now) {
    return exchange.answer(request("/api/v3/ping"), instant(now)).status;
  };
  EXPECT_EQ(ask("2024-06-01T12:00:00Z"), 200);
  EXPECT_EQ(ask("2024-06-01T12:00:01Z"), 200);
  EXPECT_EQ(ask("2024-06-01T12:00:02Z"), 429);
  EXPECT_EQ(ask("2024-06-01T12:01:00Z"), 200);
  EXPECT_EQ(exchange.statistics().requests_while_told_to_wait, 0);
}

class SimFaults : public testing::Test {
 protected:
  // A line per request: status, delivery, body.
  static std::vector<std::string> run(std::uint64_t seed, bool backwards = false) {
    ExchangeOptions options;
    options.faults = {0.5, seed, 1};
    options.limits.weight_per_minute = 1'000'000;
    Exchange exchange(recorded(), options);
    std::vector<std::string> lines(300);
    for (int i = 0; i < 300; ++i) {
      const int page = backwards ? 299 - i : i;
      // Hours apart, so that a wait is over when the next comes.
      const Timestamp t = at("2024-06-01T00:00Z") + std::chrono::hours(i);
      const auto answer =
          exchange.answer(request("/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=3&startTime=" +
                                  std::to_string(1717200000000 + page)),
                          {at(kNow), t});
      lines[static_cast<std::size_t>(page)] =
          std::to_string(answer.status) + " " + std::to_string(static_cast<int>(answer.delivery)) + " " +
          std::to_string(answer.truncate_after) + " " + std::string(answer.payload());
    }
    return lines;
  }
};

TEST_F(SimFaults, OneSeedReplaysAndAnotherDoesNot) {
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

TEST_F(SimFaults, TheOrderOfRequestsDoesNotMatter) {
  EXPECT_EQ(run(3), run(3, true));
}

TEST_F(SimFaults, EveryKindHappensAtAboutTheRateAndIsCounted) {
  ExchangeOptions options;
  options.faults = {0.3, 5, 1};
  options.limits.weight_per_minute = 100'000'000;
  Exchange exchange(recorded(), options);
  constexpr int kRequests = 4000;
  int broken = 0;
  for (int i = 0; i < kRequests; ++i) {
    const Timestamp wall = at("2024-06-01") + std::chrono::hours(i);
    const auto answer = exchange.answer(request("/api/v3/time"), {at(kNow), wall});
    const bool as_it_should_be = answer.status == 200 && answer.delivery == net::Delivery::whole &&
                                 answer.payload() == R"({"serverTime":1717243230000})";
    if (!as_it_should_be) ++broken;
    if (answer.status == 429 || answer.status == 418) {
      EXPECT_THAT(answer.headers, HasSubstr("Retry-After: "));
    }
  }
  const Statistics statistics = exchange.statistics();
  EXPECT_EQ(statistics.fault_count(), broken);
  EXPECT_NEAR(broken, kRequests * 0.3, 4 * std::sqrt(kRequests * 0.3 * 0.7)) << "four standard deviations";
  for (std::size_t i = 0; i < kFaultKinds; ++i)
    EXPECT_GT(statistics.faults[i], 0) << name(static_cast<Fault>(i));
}

TEST_F(SimFaults, AFaultThatTellsToWaitIsRemembered) {
  ExchangeOptions options;
  options.faults = {1.0, 0, 60};
  options.limits.grace = Millis{100};
  Exchange exchange(recorded(), options);
  Timestamp wall = at("2024-06-01");
  std::int64_t told = 0;
  while ((told = exchange.statistics().told_to_wait) == 0) {
    exchange.answer(request("/api/v3/ping"), {wall, wall});
    wall += Millis{1};
  }
  exchange.answer(request("/api/v3/ping"), {wall, wall + std::chrono::seconds(10)});
  EXPECT_EQ(exchange.statistics().requests_while_told_to_wait, 1);
}

TEST(SimStatistics, AreJson) {
  Exchange exchange(recorded(), {});
  exchange.answer(request("/api/v3/ping"), instant(kNow));
  exchange.answer(request("/%22%5C"), instant(kNow));
  simdjson::dom::parser parser;
  const auto json = parser.parse(exchange.statistics().to_json());
  EXPECT_EQ(json["requests"].get_int64().value(), 2);
  EXPECT_EQ(json["paths"]["/api/v3/ping"].get_int64().value(), 1);
  EXPECT_EQ(json["statuses"]["404"].get_int64().value(), 1);
  EXPECT_EQ(json["faults"]["hang"].get_int64().value(), 0);
  exchange.reset_statistics();
  EXPECT_EQ(exchange.statistics().requests, 0);
}

}  // namespace
}  // namespace chandler::sim
