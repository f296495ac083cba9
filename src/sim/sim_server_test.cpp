#include "sim/sim_server.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "net/test_socket.hpp"

namespace chandler::sim {
namespace {

using net::body_of;
using net::get;
using net::TestSocket;

class Sim : public testing::Test {
 protected:
  Sim() : clock_(from_ms(0)) {
    const std::vector<std::string> places{CHANDLER_SOURCE_DIR "/tests/data/binance"};
    market_ = std::move(*Market::load(places));
    options_.now = *parse_instant("2024-06-01T12:00:30Z");
  }
  std::unique_ptr<SimServer> start() { return std::move(*SimServer::start(market_, options_, clock_)); }
  static std::string ask(const SimServer& server, const std::string& target) {
    TestSocket client(server.port());
    client.send(get(target));
    return client.answer();
  }

  ManualClock clock_;
  std::shared_ptr<const Market> market_;
  SimOptions options_;
};

TEST_F(Sim, ServesOverHttpWithTheExchangesHeaders) {
  const auto server = start();
  const std::string answer = ask(*server, "/api/v3/time");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_NE(answer.find("Content-Type: application/json;charset=UTF-8\r\n"), std::string::npos);
  EXPECT_NE(answer.find("x-mbx-used-weight-1m: 1\r\n"), std::string::npos);
  EXPECT_EQ(body_of(answer), R"({"serverTime":1717243230000})");
}

TEST_F(Sim, TheClockRunsAtItsSpeedAndCanBeSet) {
  options_.speed = 60;
  const auto server = start();
  clock_.advance(std::chrono::seconds(2));
  EXPECT_EQ(body_of(ask(*server, "/api/v3/time")), R"({"serverTime":1717243350000})");
  TestSocket client(server->port());
  client.send("POST /sim/clock?now=2024-06-01T00:00Z&speed=0 HTTP/1.1\r\n\r\n");
  EXPECT_EQ(body_of(client.answer()), R"({"now":1717200000000,"time":"2024-06-01T00:00:00Z","speed":0})");
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(server->now(), *parse_instant("2024-06-01"));
  client.send("POST /sim/clock?speed=-1 HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(client.answer().starts_with("HTTP/1.1 400"));
}

TEST_F(Sim, StatisticsCountTheClientsRequestsButNotThemselves) {
  const auto server = start();
  ask(*server, "/api/v3/ping");
  ask(*server, "/sim/stats");
  EXPECT_NE(body_of(ask(*server, "/sim/stats")).find(R"("requests":1,"weight":1)"), std::string::npos);
  EXPECT_EQ(server->statistics().requests, 1);
}

TEST_F(Sim, WithoutAGivenTimeTheClockStartsInsideTheLastDay) {
  options_.now.reset();
  const auto server = start();
  EXPECT_EQ(server->now(), market_->extent().end - std::chrono::minutes(90));
}

TEST_F(Sim, OptionsThatMakeNoSenseAreRefused) {
  options_.speed = -1;
  EXPECT_EQ(SimServer::start(market_, options_, clock_).error().code, ErrorCode::usage);
  options_.speed = 1;
  options_.exchange.faults.rate = 1.5;
  EXPECT_EQ(SimServer::start(market_, options_, clock_).error().code, ErrorCode::usage);
}

}  // namespace
}  // namespace chandler::sim
