// The feed against an exchange on loopback whose streams break and lose messages at will, and whose REST side
// knows every minute.
#include "speed/market_feed.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "lake/test_lake.hpp"
#include "net/http_server.hpp"

namespace chandler::speed {
namespace {

using candles::testing::random_kline;
using lake::testing::check;
using lake::testing::TemporaryLake;
using lake::testing::value;

constexpr std::int64_t kStart = 1'700'000'000'000 / kDayMs * kDayMs;

candles::Kline minute_of(const std::string& symbol, std::int64_t open_time) {
  Random random(static_cast<std::uint64_t>(open_time / kMinuteMs) * 31 +
                static_cast<std::uint64_t>(symbol[0]));
  return random_kline(random, open_time, candles::Source::stream);
}

// Streams what it is told to; answers subscriptions.
class StreamServer {
 public:
  StreamServer() {
    server_ =
        value(net::HttpServer::start({}, [this](const net::HttpRequest& request, net::Responder responder) {
          if (!net::wants_web_socket(request) || request.path != "/stream") {
            return responder.send(net::HttpResponse::text(404, "text/plain", ""));
          }
          net::WebSocketEvents events;
          events.on_open = [this](const net::WebSocketPtr& session) {
            const std::lock_guard lock(mutex_);
            sessions_.push_back(session);
            ++opened_;
          };
          events.on_message = [this](const net::WebSocketPtr& session, std::string_view text) {
            const auto id = text.substr(text.rfind(':') + 1);
            {
              const std::lock_guard lock(mutex_);
              requests_.emplace_back(text);
            }
            session->send(R"({"result":null,"id":)" + std::string(id.substr(0, id.size() - 1)) + "}");
          };
          responder.upgrade(std::move(events));
        }));
  }
  std::string url() const { return "ws://127.0.0.1:" + std::to_string(server_->port()); }
  void tell(const std::string& symbol, std::int64_t open_time) {
    const auto json = exchange::kline_event_json(symbol, minute_of(symbol, open_time));
    const std::lock_guard lock(mutex_);
    for (auto& s : sessions_)
      s->send(R"({"stream":")" + exchange::stream_name(symbol, "kline_1m") + R"(","data":)" + json + "}");
  }
  void tell_text(const std::string& text) {
    const std::lock_guard lock(mutex_);
    for (auto& s : sessions_) s->send(text);
  }
  void drop_all() {
    const std::lock_guard lock(mutex_);
    for (auto& s : sessions_) s->drop();
    sessions_.clear();
  }
  int opened() {
    const std::lock_guard lock(mutex_);
    return opened_;
  }
  int alive() {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(std::ranges::count_if(sessions_, [](const auto& s) { return s->is_open(); }));
  }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  std::mutex mutex_;
  std::vector<net::WebSocketPtr> sessions_;
  std::vector<std::string> requests_;
  int opened_ = 0;
  std::unique_ptr<net::HttpServer> server_;  // last: stops first
};

// REST: the time, and every minute up to it.
class RestExchange final : public http::Transport {
 public:
  std::atomic<std::int64_t> now{kStart};
  std::atomic<int> asked{0};
  std::expected<http::Reply, http::Failure> send(const http::Request& request) override {
    http::Reply reply;
    reply.status = 200;
    if (request.may_send && !request.may_send()) {
      return std::unexpected(http::Failure{http::Failure::Kind::held_back, "held back"});
    }
    if (request.url.find("/time") != std::string::npos) {
      reply.body = "{\"serverTime\":" + std::to_string(now.load()) + "}";
    } else {
      ++asked;
      reply.body = klines(request.url);
    }
    if (request.on_head) request.on_head(reply);
    return reply;
  }

