#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <set>

#include "net/web_socket.hpp"
#include "sim/sim_server.hpp"
#include "sim/stream_events.hpp"
#include "sim/stream_faults.hpp"
#include "sim/stream_requests.hpp"

namespace chandler::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Timestamp at(std::string_view text) {
  return *parse_instant(text);
}

std::shared_ptr<const Market> recorded() {
  static const auto market = [] {
    const std::vector<std::string> places{CHANDLER_SOURCE_DIR "/tests/data/binance"};
    return *Market::load(places);
  }();
  return market;
}

std::vector<StreamEvent> events(std::string_view name, std::string_view from, std::string_view to) {
  return stream_events(*recorded(), *parse_stream_name(name), {}, at(from), at(to));
}

TEST(StreamName, IsReadOrRefused) {
  EXPECT_EQ(parse_stream_name("btcusdt@kline_1M")->interval, Interval::mo1);
  EXPECT_EQ(parse_stream_name("btcusdt@kline_1m")->symbol, "BTCUSDT");
  EXPECT_EQ(parse_stream_name("btcusdt@miniTicker")->kind, StreamKind::mini_ticker);
  EXPECT_EQ(parse_stream_name("!miniTicker@arr")->kind, StreamKind::all_mini_tickers);
  for (const char* name :
       {"", "@kline_1m", "BTCUSDT@kline_1m", "btcusdt@kline_7m", "btcusdt@trade", "btcusdt", "!x@arr"}) {
    EXPECT_FALSE(parse_stream_name(name)) << name;
  }
}

TEST(StreamEvents, AKlineHasTheFieldsOfARecordedMessage) {
  // Order and types as in cryptofeed's capture of 2021-10-12 (nknusdt@kline_1m).
  const auto said = events("btcusdt@kline_1m", "2024-05-31T10:00:30Z", "2024-05-31T10:00:34Z");
  ASSERT_EQ(said.size(), 1U) << "of several updates the latest is enough";
  simdjson::dom::parser parser;
  const auto event = parser.parse(said[0].json);
  std::vector<std::string> names;
  const simdjson::dom::object kline = event["k"].get_object().value();
  for (const auto field : kline) names.emplace_back(field.key);
  EXPECT_THAT(names, ElementsAre("t", "T", "s", "i", "f", "L", "o", "c", "h", "l", "v", "n", "x", "q", "V",
                                 "Q", "B"));
  EXPECT_EQ(event["e"].get_string().value(), "kline");
  EXPECT_EQ(event["s"].get_string().value(), "BTCUSDT");
  EXPECT_EQ(event["E"].get_int64().value(), to_ms(said[0].time));
  EXPECT_EQ(event["k"]["t"].get_int64().value(), to_ms(at("2024-05-31T10:00:00Z")));
  EXPECT_FALSE(event["k"]["x"].get_bool().value());
  EXPECT_EQ(event["k"]["L"].get_int64().value() - event["k"]["f"].get_int64().value() + 1,
            event["k"]["n"].get_int64().value());
}

TEST(StreamEvents, EveryMinuteClosesOnceWithItsRecordedValues) {
  const auto market = recorded();
  const Klines& minutes = market->find("BTCUSDT")->minutes();
  const std::size_t first = candles::lower_bound(minutes, at("2023-03-24T12:00Z"));
  std::vector<std::string> wanted, closed;
  for (std::size_t i = first; i < minutes.size() && minutes.open_time[i] < to_ms(at("2023-03-24T15:00Z"));
       ++i) {
    wanted.push_back(std::to_string(minutes.open_time[i]) + " " + std::to_string(minutes.trades[i]));
  }
  simdjson::dom::parser parser;
  // Looked at every 7.3 s, the way a late thread would: nothing closed may be missed or said twice.
  Timestamp previous = Timestamp::min();
  for (Timestamp t = at("2023-03-24T12:00Z"); t < at("2023-03-24T15:00Z"); t += 7300ms) {
    const Timestamp to = std::min(t + 7300ms, at("2023-03-24T15:00Z"));
    for (const StreamEvent& e : stream_events(*market, *parse_stream_name("btcusdt@kline_1m"), {}, t, to)) {
      EXPECT_GT(e.time, t);
      EXPECT_LE(e.time, to);
      EXPECT_GE(e.time, previous);
      previous = e.time;
      if (!e.closes) continue;
      const auto k = parser.parse(e.json)["k"];
      EXPECT_TRUE(k["x"].get_bool().value());
      closed.push_back(std::to_string(k["t"].get_int64().value()) + " " +
                       std::to_string(k["n"].get_int64().value()));
    }
  }
  EXPECT_EQ(closed, wanted) << "the outage has no candles, so nothing closes in it";
}

