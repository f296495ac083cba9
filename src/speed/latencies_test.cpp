#include "speed/latencies.hpp"

#include <gtest/gtest.h>

namespace chandler::speed {
namespace {

TEST(Latencies, AreSummedAndCountedInTheBucketThatReachesThem) {
  Latencies latencies;
  latencies.add(Millis{1});
  latencies.add(Millis{2}, 3);
  latencies.add(Millis{1001});
  latencies.add(Millis{-5});  // counts as 0
  EXPECT_EQ(latencies.total(), Millis{1 + 6 + 1001});
  const auto counts = latencies.counts();
  EXPECT_EQ(counts[0], 2u);
  EXPECT_EQ(counts[1], 3u);
  for (std::size_t i = 2; i < counts.size(); ++i) {
    const bool is_next = i < Latencies::kBounds.size() && Latencies::kBounds[i] == 1500;
    EXPECT_EQ(counts[i], is_next ? 1u : 0u) << i;
  }
}

TEST(Latencies, AShareStaysWithinTheBoundThatSoManyReach) {
  Latencies latencies;
  EXPECT_FALSE(latencies.within(0.5));
  latencies.add(Millis{4}, 989);
  latencies.add(Millis{40}, 10);
  latencies.add(Millis{400});
  EXPECT_EQ(latencies.within(0), Millis{5});
  EXPECT_EQ(latencies.within(0.5), Millis{5});
  EXPECT_EQ(latencies.within(0.989), Millis{5});
  EXPECT_EQ(latencies.within(0.99), Millis{50});
  EXPECT_EQ(latencies.within(0.999), Millis{50});
  EXPECT_EQ(latencies.within(1), Millis{500});
  latencies.add(Millis{1'000'000'000});  // eleven days: no bound reaches so far
  EXPECT_FALSE(latencies.within(1));
  EXPECT_EQ(latencies.within(0.5), Millis{5});
}

}  // namespace
}  // namespace chandler::speed