 private:
  static std::int64_t number(const std::string& url, const std::string& key, std::int64_t otherwise) {
    const auto at = url.find(key + "=");
    return at == std::string::npos ? otherwise : std::stoll(url.substr(at + key.size() + 1));
  }
  std::string klines(const std::string& url) const {
    const auto at = url.find("symbol=") + 7;
    const std::string symbol = url.substr(at, url.find('&', at) - at);
    const std::int64_t from = number(url, "startTime", 0), to = number(url, "endTime", now),
                       limit = number(url, "limit", 500);
    std::string body = "[";
    std::int64_t rows = 0;
    for (std::int64_t t = (from + kMinuteMs - 1) / kMinuteMs * kMinuteMs; t <= to && t <= now && rows < limit;
         t += kMinuteMs, ++rows) {
      const auto k = minute_of(symbol, t);
      body += fmt::format(R"({}[{},"{}","{}","{}","{}","{}",{},"{}",{},"{}","{}","0"])", rows > 0 ? "," : "",
                          t, k.open, k.high, k.low, k.close, k.volume, t + kMinuteMs - 1, k.quote_volume,
                          k.trades, k.taker_buy_volume, k.taker_buy_quote_volume);
    }
    return body + "]";
  }
};

class FeedTest : public ::testing::Test {
 protected:
  std::unique_ptr<MarketFeed> start(std::vector<std::string> symbols) {
    FeedOptions options;
    options.symbols = std::move(symbols);
    options.stream.base_url = server.url();
    options.stream.retry.base = std::chrono::milliseconds{20};
    options.stream.retry.cap = std::chrono::milliseconds{100};
    options.stream.lifetime = lifetime;
    options.stream.overlap = std::chrono::milliseconds{100};
    return value(MarketFeed::start(options, lake.storage(), client, clock, figures, {}));
  }
  void advance(const std::string& symbol, int minute, bool tell) {
    rest.now = kStart + (minute + 1) * kMinuteMs + 500;
    if (tell) server.tell(symbol, kStart + minute * kMinuteMs);
  }
  // Takes until so many different closed minutes have come.
  bool collect(MarketFeed& feed, std::size_t count) {
    for (int i = 0; i < 300 && seen.size() < count; ++i) {
      std::vector<FeedEvent> events;
      feed.take(events, std::chrono::milliseconds{50});
      for (const auto& e : events) {
        EXPECT_EQ(parser.parse(e.json), exchange::EventKind::kline);
        const auto& k = parser.kline().kline;
        EXPECT_TRUE(candles::same_values(k, minute_of(e.symbol, k.open_time)));
        if (e.closed) seen.insert({e.symbol, (k.open_time - kStart) / kMinuteMs});
      }
    }
    return seen.size() >= count;
  }

