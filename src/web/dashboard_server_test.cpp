// The server as a client sees it, over sockets.
#include "web/dashboard_server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "net/test_socket.hpp"
#include "web/lake_watch.hpp"
#include "web/test_lake.hpp"

namespace chandler::web {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Json = nlohmann::json;
using net::body_of;

class DashboardServerTest : public ::testing::Test {
 protected:
  void start(DashboardOptions options = {}) {
    options.port = 0;
    options.version = "test";
    options.watch_period = std::chrono::milliseconds(20);
    auto server = DashboardServer::start(lake_.storage(), clock_, options);
    ASSERT_TRUE(server) << to_text(server.error());
    server_ = std::move(*server);
  }
  std::string ask(std::string_view target, std::string_view headers = {}) {
    net::TestSocket socket(server_->port());
    socket.send("GET " + std::string(target) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + std::string(headers) +
                "\r\n");
    return socket.answer();
  }
  Json json(std::string_view target) {
    const std::string answer = ask(target);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n")) << target;
    return Json::parse(body_of(answer), nullptr, false);
  }
  static std::string header(const std::string& answer, const std::string& name) {
    const auto at = answer.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const auto begin = at + 4 + name.size();
    return answer.substr(begin, answer.find("\r\n", begin) - begin);
  }
  // The background reading of the lake has seen everything.
  void wait_for_overview(std::size_t symbols) {
    for (int i = 0; i < 500; ++i) {
      if (json("/api/v1/status")["symbols"].size() == symbols) return;
      clock_.sleep(std::chrono::milliseconds(20));
    }
    FAIL() << "the overview never showed " << symbols << " symbols";
  }

