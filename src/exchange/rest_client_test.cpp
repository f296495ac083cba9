#include "exchange/rest_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "exchange/scripted_exchange.hpp"

namespace chandler::exchange {
namespace {

using namespace std::chrono_literals;
using candles::Interval;
using testing::failure;
using ::testing::HasSubstr;
using testing::kline_json;
using testing::minutes_for;
using testing::recorded;
using testing::reply;
using testing::ScriptedExchange;
using Kind = http::Failure::Kind;

const Timestamp kStart = from_ms(1'700'000'040'000);
const TimeRange kHour{kStart, kStart + 60 * kMinute};

struct Rig {
  ManualClock clock{kStart};
  ScriptedExchange exchange{clock, [](const http::Request& r) { return minutes_for(r); }};
  WeightBudget budget{clock};
  RestClient client{{.base_url = "http://exchange.test/", .retry = {}}, exchange, budget, clock, Random(1)};

  Result<KlinePage> hour(const Call& call = {}) {
    return client.klines("BTCUSDT", Interval::m1, kHour, 1000, call);
  }
};

TEST(RestClient, AsksForAHalfOpenRangeAndGetsIt) {
  Rig rig;
  const auto page = rig.hour();
  ASSERT_TRUE(page) << to_text(page.error());
  EXPECT_EQ(page->rows.size(), 60u);
  ASSERT_EQ(rig.exchange.sent.size(), 1u);
  EXPECT_EQ(rig.exchange.sent[0].url,
            "http://exchange.test/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=1700000040000"
            "&endTime=1700003639999&limit=1000");
  EXPECT_EQ(rig.budget.used(), 2);
}

TEST(RestClient, AnEmptyRangeAsksNothing) {
  Rig rig;
  EXPECT_TRUE(rig.client.klines("BTCUSDT", Interval::m1, {kStart, kStart}));
  EXPECT_TRUE(rig.exchange.sent.empty());
}

TEST(RestClient, SymbolsAreEncoded) {
  Rig rig;
  (void)rig.client.klines("币&limit=5", Interval::m1, kHour);
  EXPECT_THAT(rig.exchange.sent[0].url, HasSubstr("symbol=%E5%B8%81%26limit%3D5&"));
}

TEST(RestClient, EveryPassingFailureIsTriedAgain) {
  const std::string whole =
      minutes_for({.url = "?startTime=1700000040000&endTime=1700003639999&limit=1000"}).body;
  const std::vector<ScriptedExchange::Answer> failures = {
      reply(500, "Internal Server Error"),
      reply(502, "<html><head><title>502 Bad Gateway</title></head></html>"),
      reply(503, R"({"code":-1008,"msg":"Server is currently overloaded."})"),
      reply(403, "<html>Request blocked</html>"),
      reply(400, R"({"code":-1001,"msg":"Internal error; unable to process your request."})"),
      reply(400, "garbage"),
      reply(301, "", {{"location", "https://elsewhere.test"}}),
      reply(200, "<html>maintenance</html>"),
      reply(200, ""),
      reply(200, whole.substr(0, whole.size() / 2)),
      reply(200, "{}"),
      failure(Kind::timeout),
      failure(Kind::broken),
      failure(Kind::unreachable),
      failure(Kind::too_large),
  };
  for (std::size_t i = 0; i < failures.size(); ++i) {
    Rig rig;
    rig.exchange.then(failures[i]);
    const auto page = rig.hour();
    ASSERT_TRUE(page) << i << ": " << to_text(page.error());
    EXPECT_EQ(page->rows.size(), 60u);
    EXPECT_EQ(rig.exchange.sent.size(), 2u) << i;
    EXPECT_EQ(rig.client.counters().retries, 1) << i;
  }
}

TEST(RestClient, AnEndlessFailureEndsWithAnErrorThatNamesUrlAndRange) {
  for (const auto& answer :
       std::vector<ScriptedExchange::Answer>{reply(500, ""), reply(200, "<html>"), failure(Kind::unreachable),
                                             reply(429, "", {{"retry-after", "3"}})}) {
    Rig rig;
    ScriptedExchange exchange(rig.clock, [&](const http::Request&) { return answer; });
    RestClient client({.base_url = "http://exchange.test", .retry = {}}, exchange, rig.budget, rig.clock,
                      Random(1));
    const auto page = client.klines("BTCUSDT", Interval::m1, kHour);
    ASSERT_FALSE(page);
    EXPECT_EQ(exchange.sent.size(), 10u);
    EXPECT_EQ(exchange.sent_while_told_to_wait, 0);
    EXPECT_THAT(page.error().where, HasSubstr("http://exchange.test/api/v3/klines?symbol=BTCUSDT"));
    EXPECT_THAT(page.error().where, HasSubstr("BTCUSDT 1m, 2023-11-14 22:14 … 2023-11-14 23:14"));
    EXPECT_FALSE(page.error().remedy.empty());
    EXPECT_EQ(page.error().code,
              answer && answer->status == 200 ? ErrorCode::invalid_data : ErrorCode::unreachable);
  }
}

TEST(RestClient, WaitsBetweenAttemptsGrowAndStayBounded) {
  Rig rig;
  for (int i = 0; i < 9; ++i) rig.exchange.then(reply(500, ""));
  ASSERT_TRUE(rig.hour());
  ASSERT_EQ(rig.exchange.sent.size(), 10u);
  std::chrono::nanoseconds most = 250ms;
  for (std::size_t i = 1; i < rig.exchange.sent.size(); ++i) {
    EXPECT_LE(rig.exchange.sent[i].at - rig.exchange.sent[i - 1].at, most) << i;
    most = std::min<std::chrono::nanoseconds>(most * 2, 5s);
  }
}

TEST(RestClient, TheDeadlineOfTheJobEndsTheAttempts) {
  Rig rig;
  ScriptedExchange exchange(rig.clock, [&](const http::Request& r) {
    rig.clock.advance(r.timeout);
    return ScriptedExchange::Answer(failure(Kind::timeout));
  });
  RestClient client({.base_url = "http://exchange.test", .retry = {}}, exchange, rig.budget, rig.clock,
                    Random(1));
  const auto page = client.klines("BTCUSDT", Interval::m1, kHour, 1000, {.deadline = 25s});
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, ErrorCode::unreachable);
  EXPECT_LE(rig.clock.steady(), 25s);
  EXPECT_LE(exchange.sent.size(), 4u);
}

TEST(RestClient, AStopRequestEndsTheAttempts) {
  Rig rig;
  std::stop_source stop;
  ScriptedExchange exchange(rig.clock, [&](const http::Request&) {
    stop.request_stop();
    return ScriptedExchange::Answer(reply(500, ""));
  });
  RestClient client({.base_url = "http://exchange.test", .retry = {}}, exchange, rig.budget, rig.clock,
                    Random(1));
  const auto page = client.klines("BTCUSDT", Interval::m1, kHour, 1000, {.stop = stop.get_token()});
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, ErrorCode::interrupted);
  EXPECT_EQ(exchange.sent.size(), 1u);
}