  SystemClock clock;
  TemporaryLake lake;
  StreamServer server;
  RestExchange rest;
  exchange::WeightBudget budget{clock};
  exchange::RestClient client{{"http://exchange", {}}, rest, budget, clock, Random(1)};
  Figures figures;
  std::chrono::milliseconds lifetime = std::chrono::hours{23};
  exchange::StreamEventParser parser;
  std::set<std::pair<std::string, std::int64_t>> seen;
};

TEST_F(FeedTest, MinutesThatTheStreamToldCarryTheExchangesOwnJson) {
  rest.now = kStart + 500;
  const auto feed = start({"AAAUSDT", "BBBUSDT"});
  ASSERT_EQ(server.requests().size(), 1u);
  EXPECT_NE(server.requests()[0].find("aaausdt@kline_1m"), std::string::npos);
  for (int m = 0; m < 5; ++m) {
    advance("AAAUSDT", m, true);
    advance("BBBUSDT", m, true);
  }
  EXPECT_TRUE(collect(*feed, 10));
  EXPECT_EQ(rest.asked, 0);
}

TEST_F(FeedTest, WhatABrokenConnectionMissedIsFetched) {
  rest.now = kStart + 500;
  const auto feed = start({"AAAUSDT"});
  for (int m = 0; m < 3; ++m) advance("AAAUSDT", m, true);
  ASSERT_TRUE(collect(*feed, 3));
  for (int round = 0; round < 5; ++round) {
    const int first = 3 + round * 10;
    const int opened = server.opened();
    server.drop_all();
    for (int m = first; m < first + 9; ++m) advance("AAAUSDT", m, false);
    while (server.opened() == opened || server.alive() == 0) clock.sleep(std::chrono::milliseconds{10});
    advance("AAAUSDT", first + 9, true);
    // The newest minute may come either way.
    ASSERT_TRUE(collect(*feed, static_cast<std::size_t>(first + 9)))
        << "round " << round << ": " << seen.size();
  }
  EXPECT_GE(figures.disconnects, 4u);
  EXPECT_GE(figures.caught_up, 40u);
}

TEST_F(FeedTest, AMessageThatWasLostOnAGoodConnectionIsFetchedWithinMinutes) {
  rest.now = kStart + 500;
  const auto feed = start({"AAAUSDT"});
  for (int m = 0; m < 30; ++m) advance("AAAUSDT", m, m % 7 != 3);
  EXPECT_TRUE(collect(*feed, 30 - 1)) << seen.size();
}

TEST_F(FeedTest, AMessageThatIsNoMinuteIsHandedOnWithItsReasonAndAsItCame) {
  rest.now = kStart + 500;
  const auto feed = start({"AAAUSDT"});
  const std::vector<std::pair<std::string, Rejection>> hostile = {
      {"{nothing", Rejection::not_json},
      {R"({"stream":"aaausdt@kline_1m","data":{"e":"kline","E":1}})", Rejection::wrong_shape},
      {R"({"stream":"aaausdt@trade","data":{"e":"trade","E":1,"s":"AAAUSDT"}})", Rejection::other_event},
      {std::string(exchange::kMaxEventBytes + 1, ' '), Rejection::too_large},
  };
  for (const auto& [text, why] : hostile) server.tell_text(text);
  std::vector<FeedEvent> refused, events;
  for (int i = 0; i < 300 && refused.size() < hostile.size(); ++i) {
    feed->take(events, std::chrono::milliseconds{50});
    refused.insert(refused.end(), events.begin(), events.end());
  }
  ASSERT_EQ(refused.size(), hostile.size());
  for (std::size_t i = 0; i < hostile.size(); ++i) {
    EXPECT_EQ(refused[i].json, hostile[i].first);
    EXPECT_EQ(refused[i].refused, hostile[i].second) << i;
    EXPECT_FALSE(refused[i].closed);
  }
  EXPECT_EQ(figures.rejected_total(), 0u) << "whoever takes them counts them";
  advance("AAAUSDT", 0, true);
  EXPECT_TRUE(collect(*feed, 1)) << "and the stream goes on";
}

TEST_F(FeedTest, AtTheStartWhatTheLakeLacksOfTheLastDayIsFetched) {
  Random random(1);
  auto stored = candles::testing::random_history(random, from_ms(kStart - 300 * kMinuteMs), 100, 0);
  lake::testing::store(lake.storage(), lake::Table::klines_1m, "AAAUSDT", stored);
  rest.now = kStart + 10 * kMinuteMs + 30'000;
  const auto feed = start({"AAAUSDT"});
  EXPECT_TRUE(collect(*feed, 210));
  EXPECT_EQ(seen.begin()->second, -200);
  EXPECT_EQ(seen.rbegin()->second, 9);
}

TEST_F(FeedTest, AConnectionIsReplacedBeforeItsEndWithoutAHole) {
  rest.now = kStart + 500;
  lifetime = std::chrono::milliseconds{300};
  const auto feed = start({"AAAUSDT"});
  int minute = 0;
  while (server.opened() < 5) {
    advance("AAAUSDT", minute++, true);
    ASSERT_TRUE(collect(*feed, static_cast<std::size_t>(minute)));
    clock.sleep(std::chrono::milliseconds{5});
  }
  EXPECT_EQ(figures.disconnects, 0u);
  EXPECT_EQ(rest.asked, 0);
}

TEST_F(FeedTest, AnInboxThatIsFullIsBoundedAndWhatItRefusedIsFetchedLater) {
  rest.now = kStart + 500;
  FeedOptions options;
  options.symbols = {"AAAUSDT"};
  options.stream.base_url = server.url();
  options.max_queued = 10;
  const auto feed = value(MarketFeed::start(options, lake.storage(), client, clock, figures, {}));
  for (int m = 0; m < 100; ++m) advance("AAAUSDT", m, true);
  clock.sleep(std::chrono::milliseconds{300});
  EXPECT_LE(figures.queued, 10);
  EXPECT_TRUE(collect(*feed, 98)) << seen.size();
}

TEST(Coverage, WhatIsMissingIsTheComplementOfWhatWasTold) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Random random(seed);
    Coverage coverage;
    coverage.add_symbol("A", from_ms(kStart));
    std::set<int> told;
    for (int i = 0; i < 200; ++i) {
      const int m = static_cast<int>(random.below(150));
      coverage.add("A", from_ms(kStart + m * kMinuteMs));
      told.insert(m);
    }
    std::set<int> missing;
    for (const auto& range : coverage.missing("A", from_ms(kStart + 120 * kMinuteMs + 59'999))) {
      for (auto t = range.begin; t < range.end; t += kMinute)
        missing.insert(static_cast<int>((to_ms(t) - kStart) / kMinuteMs));
    }
    for (int m = 0; m < 120; ++m) EXPECT_NE(told.contains(m), missing.contains(m)) << m;
    EXPECT_TRUE(missing.empty() || *missing.rbegin() < 120);
  }
}

}  // namespace
}  // namespace chandler::speed