  TestLake lake_;
  SystemClock clock_;
  std::unique_ptr<DashboardServer> server_;
};

TEST_F(DashboardServerTest, AnEmptyLakeAnswersEverywhere) {
  start();
  EXPECT_EQ(json("/api/v1/status")["total"], 0);
  EXPECT_EQ(json("/api/v1/forecasts")["runs"], Json::array());
  EXPECT_EQ(json("/api/v1/streams")["streams"], Json::array());
  EXPECT_EQ(json("/api/v3/exchangeInfo")["symbols"], Json::array());
  EXPECT_EQ(json("/api/v3/ticker/24hr"), Json::array());
  EXPECT_EQ(body_of(ask("/healthz")), "ok\n");
  EXPECT_THAT(ask("/api/v1/candles?symbol=BTCUSDT"), StartsWith("HTTP/1.1 404"));
  EXPECT_EQ(body_of(ask("/api/v3/klines?symbol=BTCUSDT&interval=1m")),
            R"({"code":-1121,"msg":"Invalid symbol."})");
  for (const char* page : {"/", "/chart", "/models", "/forecasts", "/data", "/live", "/about"}) {
    const std::string answer = ask(page);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK")) << page;
    EXPECT_THAT(header(answer, "Content-Security-Policy"),
                HasSubstr("default-src 'none'; script-src 'self'"));
    EXPECT_THAT(header(answer, "Content-Security-Policy"), Not(HasSubstr("unsafe")));
    EXPECT_EQ(header(answer, "X-Content-Type-Options"), "nosniff");
    EXPECT_THAT(body_of(answer), HasSubstr("<script type=\"module\" src=\"/assets/app-"));
  }
}

TEST_F(DashboardServerTest, KlinesAreWrittenAsTheExchangeWritesThem) {
  const auto minutes = lake_.add_minutes("BTCUSDT", *parse_instant("2024-05-01"), 2000);
  lake_.derive("BTCUSDT");
  start();
  const Json page = json("/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=3");
  ASSERT_EQ(page.size(), 3U);
  const candles::Kline last = minutes.at(1999);
  EXPECT_EQ(page[2][0], last.open_time);
  EXPECT_EQ(page[2][1], fmt::format("{:.8f}", last.open));
  EXPECT_EQ(page[2][5], fmt::format("{:.8f}", last.volume));
  EXPECT_EQ(page[2][6], last.open_time + 59'999);
  EXPECT_EQ(page[2][8], last.trades);
  EXPECT_EQ(page[2][11], "0");
  EXPECT_EQ(json("/api/v3/klines?symbol=BTCUSDT&interval=1m").size(), 500U);
  EXPECT_EQ(json("/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=5000").size(), 1000U);
  const Json early =
      json("/api/v3/klines?symbol=BTCUSDT&interval=1h&startTime=1714521600001&endTime=1714532400000");
  ASSERT_EQ(early.size(), 3U);
  EXPECT_EQ(early[0][0], 1714525200000);
  EXPECT_EQ(ask("/api/v3/uiKlines?symbol=BTCUSDT&interval=1d").substr(0, 15), "HTTP/1.1 200 OK");
}

TEST_F(DashboardServerTest, RefusalsAreThoseOfTheExchange) {
  lake_.add_minutes("BTCUSDT", *parse_instant("2024-05-01"), 10);
  start();
  const std::pair<const char*, int> wrong[] = {
      {"/api/v3/klines?interval=1m", -1102},
      {"/api/v3/klines?symbol=BTCUSDT", -1102},
      {"/api/v3/klines?symbol=BTCUSDT&interval=7m", -1120},
      {"/api/v3/klines?symbol=btcusdt&interval=1m", -1100},
      {"/api/v3/klines?symbol=NOPE&interval=1m", -1121},
      {"/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=abc", -1100},
      {"/api/v3/klines?symbol=BTCUSDT&interval=1m&foo=1", -1104},
      {"/api/v3/ping?x=1", -1101},
      {"/api/v3/exchangeInfo?symbol=NOPE", -1121},
      {"/api/v3/ticker/24hr?symbol=BTCUSDT&symbols=%5B%22BTCUSDT%22%5D", -1128}};
  for (const auto& [target, code] : wrong) {
    const std::string answer = ask(target);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400")) << target;
    EXPECT_EQ(Json::parse(body_of(answer))["code"], code) << target;
  }
}

TEST_F(DashboardServerTest, TheTickerSumsTheLast24Hours) {
  const auto minutes = lake_.add_minutes("BTCUSDT", *parse_instant("2024-05-01"), 3000);
  lake_.derive("BTCUSDT");
  start();
  wait_for_overview(1);
  const Json ticker = json("/api/v3/ticker/24hr?symbol=BTCUSDT");
  double volume = 0, high = 0;
  std::int64_t trades = 0;
  for (std::size_t i = 3000 - 1440; i < 3000; ++i) {
    volume += minutes.volume[i];
    high = std::max(high, minutes.high[i]);
    trades += minutes.trades[i];
  }
  EXPECT_EQ(ticker["openPrice"], fmt::format("{:.8f}", minutes.open[3000 - 1440]));
  EXPECT_EQ(ticker["prevClosePrice"], fmt::format("{:.8f}", minutes.close[3000 - 1441]));
  EXPECT_EQ(ticker["lastPrice"], fmt::format("{:.8f}", minutes.close[2999]));
  EXPECT_EQ(ticker["highPrice"], fmt::format("{:.8f}", high));
  EXPECT_NEAR(std::stod(ticker["volume"].get<std::string>()), volume, 1e-6);
  EXPECT_EQ(ticker["count"], trades);
  const Json info = json("/api/v3/exchangeInfo?symbol=BTCUSDT")["symbols"][0];
  EXPECT_EQ(info["baseAsset"], "BTC");
  EXPECT_EQ(info["filters"][0]["tickSize"], "0.01000000");
}

TEST_F(DashboardServerTest, AnUnchangedAnswerIsNotSentAgainAndAChangedOneIs) {
  lake_.add_minutes("BTCUSDT", *parse_instant("2024-05-01"), 100);
  start();
  const char* target = "/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1000";
  const std::string first = ask(target);
  const std::string etag = header(first, "ETag");
  ASSERT_FALSE(etag.empty());
  const std::string second = ask(target, "If-None-Match: " + etag + "\r\n");
  EXPECT_THAT(second, StartsWith("HTTP/1.1 304"));
  EXPECT_EQ(body_of(second), "");

  lake_.add_minutes("BTCUSDT", *parse_instant("2024-05-01"), 150);
  std::string changed;
  for (int i = 0; i < 500 && !changed.starts_with("HTTP/1.1 200"); ++i) {
    clock_.sleep(std::chrono::milliseconds(20));
    changed = ask(target, "If-None-Match: " + etag + "\r\n");
  }
  EXPECT_EQ(Json::parse(body_of(changed)).size(), 150U);
}

TEST_F(DashboardServerTest, GapsAndTheCalendarTellWhatIsMissing) {
  const Timestamp begin = *parse_instant("2024-05-01");
  lake_.add_minutes("BTCUSDT", begin, 5 * 1440,
                    RangeSet{{begin + kMinute, begin + 4 * kMinute}, {begin + kDay, begin + 2 * kDay}});
  lake_.derive("BTCUSDT");
  start();
  const Json gaps = json("/api/v1/gaps?symbol=BTCUSDT");
  EXPECT_EQ(gaps["total"], 2);
  EXPECT_EQ(gaps["minutes"], 1443);
  EXPECT_EQ(gaps["gaps"][0]["minutes"], 1440) << "the longest first";
  EXPECT_EQ(gaps["gaps"][1]["asked"], true);
  const Json calendar = json("/api/v1/calendar?symbol=BTCUSDT");
  EXPECT_EQ(calendar["first_day"], "2024-05-01");
  EXPECT_EQ(calendar["minutes"], (Json{1437, -1, 1440, 1440, 1440}));
  const Json rows = json("/api/v1/rows?table=daily_filled&symbol=BTCUSDT&limit=2&offset=1");
  EXPECT_EQ(rows["rows"], 5);
  EXPECT_EQ(rows["columns"][0]["values"], (Json{"2024-05-02", "2024-05-03"}));
  EXPECT_EQ(json("/api/v1/query?symbol=BTCUSDT&query=top_volume_days")["rows"].size(), 4U)
      << "a filled day has no volume to speak of";
}

TEST_F(DashboardServerTest, AHoleOfYearsIsFilledOnlyAsFarAsThePageReaches) {
  lake_.add_minutes("BTCUSDT", *parse_instant("2015-05-01"), 10);
  lake_.add_minutes("BTCUSDT", *parse_instant("2024-05-01"), 10);
  start();
  const Json oldest =
      json("/api/v1/candles?symbol=BTCUSDT&interval=1m&fill=true&from=2015-01-01&limit=100000");
  EXPECT_EQ(oldest["open_time"].size(), 10U) << "what follows lies beyond 100,000 minutes";
  const Json latest = json("/api/v1/candles?symbol=BTCUSDT&interval=1M&fill=true&limit=50");
  EXPECT_EQ(latest["open_time"].size(), 1U);
  const Json all = json("/api/v1/candles?symbol=BTCUSDT&interval=1M&fill=true&limit=200");
  EXPECT_EQ(all["open_time"].size(), 109U);
  EXPECT_EQ(all["filled"][1], 1);
}

TEST_F(DashboardServerTest, EveryAddressOfTheApiIsDescribedAndAnswers) {
  lake_.add_minutes("BTCUSDT", *parse_instant("2024-05-01"), 3 * 1440);
  lake_.derive("BTCUSDT");
  start();
  const Json document = Json::parse(server_->openapi());
  EXPECT_EQ(document["openapi"], "3.1.0");
  std::size_t own = 0;
  for (const auto& [path, item] : document["paths"].items()) {
    if (path == "/api/v1/live") continue;
    std::string target = path;
    for (const Json& p : item["get"]["parameters"]) {
      if (!p["required"].get<bool>()) continue;
      const Json& schema = p["schema"];
      const std::string value = p["name"] == "symbol"     ? "BTCUSDT"
                                : schema.contains("enum") ? schema["enum"][0].get<std::string>()
                                                          : "1h";
      target += (target == path ? "?" : "&") + p["name"].get<std::string>() + "=" + value;
    }
    const std::string answer = ask(target);
    const bool forecast = path.find("forecast-") != std::string::npos || path == "/api/v1/forecast";
    EXPECT_THAT(answer, StartsWith(forecast ? "HTTP/1.1 404" : "HTTP/1.1 200")) << target;
    own += path.starts_with("/api/v1/") ? 1 : 0;
    for (const auto& [type, content] : item["get"]["responses"]["200"]["content"].items()) {
      EXPECT_TRUE(content.contains("schema")) << path << " " << type;
    }
  }
  EXPECT_GE(own, 12U);
}

TEST_F(DashboardServerTest, EventsBringTheOpenCandle) {
  const Timestamp begin = *parse_instant("2024-05-01");
  const auto minutes = lake_.add_minutes("BTCUSDT", begin, 100);
  start();
  net::TestSocket socket(server_->port());
  socket.send("GET /api/v1/live?symbol=BTCUSDT&interval=1m HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string first = socket.until("\"provisional\":[0,0,0,0,0]");
  EXPECT_THAT(first, HasSubstr("Content-Type: text/event-stream"));
  EXPECT_THAT(first, HasSubstr("event: candle"));
  candles::Kline open = minutes.at(99);
  open.open_time += kMinuteMs;
  open.close = open.high = 777'777.25;
  lake_.set_open("BTCUSDT", open, from_ms(open.open_time) + Millis{2500});
  EXPECT_THAT(socket.until("\"provisional\":[0,0,0,0,1]"), HasSubstr("777777.25"));
  // Another symbol's news are none of this listener's candles.
  EXPECT_THAT(ask("/api/v1/live?symbol=NOPE"), StartsWith("HTTP/1.1 404"));
}

TEST_F(DashboardServerTest, WithoutTheTokenNothingIsTold) {
  DashboardOptions options;
  options.access.token = "the-token";
  start(options);
  for (const char* target :
       {"/", "/api/v1/status", "/api/v3/time", "/metrics", "/api/v1/live", "/assets/x", "/nothing"}) {
    const std::string answer = ask(target);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 401")) << target;
    EXPECT_THAT(answer, Not(HasSubstr("the-token")));
  }
  EXPECT_THAT(ask("/api/v3/time", "Authorization: Bearer the-token\r\n"), StartsWith("HTTP/1.1 200"));
}

// Requests as a hostile client makes them: seeded, so that a failure can be had again.
class Hostile {
 public:
  explicit Hostile(std::uint64_t seed) : random_(seed) {}

  std::string next() {
    std::string bytes;
    switch (random_.below(9)) {
      case 0:  // noise
        return noise(1 + random_.below(3000));
      case 1:  // a proper start, noise after it
        return "GET /" + noise(random_.below(200)) + " HTTP/1.1\r\n" + noise(random_.below(500)) + "\r\n\r\n";
      case 2:  // out of the assets
        return get(
            pick({"/../../etc/passwd", "/assets/../../etc/passwd", "/%2e%2e/%2e%2e/etc/shadow", "/assets/%00",
                  "//etc/passwd", "/assets/..%2f..%2fsecret", "/\\..\\..\\windows", "/%c0%ae%c0%ae/"}));
      case 3:  // writing
        return pick({"POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "BREW"}) +
               " /api/v1/status HTTP/1.1\r\nHost: x\r\n" +
               "Content-Length: " + pick({"0", "5", "99999999999", "-1", "1e9", "0x10"}) + "\r\n\r\nhello";
      case 4:  // smuggling
        return "GET /api/v3/ping HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: "
               "chunked\r\n\r\n" +
               noise(random_.below(60));
      case 5:  // too long
        return get("/" + std::string(4000 + random_.below(9000), 'a'));
      case 6:  // too many headers, or one too large
        for (std::uint64_t i = 0, n = random_.below(600); i < n; ++i)
          bytes += "X-" + std::to_string(i) + ": " + noise_text(20) + "\r\n";
        return "GET / HTTP/1.1\r\nHost: localhost\r\n" + bytes + "\r\n";
      case 7:  // cut off
        bytes = get("/api/v1/candles?symbol=BTCUSDT&interval=1m");
        return bytes.substr(0, random_.below(bytes.size()));
      default:  // wild parameters on real addresses
        return get(
            pick({"/api/v3/klines", "/api/v1/candles", "/api/v1/gaps", "/api/v1/rows", "/api/v1/forecast",
                  "/api/v1/forecast-sheet", "/api/v1/partitions", "/api/v3/exchangeInfo",
                  "/api/v3/ticker/24hr", "/api/v1/query", "/api/v1/calendar"}) +
            "?" + parameters());
    }
  }

 private:
  std::string pick(std::initializer_list<std::string> values) {
    return *(values.begin() + random_.below(values.size()));
  }
  static std::string get(const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  }
  std::string noise(std::uint64_t length) {
    std::string bytes;
    while (bytes.size() < length) bytes += static_cast<char>(random_.below(256));
    return bytes;
  }
  std::string noise_text(std::uint64_t length) {
    std::string text;
    while (text.size() < length) text += static_cast<char>('!' + random_.below(90));
    return text;
  }
  std::string parameters() {
    std::string query;
    for (std::uint64_t i = 0, n = random_.below(8); i < n; ++i) {
      query += pick({"symbol", "interval", "limit", "startTime", "endTime", "from", "to", "table",
                     "partition", "offset", "run", "name", "format", "fill", "timeZone", "symbols", "query",
                     "order", "detail"}) +
               "=" +
               pick({"BTCUSDT",
                     "1m",
                     "1M",
                     "99999999999999999999",
                     "-1",
                     "0",
                     "%00",
                     "%",
                     "%zz",
                     "../..",
                     "klines_1m",
                     "daily_filled",
                     "csv",
                     "arrow",
                     "true",
                     "%F0%9F%92%A3",
                     "NaN",
                     "1e308",
                     "%22%5D%5B",
                     "2024-05-01",
                     "253402300799999",
                     "253402300800000",
                     "%5B%22BTCUSDT%22%5D",
                     "longest",
                     "all",
                     std::string(300, '9')}) +
               "&";
    }
    return query;
  }

  Random random_;
};

TEST_F(DashboardServerTest, TenThousandHostileRequestsChangeNothing) {
  lake_.add_minutes("BTCUSDT", *parse_instant("2024-05-01"), 2000);
  lake_.derive("BTCUSDT");
  start();
  const std::string before = body_of(ask("/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1000"));
  const auto files_before = *list_lake(*lake_.storage());
  Hostile hostile(20240501);
  std::size_t answered = 0, server_errors = 0;
  for (int round = 0; round < 10'000; ++round) {
    net::TestSocket socket(server_->port());
    ASSERT_TRUE(socket.connected()) << "round " << round;
    socket.send(hostile.next());
    socket.half_close();
    const std::string answer = socket.answer();
    if (answer.empty()) continue;
    ++answered;
    ASSERT_THAT(answer, StartsWith("HTTP/1.")) << "round " << round;
    ASSERT_THAT(answer, Not(HasSubstr("root:"))) << "round " << round;
    if (answer.substr(9, 2) == "50" && answer.substr(9, 3) != "505") ++server_errors;
  }
  EXPECT_GT(answered, 5000U);
  EXPECT_EQ(server_errors, 0U);
  EXPECT_EQ(body_of(ask("/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1000")), before);
  EXPECT_EQ(body_of(ask("/healthz")), "ok\n");
  // The generation is made of every file's name, size, inode and time of change.
  EXPECT_EQ(list_lake(*lake_.storage())->generation, files_before.generation);
}

}  // namespace
}  // namespace chandler::web