TEST(RestClient, ASymbolThatDoesNotExistIsNotFoundAtOnce) {
  Rig rig;
  rig.exchange.then(reply(400, recorded("error_invalid_symbol.json")));
  const auto page = rig.hour();
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, ErrorCode::not_found);
  EXPECT_THAT(page.error().what, HasSubstr("BTCUSDT"));
  EXPECT_EQ(rig.exchange.sent.size(), 1u);
}

TEST(RestClient, ARefusalThatWillNotPassIsNotTriedAgain) {
  for (const auto& [answer, code] : std::vector<std::pair<ScriptedExchange::Answer, ErrorCode>>{
           {reply(400, R"({"code":-1120,"msg":"Invalid interval."})"), ErrorCode::usage},
           {reply(404, "<html>nginx</html>"), ErrorCode::unreachable},
           {reply(451, ""), ErrorCode::unreachable},
           {failure(Kind::refused), ErrorCode::unreachable}}) {
    Rig rig;
    rig.exchange.then(answer);
    const auto page = rig.hour();
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().code, code);
    EXPECT_EQ(rig.exchange.sent.size(), 1u);
  }
}

TEST(RestClient, APageIsAcceptedOnlyIfItsRowsAreWhatWasAskedFor) {
  const std::int64_t t = to_ms(kStart);
  const std::vector<std::string> wrong = {
      "[" + kline_json(t - kMinuteMs) + "]",                        // before
      "[" + kline_json(t + 60 * kMinuteMs) + "]",                   // at the exclusive end
      "[" + kline_json(t + kMinuteMs) + "," + kline_json(t) + "]",  // order
      "[" + kline_json(t) + "," + kline_json(t) + "]",              // twice
  };
  for (const std::string& body : wrong) {
    Rig rig;
    rig.exchange.then(reply(200, body));
    const auto page = rig.hour();
    ASSERT_TRUE(page);
    EXPECT_EQ(page->rows.size(), 60u);
    EXPECT_EQ(rig.exchange.sent.size(), 2u) << body;
  }
  Rig rig;  // more rows than the limit
  rig.exchange.then(reply(200, "[" + kline_json(t) + "," + kline_json(t + kMinuteMs) + "]"));
  const auto page = rig.client.klines("BTCUSDT", Interval::m1, kHour, 1);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->rows.size(), 1u);
  EXPECT_EQ(rig.exchange.sent.size(), 2u);
}