TEST(StreamEvents, LongerCandlesCloseAtTheirOwnEnd) {
  std::vector<std::string> closings;
  for (const StreamEvent& e : events("btcusdt@kline_4h", "2024-05-31T01:00Z", "2024-05-31T12:00Z")) {
    if (e.closes) closings.push_back(format_minute(e.time));
  }
  EXPECT_THAT(closings, ElementsAre("2024-05-31 04:00", "2024-05-31 08:00", "2024-05-31 12:00"));
}

TEST(StreamEvents, TickersComeEverySecond) {
  int count = 0;
  for (Timestamp t = at("2024-05-31T10:00Z"); t < at("2024-05-31T10:01Z"); t += 20ms) {
    count += static_cast<int>(
        stream_events(*recorded(), *parse_stream_name("btcusdt@ticker"), {}, t, t + 20ms).size());
  }
  EXPECT_EQ(count, 60);
  const auto mini = events("!miniTicker@arr", "2024-05-31T10:00Z", "2024-05-31T10:00:05Z");
  ASSERT_EQ(mini.size(), 1U);
  EXPECT_THAT(mini[0].json, StartsWith(R"([{"e":"24hrMiniTicker","E":)"));
}

TEST(StreamEvents, NothingIsSaidBeforeTheNextEventThatWasForeseen) {
  for (const char* name : {"btcusdt@kline_1m", "btcusdt@kline_1h", "btcusdt@ticker", "!miniTicker@arr"}) {
    const StreamName stream = *parse_stream_name(name);
    int said = 0;
    for (Timestamp t = at("2024-05-31T09:59:50Z"); t < at("2024-05-31T10:00:10Z"); t += 37ms) {
      const Timestamp next = next_stream_event(stream, {}, t);
      ASSERT_GT(next, t);
      ASSERT_TRUE(stream_events(*recorded(), stream, {}, t, next - 1ms).empty()) << name;
      said += static_cast<int>(stream_events(*recorded(), stream, {}, next - 1ms, next).size());
    }
    EXPECT_GT(said, 0) << name;
  }
}

TEST(StreamEvents, NothingIsSaidOfUnknownSymbolsOrBeforeTheListing) {
  EXPECT_TRUE(events("nosuch@kline_1m", "2024-05-31", "2024-06-01").empty());
  EXPECT_TRUE(events("btcusdt@kline_1m", "2020-05-31", "2020-06-01").empty());
  EXPECT_TRUE(events("btcusdt@kline_1m", "2024-06-01", "2024-05-31").empty());
}

TEST(StreamRequests, AreAnsweredAsTheExchangeDocumentsThem) {
  Subscriptions s;
  const auto ask = [&](std::string_view text) { return answer_stream_request(s, text); };
  EXPECT_EQ(ask(R"({"method":"SUBSCRIBE","params":["btcusdt@kline_1m","ethusdt@ticker"],"id":1})"),
            R"({"result":null,"id":1})");
  EXPECT_EQ(ask(R"({"method":"LIST_SUBSCRIPTIONS","id":3})"),
            R"({"result":["btcusdt@kline_1m","ethusdt@ticker"],"id":3})");
  EXPECT_EQ(ask(R"({"method":"UNSUBSCRIBE","params":["btcusdt@kline_1m"],"id":312})"),
            R"({"result":null,"id":312})");
  EXPECT_EQ(ask(R"({"method":"LIST_SUBSCRIPTIONS","id":"x"})"), R"({"result":["ethusdt@ticker"],"id":"x"})");
  EXPECT_EQ(ask(R"({"method":"GET_PROPERTY","params":["combined"],"id":2})"), R"({"result":false,"id":2})");
  EXPECT_EQ(ask(R"({"method":"SET_PROPERTY","params":["combined",true],"id":5})"),
            R"({"result":null,"id":5})");
  EXPECT_TRUE(s.combined);
  EXPECT_THAT(ask(R"({"method":"SET_PROPERTY","params":["combined",7],"id":5})"), HasSubstr(R"("code":1,)"));
  EXPECT_THAT(ask(R"({"method":"SET_PROPERTY","params":["other",true],"id":5})"), HasSubstr(R"("code":0,)"));
  EXPECT_THAT(ask(R"({"method":"DANCE","id":1})"), HasSubstr("unknown variant `DANCE`"));
  for (const char* text :
       {"", "{", "[]", "7", "null", R"({"id":1})", R"({"method":"SUBSCRIBE"})",
        R"({"method":"SUBSCRIBE","params":[1]})", R"({"method":"SUBSCRIBE","params":["a",1]})", "\xff\xfe",
        R"({"method":7,"id":{}})"}) {
    EXPECT_THAT(ask(text), HasSubstr(R"({"error":{"code":)")) << text;
  }
  EXPECT_EQ(s.names.size(), 1U) << "a refused request changes nothing";
}

