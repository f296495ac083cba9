#include "candles/gaps.hpp"

#include <gtest/gtest.h>

#include <set>

#include "candles/test_klines.hpp"

namespace chandler::candles {
namespace {

TimeRange minutes(std::int64_t from, std::int64_t until) {
  return {from_ms(from * kMinuteMs), from_ms(until * kMinuteMs)};
}

TEST(Gaps, MissingRangesAreMaximalRuns) {
  const std::vector<std::int64_t> present = {2 * kMinuteMs, 3 * kMinuteMs, 7 * kMinuteMs};
  EXPECT_EQ(present_ranges(present), (RangeSet{minutes(2, 4), minutes(7, 8)}));
  EXPECT_EQ(missing_ranges(present, minutes(0, 10)),
            (RangeSet{minutes(0, 2), minutes(4, 7), minutes(8, 10)}));
  EXPECT_TRUE(missing_ranges(present, minutes(2, 4)).empty());
}

TEST(Gaps, NothingPresentIsAllMissing) {
  EXPECT_TRUE(present_ranges({}).empty());
  EXPECT_EQ(missing_ranges({}, minutes(5, 9)), RangeSet{minutes(5, 9)});
}

TEST(Gaps, TheRecordedOutageIsFoundToTheMinute) {
  const Klines rows = testing::recorded_minutes("BTCUSDT-1m-2023-03-24.csv");
  const Day day = *parse_day("2023-03-24");
  const RangeSet missing = missing_ranges(rows.open_time, {chandler::begin_of(day), chandler::end_of(day)});
  EXPECT_EQ(missing, (RangeSet{{*parse_instant("2023-03-24T12:40Z"), *parse_instant("2023-03-24T14:00Z")}}));
}

TEST(Gaps, AgreeWithASetOfMinutes) {
  Random random(41);
  for (int round = 0; round < 100; ++round) {
    const Klines rows = testing::random_history(random, from_ms(0), 600, 0.3);
    const std::set<std::int64_t> present(rows.open_time.begin(), rows.open_time.end());
    const auto from = static_cast<std::int64_t>(random.below(300));
    const auto until = from + static_cast<std::int64_t>(random.below(400));
    const RangeSet missing = missing_ranges(rows.open_time, minutes(from, until));
    std::int64_t count = 0;
    for (std::int64_t m = from; m < until; ++m) {
      const bool is_missing = !present.contains(m * kMinuteMs);
      EXPECT_EQ(missing.contains(from_ms(m * kMinuteMs)), is_missing);
      count += is_missing ? 1 : 0;
    }
    EXPECT_EQ(missing.length().count(), count * kMinuteMs);
  }
}

TEST(Gaps, DaysHaveTheirOwnGrid) {
  const std::vector<std::int64_t> days = {0, kDayMs, 4 * kDayMs};
  EXPECT_EQ(
      missing_ranges(days, {from_ms(0), from_ms(6 * kDayMs)}, kDayMs),
      (RangeSet{{from_ms(2 * kDayMs), from_ms(4 * kDayMs)}, {from_ms(5 * kDayMs), from_ms(6 * kDayMs)}}));
}

TEST(Gaps, ADayIsMissingOnlyWithoutAnyMinute) {
  const Day first = from_day_number(100);
  const std::vector<std::int64_t> present = {to_ms(begin_of(first)) + 5 * kMinuteMs,
                                             to_ms(end_of(first + std::chrono::days{2})) - kMinuteMs};
  const auto missing = missing_days(present, first, first + std::chrono::days{5});
  EXPECT_EQ(missing, (std::vector<Day>{first + std::chrono::days{1}, first + std::chrono::days{3},
                                       first + std::chrono::days{4}}));
}

}  // namespace
}  // namespace chandler::candles