TEST(RestClient, AnEmptyPageIsAnAnswer) {
  Rig rig;
  rig.exchange.then(reply(200, "[]"));
  const auto page = rig.hour();
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->rows.empty());
  EXPECT_EQ(rig.exchange.sent.size(), 1u);
}

TEST(RestClient, RetryAfterIsObeyedToTheSecond) {
  for (const int status : {429, 418}) {
    Rig rig;
    rig.exchange.then(reply(status, R"({"code":-1003,"msg":"Too many requests"})", {{"retry-after", "37"}}));
    ASSERT_TRUE(rig.hour());
    ASSERT_EQ(rig.exchange.sent.size(), 2u);
    EXPECT_GE(rig.exchange.sent[1].at, 37s);
    EXPECT_LE(rig.exchange.sent[1].at, 38s);
    EXPECT_EQ(rig.exchange.sent_while_told_to_wait, 0);
    EXPECT_EQ(rig.client.counters().told_to_wait, 1);
  }
}

TEST(RestClient, WithoutRetryAfterAMinuteOrTheShortestBanIsWaited) {
  for (const auto& [status, wait] : {std::pair{429, 60s}, std::pair{418, 120s}}) {
    Rig rig;
    rig.exchange.then(reply(status, ""));
    ASSERT_TRUE(rig.hour());
    EXPECT_GE(rig.exchange.sent[1].at, wait);
  }
}