TEST(StreamRequests, PathsSubscribeFromTheStart) {
  net::HttpRequest request;
  request.set_target("/ws/btcusdt@kline_1m/ethusdt@ticker");
  EXPECT_THAT(initial_subscriptions(request).names, ElementsAre("btcusdt@kline_1m", "ethusdt@ticker"));
  EXPECT_FALSE(initial_subscriptions(request).combined);
  request.clear();
  request.set_target("/stream?streams=btcusdt@kline_1m/ethusdt@ticker");
  EXPECT_THAT(initial_subscriptions(request).names, ElementsAre("btcusdt@kline_1m", "ethusdt@ticker"));
  EXPECT_TRUE(initial_subscriptions(request).combined);
}

TEST(StreamFaults, LoseOnlyWhatTheyCountAsLostAndReplay) {
  const auto run = [](std::uint64_t seed) {
    StreamFaultPlan plan({0.4, seed, 1000ms}, 3);
    StreamStatistics counts;
    std::vector<std::string> out;
    bool drop = false;
    Timestamp wall = at("2024-01-01");
    std::int64_t drops = 0;
    for (int i = 0; i < 2000; ++i, wall += 10ms) {
      for (const auto& text : plan.due(wall)) out.push_back(*text);
      drop = false;
      for (const auto& text :
           plan.pass(std::make_shared<const std::string>(std::to_string(i)), wall, counts, drop))
        out.push_back(*text);
      drops += drop ? 1 : 0;
    }
    for (const auto& text : plan.due(wall + 1h)) out.push_back(*text);
    const std::set<std::string> distinct(out.begin(), out.end());
    // What was the connection's last message is gone with it; one swapped message may still wait for a next
    // one.
    EXPECT_NEAR(static_cast<double>(distinct.size()),
                static_cast<double>(2000 - counts.dropped_messages - drops), 1.0);
    EXPECT_EQ(static_cast<std::int64_t>(out.size() - distinct.size()), counts.duplicated);
    EXPECT_FALSE(std::ranges::is_sorted(out, {}, [](const std::string& s) { return std::stoi(s); }));
    for (const auto n : {counts.delayed, counts.duplicated, counts.reordered, counts.dropped_messages,
                         counts.dropped_connections}) {
      EXPECT_GT(n, 0);
    }
    return out;
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

// A client over a real socket; the market's clock is set by hand.
class StreamServer : public testing::Test {
 protected:
  StreamServer() : clock_(from_ms(0)) {
    options_.now = at("2024-05-31T10:00:01Z");
    options_.streams.tick = 1ms;
  }
  void start() { server_ = std::move(*SimServer::start(recorded(), options_, clock_)); }
  Result<std::unique_ptr<net::WebSocketClient>> try_connect(const std::string& path) {
    net::WebSocketEvents events;
    events.on_message = [this](const net::WebSocketPtr&, std::string_view text) { add(std::string(text)); };
    events.on_ping = [this](const net::WebSocketPtr&, std::string_view text) {
      add("ping " + std::string(text));
    };
    events.on_close = [this](const net::WebSocketPtr&, const net::WebSocketClose& how) {
      add("close " + std::to_string(how.code));
    };
    net::WebSocketClientOptions options;
    options.url = server_->stream_url() + path;
    return net::WebSocketClient::connect(options, std::move(events));
  }
  std::unique_ptr<net::WebSocketClient> connect(const std::string& path) {
    return std::move(*try_connect(path));
  }
  void add(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }
  // The first line with the text, waiting for it; empty if none comes.
  std::string wait_for(const std::string& text) {
    std::unique_lock lock(mutex_);
    std::string found;
    changed_.wait_for(lock, 20s, [&] {
      for (const std::string& line : lines_) {
        if (line.find(text) != std::string::npos) found = line;
      }
      return !found.empty();
    });
    return found;
  }

  ManualClock clock_;
  SimOptions options_;
  std::unique_ptr<SimServer> server_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

TEST_F(StreamServer, RawAndCombinedStreamsSayWhenTheMinuteCloses) {
  start();
  const auto raw = connect("/ws/btcusdt@kline_1m"), combined = connect("/stream?streams=btcusdt@kline_1m");
  combined->session()->send(R"({"method":"LIST_SUBSCRIPTIONS","id":9})");
  EXPECT_EQ(wait_for(R"("id":9)"), R"({"result":["btcusdt@kline_1m"],"id":9})");
  while (server_->statistics().streams.open < 2) std::this_thread::sleep_for(1ms);
  clock_.advance(60s);
  const std::string event = wait_for(R"({"stream":"btcusdt@kline_1m","data":{"e":"kline")");
  EXPECT_NE(event, "");
  EXPECT_THAT(wait_for(R"("x":true)"), HasSubstr(R"("t":1717149600000,"T":1717149659999)"));
  EXPECT_EQ(server_->statistics().requests, 0) << "streams are no REST requests";
}

TEST_F(StreamServer, SubscribingLaterWorksAndUnsubscribingStops) {
  start();
  const auto client = connect("/ws");
  client->session()->send(R"({"method":"SUBSCRIBE","params":["btcusdt@ticker","nosuch@trade"],"id":1})");
  EXPECT_NE(wait_for(R"("id":1)"), "");
  clock_.advance(2s);
  EXPECT_NE(wait_for("24hrTicker"), "");
  client->session()->send(R"({"method":"UNSUBSCRIBE","params":["btcusdt@ticker"],"id":2})");
  EXPECT_NE(wait_for(R"("id":2)"), "");
  const auto before = server_->statistics().streams.messages;
  clock_.advance(10s);
  client->session()->send(R"({"method":"LIST_SUBSCRIPTIONS","id":3})");
  EXPECT_EQ(wait_for(R"("id":3)"), R"({"result":["nosuch@trade"],"id":3})");
  EXPECT_EQ(server_->statistics().streams.messages, before);
}

TEST_F(StreamServer, ConnectionsArePingedAndCutAtTheEndOfTheirLife) {
  start();
  const auto client = connect("/ws/btcusdt@kline_1m");
  while (server_->statistics().streams.open < 1) std::this_thread::sleep_for(1ms);
  clock_.advance(20s);
  EXPECT_EQ(wait_for("ping "), "ping " + std::to_string(to_ms(at("2024-05-31T10:00:21Z"))));
  server_->set_clock(at("2024-06-01T10:00:02Z"), 1);
  EXPECT_EQ(wait_for("close "), "close 1001");
  EXPECT_EQ(server_->statistics().streams.closed_by_age, 1);
}

TEST_F(StreamServer, LimitsOfStreamsRequestsAndConnectsAreKept) {
  options_.streams.connects_per_five_minutes = 3;
  start();
  std::string many = "/stream?streams=";
  for (int i = 0; i < 1025; ++i) many += "s" + std::to_string(i) + "/";
  const auto greedy = connect(many);
  EXPECT_EQ(wait_for("close "), "close 1008");
  lines_.clear();
  const auto hasty = connect("/ws");
  for (int i = 0; i < 6; ++i) hasty->session()->send(R"({"method":"LIST_SUBSCRIPTIONS","id":1})");
  EXPECT_EQ(wait_for("close "), "close 1008");
  const auto third = connect("/ws");
  const auto fourth = try_connect("/ws");
  ASSERT_FALSE(fourth);
  EXPECT_THAT(fourth.error().what, HasSubstr("429"));
  EXPECT_EQ(fourth.error().remedy, "wait 300 s");
  clock_.advance(301s);
  EXPECT_TRUE(try_connect("/ws"));
}

}  // namespace
}  // namespace chandler::sim
