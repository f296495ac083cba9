// How the client holds connections is tested where it is used, against a server: speed/market_feed_test.cpp.
#include "exchange/stream_client.hpp"

#include <gtest/gtest.h>

namespace chandler::exchange {
namespace {

TEST(AttemptLimit, NeverLetsMoreThroughInAnyWindow) {
  ManualClock clock(from_ms(0));
  AttemptLimit limit(clock, 3, std::chrono::seconds{10});
  Random random(1);
  std::vector<std::chrono::nanoseconds> let_through;
  for (int i = 0; i < 50; ++i) {
    clock.advance(std::chrono::milliseconds{random.below(3000)});
    ASSERT_TRUE(limit.wait({}));  // sleeping on this clock takes no time
    let_through.push_back(clock.steady());
  }
  for (std::size_t i = 3; i < let_through.size(); ++i) {
    EXPECT_GE(let_through[i] - let_through[i - 3], std::chrono::seconds{10});
  }
  EXPECT_LT(let_through.back(), std::chrono::seconds{50 * 10 / 3 + 60})
      << "it waits no longer than it has to";
}

TEST(AttemptLimit, AStopEndsTheWait) {
  ManualClock clock(from_ms(0));
  AttemptLimit limit(clock, 1);
  std::stop_source stop;
  ASSERT_TRUE(limit.wait(stop.get_token()));
  stop.request_stop();
  EXPECT_FALSE(limit.wait(stop.get_token()));
}

TEST(StreamName, IsTheSymbolInLowerCaseAndTheChannel) {
  EXPECT_EQ(stream_name("BTCUSDT", "kline_1m"), "btcusdt@kline_1m");
  EXPECT_EQ(stream_name("币安USDT", "ticker"), "币安usdt@ticker");
}

}  // namespace
}  // namespace chandler::exchange