TEST(RestClient, RetryAfterMayBeADate) {
  Rig rig;
  rig.exchange.then(
      reply(503, "",
            {{"date", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"}}));
  ASSERT_TRUE(rig.hour());
  EXPECT_GE(rig.exchange.sent[1].at, 30s);
  EXPECT_LE(rig.exchange.sent[1].at, 31s);
}

TEST(RestClient, ABanLongerThanTheJobsDeadlineEndsItAtOnce) {
  Rig rig;
  rig.exchange.then(reply(418, "", {{"retry-after", "259200"}}));
  const auto page = rig.hour({.deadline = 3600s});
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, ErrorCode::unreachable);
  EXPECT_LE(rig.clock.steady(), 10s);
  EXPECT_THAT(page.error().where, HasSubstr("BTCUSDT 1m"));
}

// The order to wait arrives (on another thread) after this request was let through and before it left.
TEST(RestClient, ARequestThatWasLetThroughLooksAgainBeforeItLeaves) {
  Rig rig;
  bool once = true;
  rig.exchange.before_send = [&] {
    if (std::exchange(once, false)) rig.budget.told_to_wait(20s);
  };
  ASSERT_TRUE(rig.hour());
  ASSERT_EQ(rig.exchange.sent.size(), 1u);
  EXPECT_GE(rig.exchange.sent[0].at, 20s);
}

TEST(RestClient, UsedWeightOfTheHeaderCounts) {
  Rig rig;
  rig.exchange.then([](const http::Request& r) {
    http::Reply page = minutes_for(r);
    page.headers = {{"x-mbx-used-weight-1m", "1190"}};
    return page;
  });
  ASSERT_TRUE(rig.hour());
  ASSERT_TRUE(rig.hour());
  EXPECT_GE(rig.exchange.sent[1].at, 60s);
}

TEST(RestClient, ExchangeInfoSetsTheLimit) {
  Rig rig;
  rig.exchange.then(reply(200, recorded("exchange_info_2025.json")));
  ASSERT_TRUE(rig.client.exchange_info());
  EXPECT_EQ(rig.budget.limit(), 6000);
  EXPECT_EQ(rig.budget.used(), 20);
}

TEST(RestClient, ServerTimeSetsTheExchangesClockWhichNeverRunsAhead) {
  Rig rig;
  EXPECT_FALSE(rig.client.exchange_clock().now());
  rig.exchange.then([&](const http::Request&) {
    auto r = reply(200, R"({"serverTime":1700000100000})");
    rig.clock.advance(400ms);  // the way back
    return r;
  });
  ASSERT_EQ(*rig.client.server_time(), from_ms(1700000100000));
  EXPECT_EQ(*rig.client.exchange_clock().now(), from_ms(1700000100000));
  rig.clock.advance(2s);
  EXPECT_EQ(*rig.client.exchange_clock().now(), from_ms(1700000102000));
}

TEST(RestClient, TheFirstKlineIsFoundWithOneRowAndNoEnd) {
  Rig rig;
  const auto first = rig.client.first_kline_at_or_after("BTCUSDT", Interval::m1, kStart - Millis{1});
  ASSERT_TRUE(first && *first);
  EXPECT_EQ(**first, kStart);
  EXPECT_THAT(rig.exchange.sent[0].url, HasSubstr("startTime=1700000039999&limit=1"));
  rig.exchange.then(reply(200, "[]"));
  const auto none = rig.client.first_kline_at_or_after("BTCUSDT", Interval::m1, kStart);
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
}

TEST(RestClient, StormsOf429AcrossThreadsNeverMakeARequestLeaveWhileToldToWait) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    ManualClock clock(kStart);
    Random faults(seed);
    ScriptedExchange exchange(clock, [&](const http::Request& r) -> ScriptedExchange::Answer {
      clock.advance(std::chrono::milliseconds(faults.below(200)));
      if (faults.chance(0.15))
        return reply(faults.chance(0.5) ? 429 : 418, "", {{"retry-after", std::to_string(faults.below(90))}});
      if (faults.chance(0.1)) return reply(502, "<html>");
      if (faults.chance(0.1)) return failure(Kind::broken);
      return minutes_for(r);
    });
    WeightBudget budget(clock, {.limit = 40, .reserve = 0});
    RestClient client({.base_url = "http://exchange.test", .retry = {}}, exchange, budget, clock,
                      Random(seed));
    std::atomic<int> whole{0};
    {
      std::vector<std::jthread> threads;
      for (int t = 0; t < 6; ++t) {
        threads.emplace_back([&, t] {
          for (int i = 0; i < 25; ++i) {
            const Timestamp begin = kStart + (t * 25 + i) * 10 * kMinute;
            const auto page = client.klines("BTCUSDT", Interval::m1, {begin, begin + 10 * kMinute});
            whole += page && page->rows.size() == 10;
          }
        });
      }
    }
    EXPECT_EQ(whole, 150) << "seed " << seed;
    EXPECT_EQ(exchange.sent_while_told_to_wait, 0) << "seed " << seed;
    std::map<std::int64_t, int> minutes;
    for (const auto& s : exchange.sent) minutes[s.at / std::chrono::nanoseconds(60s)] += 2;
    for (const auto& [minute, weight] : minutes) EXPECT_LE(weight, 40) << "seed " << seed;
  }
}

}  // namespace
}  // namespace chandler::exchange
