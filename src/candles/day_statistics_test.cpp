#include "candles/day_statistics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chandler::candles {
namespace {

using namespace std::chrono_literals;

// Real days are given by open, close and volume; a day that is skipped is filled.
struct Input {
  Day date;
  double open, close, volume;
};

DailyRows daily(const std::vector<Input>& known) {
  Bars bars;
  for (const Input& d : known) {
    bars.rows.push_back({to_ms(chandler::begin_of(d.date)), d.open, std::max(d.open, d.close),
                         std::min(d.open, d.close), d.close, d.volume});
    bars.count.push_back(1440);
  }
  Carry carry;
  return fill_days(bars, known.front().date, known.back().date + std::chrono::days{1}, carry);
}

const DailyRows kDays = daily({{2023y / 12 / 30, 100, 110, 5},
                               {2023y / 12 / 31, 110, 99, 9},
                               // two filled days
                               {2024y / 1 / 3, 100, 120, 9},
                               {2024y / 1 / 4, 120, 120, 1},
                               {2024y / 2 / 1, 130, 65, 3}});

TEST(DayStatistics, LargestChangesComeFirstInEitherDirectionAndFilledDaysNever) {
  const auto top = top_price_change_days(kDays, 3);
  ASSERT_EQ(top.size(), 3U);
  EXPECT_EQ(top[0].date, Day{2024y / 2 / 1});
  EXPECT_EQ(top[0].change, -65);
  EXPECT_EQ(top[0].percent, -50);
  EXPECT_EQ(top[1].date, Day{2024y / 1 / 3});
  EXPECT_EQ(top[1].percent, 20);
  // 2023-12-30 and 2023-12-31 both moved by a tenth: the earlier one is named.
  EXPECT_EQ(top[2].date, Day{2023y / 12 / 30});
  EXPECT_EQ(top_price_change_days(kDays, 1000).size(), 5U);
}

TEST(DayStatistics, OfEqualVolumesTheEarlierDayComesFirst) {
  const auto top = top_volume_days(kDays, 2);
  ASSERT_EQ(top.size(), 2U);
  EXPECT_EQ(top[0].date, Day{2023y / 12 / 31});
  EXPECT_EQ(top[1].date, Day{2024y / 1 / 3});
}

TEST(DayStatistics, MonthlyAverageCountsRealDaysOnly) {
  const auto months = avg_volume_per_month(kDays);
  ASSERT_EQ(months.size(), 3U);
  EXPECT_EQ(months[0].average, 7);
  EXPECT_EQ(months[1].year, 2024);
  EXPECT_EQ(months[1].month, 1U);
  EXPECT_EQ(months[1].days, 2U);
  EXPECT_EQ(months[1].average, 5);
  EXPECT_EQ(months[2].average, 3);
}

TEST(DayStatistics, ReturnsAcrossAHoleAreNoDailyReturns) {
  const auto years = avg_return_per_year(kDays);
  ASSERT_EQ(years.size(), 2U);
  // 110 / 100 - 1 from the first open, then 99 / 110 - 1.
  EXPECT_NEAR(years[0].average, 0, 1e-15);
  EXPECT_EQ(years[0].days, 2U);
  EXPECT_NEAR(years[0].total, -0.01, 1e-15);
  // Only 2024-01-04 follows a real day.
  EXPECT_EQ(years[1].days, 1U);
  EXPECT_EQ(years[1].average, 0);
  EXPECT_DOUBLE_EQ(years[1].total, 65.0 / 99 - 1);
}

TEST(DayStatistics, NothingComesOfNothing) {
  EXPECT_TRUE(top_price_change_days({}, 10).empty());
  EXPECT_TRUE(top_volume_days({}, 10).empty());
  EXPECT_TRUE(avg_volume_per_month({}).empty());
  EXPECT_TRUE(avg_return_per_year({}).empty());
}

}  // namespace
}  // namespace chandler::candles
