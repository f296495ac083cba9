#include "exchange/weight_budget.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "base/random.hpp"

namespace chandler::exchange {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

const Timestamp kStart = from_ms(1'700'000'000'000);

TEST(WeightBudget, LetsThroughWhatFitsAndMakesTheRestWaitForTheMinuteToPass) {
  ManualClock clock(kStart);
  WeightBudget budget(clock, {.limit = 100, .reserve = 0.1});
  for (int i = 0; i < 9; ++i) {
    auto permit = budget.acquire(10, {});
    ASSERT_TRUE(permit);
    EXPECT_TRUE(permit->may_send());
  }
  EXPECT_EQ(clock.steady(), 0ns);
  EXPECT_EQ(budget.used(), 90);
  ASSERT_TRUE(budget.acquire(10, {}));
  EXPECT_GE(clock.steady(), 60s);
  EXPECT_LE(clock.steady(), 61s);
}

TEST(WeightBudget, WeightThatWasNotSentIsGivenBack) {
  ManualClock clock(kStart);
  WeightBudget budget(clock, {.limit = 10, .reserve = 0});
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(budget.acquire(10, {}));
  EXPECT_EQ(clock.steady(), 0ns);
  EXPECT_EQ(budget.used(), 0);
  EXPECT_EQ(budget.total_sent(), 0);
}

TEST(WeightBudget, AWeightBeyondTheWholeBudgetGoesAlone) {
  ManualClock clock(kStart);
  WeightBudget budget(clock, {.limit = 10, .reserve = 0});
  auto permit = budget.acquire(20, {});
  ASSERT_TRUE(permit);
  EXPECT_TRUE(permit->may_send());
}

TEST(WeightBudget, TheLimitOfExchangeInfoReplacesTheCautiousOne) {
  ManualClock clock(kStart);
  WeightBudget budget(clock);
  EXPECT_EQ(budget.limit(), 1200);
  budget.set_limit(6000);
  for (int i = 0; i < 2900; ++i) ASSERT_TRUE(budget.acquire(2, {})->may_send());
  EXPECT_EQ(clock.steady(), 0ns);
  budget.set_limit(0);  // not named: keep what is known
  EXPECT_EQ(budget.limit(), 6000);
}

TEST(WeightBudget, AnExchangeThatCountsMoreThanTheCautiousLimitHasRaisedIt) {
  ManualClock clock(kStart);
  WeightBudget budget(clock);
  budget.observe(1500);
  ASSERT_TRUE(budget.acquire(20, {})->may_send());
  EXPECT_EQ(clock.steady(), 0ns);
  EXPECT_EQ(budget.limit(), 6000);
  budget.set_limit(1200);
  budget.observe(1500);
  EXPECT_EQ(budget.limit(), 1200) << "what the exchange names is not second-guessed";
}

TEST(WeightBudget, WhatOthersOnThisAddressSpendCounts) {
  ManualClock clock(kStart);
  WeightBudget budget(clock, {.limit = 100, .reserve = 0});
  budget.observe(95);
  ASSERT_TRUE(budget.acquire(5, {})->may_send());
  EXPECT_EQ(clock.steady(), 0ns);
  ASSERT_TRUE(budget.acquire(5, {})->may_send());
  EXPECT_GE(clock.steady(), 60s);
}

TEST(WeightBudget, AFallOfTheReportedWeightMeansANewMinute) {
  ManualClock clock(kStart);
  WeightBudget budget(clock, {.limit = 100, .reserve = 0});
  budget.observe(98);
  budget.observe(3);
  ASSERT_TRUE(budget.acquire(50, {})->may_send());
  EXPECT_EQ(clock.steady(), 0ns);
}

TEST(WeightBudget, ALateReportDoesNotHideALaterOne) {
  ManualClock clock(kStart);
  WeightBudget budget(clock, {.limit = 100, .reserve = 0});
  budget.observe(98);
  budget.observe(90);
  EXPECT_EQ(budget.used(), 98);
}

TEST(WeightBudget, NothingPassesWhileToldToWait) {
  ManualClock clock(kStart);
  WeightBudget budget(clock);
  auto early = budget.acquire(2, {});
  ASSERT_TRUE(early);
  budget.told_to_wait(30s);
  EXPECT_FALSE(early->may_send()) << "a permit from before the order must not be used";
  ASSERT_TRUE(budget.acquire(2, {}));
  EXPECT_GE(clock.steady(), 30s);
  EXPECT_TRUE(early->may_send());
}

TEST(WeightBudget, AShorterOrderDoesNotShortenALongerOne) {
  ManualClock clock(kStart);
  WeightBudget budget(clock);
  budget.told_to_wait(30s);
  budget.told_to_wait(1s);
  EXPECT_EQ(budget.gate().remaining(), 30s);
}

TEST(WeightBudget, AWaitThatOutlastsTheDeadlineEndsAtOnce) {
  ManualClock clock(kStart);
  WeightBudget budget(clock);
  budget.told_to_wait(30s);
  const auto permit = budget.acquire(2, {.deadline = 10s});
  ASSERT_FALSE(permit);
  EXPECT_EQ(permit.error().code, ErrorCode::unreachable);
  EXPECT_EQ(clock.steady(), 0ns);
}

TEST(WeightBudget, WaitingForRoomEndsAtTheDeadline) {
  ManualClock clock(kStart);
  WeightBudget budget(clock, {.limit = 10, .reserve = 0});
  ASSERT_TRUE(budget.acquire(10, {})->may_send());
  const auto permit = budget.acquire(10, {.deadline = 10s});
  ASSERT_FALSE(permit);
  EXPECT_EQ(permit.error().code, ErrorCode::unreachable);
  EXPECT_EQ(clock.steady(), 10s);
}

TEST(WeightBudget, AWaitIsToldOnceAndNotAnsweredWithSilence) {
  ManualClock clock(kStart);
  std::vector<std::string> told;
  WeightBudget budget(clock, {.limit = 6000, .reserve = 0});
  budget.tell_of_waits([&](std::string_view line) { told.emplace_back(line); });
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(budget.acquire(6000, {})->may_send());
  EXPECT_EQ(told,
            std::vector<std::string>{"the exchange's limit of 6,000 request weight a minute is used up; "
                                     "from here on requests leave as it allows"});
  told.clear();
  budget.told_to_wait(1s);
  EXPECT_TRUE(told.empty()) << "too short to be noticed";
  budget.told_to_wait(34s);
  budget.told_to_wait(34s);
  EXPECT_EQ(told, std::vector<std::string>{"the exchange says to wait 34.0 s"});
}

TEST(WeightBudget, AStopRequestEndsTheWait) {
  ManualClock clock(kStart);
  WeightBudget budget(clock);
  budget.told_to_wait(30s);
  std::stop_source stop;
  stop.request_stop();
  const auto permit = budget.acquire(2, {.stop = stop.get_token()});
  ASSERT_FALSE(permit);
  EXPECT_EQ(permit.error().code, ErrorCode::interrupted);
}

// Against an exchange that counts by the minutes of its own clock, at the instant of arrival, whatever the
// phase of its minutes and the latency of each request: the limit holds in every minute.
TEST(WeightBudget, NoMinuteOfTheExchangeSeesMoreThanTheLimit) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Random random(seed);
    ManualClock clock(kStart);
    constexpr int kLimit = 200;
    WeightBudget budget(clock, {.limit = kLimit, .reserve = 0});
    const nanoseconds phase = std::chrono::milliseconds(random.below(60'000));
    std::vector<int> minutes(2000, 0);
    for (int i = 0; i < 600; ++i) {
      const int weight = 1 + static_cast<int>(random.below(40));
      auto permit = budget.acquire(weight, {});
      ASSERT_TRUE(permit);
      clock.advance(std::chrono::milliseconds(random.below(50)));
      ASSERT_TRUE(permit->may_send());
      const nanoseconds latency = std::chrono::milliseconds(random.below(random.chance(0.1) ? 20'000 : 300));
      const nanoseconds arrival = clock.steady() + latency / (1 + static_cast<int>(random.below(5)));
      minutes.at(static_cast<std::size_t>((arrival + phase) / 60s)) += weight;
      clock.advance(latency);
    }
    EXPECT_LE(std::ranges::max(minutes), kLimit) << "seed " << seed;
    EXPECT_GT(std::ranges::max(minutes), kLimit / 2) << "the budget should also be used, seed " << seed;
  }
}

// The same with requests of several threads in flight at once and the clock moved by all of them.
TEST(WeightBudget, TheLimitHoldsForManyThreads) {
  ManualClock clock(kStart);
  constexpr int kLimit = 60;
  WeightBudget budget(clock, {.limit = kLimit, .reserve = 0});
  struct Arrival {
    nanoseconds at;
    int weight;
  };
  std::vector<Arrival> arrivals;
  std::mutex mutex;
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t t = 0; t < 6; ++t) {
      threads.emplace_back([&, t] {
        Random random(t);
        for (int i = 0; i < 40; ++i) {
          const int weight = 1 + static_cast<int>(random.below(9));
          auto permit = budget.acquire(weight, {});
          if (!permit || !permit->may_send()) continue;
          const std::lock_guard lock(mutex);
          arrivals.push_back({clock.steady(), weight});
        }
      });
    }
  }
  ASSERT_EQ(arrivals.size(), 240u);
  for (const nanoseconds phase : {0s, 17s, 31s, 59s}) {
    std::vector<int> minutes(100000, 0);
    for (const Arrival& a : arrivals) minutes.at(static_cast<std::size_t>((a.at + phase) / 60s)) += a.weight;
    EXPECT_LE(std::ranges::max(minutes), kLimit);
  }
}

}  // namespace
}  // namespace chandler::exchange
