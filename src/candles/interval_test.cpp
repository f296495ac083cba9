#include "candles/interval.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace chandler::candles {
namespace {

Timestamp at(const char* text) {
  return *parse_instant(text);
}

TEST(Interval, EveryNameReadsBackAndCaseMatters) {
  for (const Interval i : kIntervals) EXPECT_EQ(parse_interval(name(i)), i);
  EXPECT_EQ(parse_interval("1m"), Interval::m1);
  EXPECT_EQ(parse_interval("1M"), Interval::mo1);
  for (const char* text : {"", "1D", "2m", "1s", "1month", "60m"})
    EXPECT_EQ(parse_interval(text), std::nullopt);
}

// Open times that Binance's own klines have (recorded, or stated in its documentation).
TEST(Interval, CandlesBeginWhereTheExchangesDo) {
  const Timestamp t = at("2024-05-01T13:07:09Z");  // a Wednesday
  EXPECT_EQ(begin_of(Interval::m1, t), at("2024-05-01T13:07Z"));
  EXPECT_EQ(begin_of(Interval::m15, t), at("2024-05-01T13:00Z"));
  EXPECT_EQ(begin_of(Interval::h4, t), at("2024-05-01T12:00Z"));
  EXPECT_EQ(begin_of(Interval::h8, t), at("2024-05-01T08:00Z"));
  EXPECT_EQ(begin_of(Interval::d1, t), at("2024-05-01"));
  EXPECT_EQ(begin_of(Interval::w1, t), at("2024-04-29"));
  EXPECT_EQ(begin_of(Interval::mo1, at("2024-05-31T23:59:59.999Z")), at("2024-05-01"));
}

TEST(Interval, AWeekRunsFromMondayToMonday) {
  EXPECT_EQ(begin_of(Interval::w1, at("2024-04-29")), at("2024-04-29"));
  EXPECT_EQ(begin_of(Interval::w1, at("2024-05-05T23:59Z")), at("2024-04-29"));
  EXPECT_EQ(end_of(Interval::w1, at("2024-05-05T23:59Z")), at("2024-05-06"));
  EXPECT_EQ(begin_of(Interval::w1, at("1970-01-01")), at("1969-12-29"));
}

// Open times of recorded 3d klines of BTCUSDT; that of 2020-03-10 has the low of the 12th, 4410, and not yet
// that of the 13th, 3782.13.
TEST(Interval, ThreeDaysRunAsTheExchangesDo) {
  for (const char* open :
       {"2017-08-17", "2017-12-15", "2018-01-02", "2018-02-28", "2020-03-10", "2020-11-26"}) {
    EXPECT_EQ(begin_of(Interval::d3, at(open)), at(open));
    EXPECT_EQ(begin_of(Interval::d3, at(open) + 3 * kDay - Millis{1}), at(open));
    EXPECT_EQ(end_of(Interval::d3, at(open)), at(open) + 3 * kDay);
  }
  EXPECT_EQ(begin_of(Interval::d3, at("1970-01-01")), at("1969-12-30"));
}

TEST(Interval, AMonthHasItsOwnLength) {
  EXPECT_EQ(end_of(Interval::mo1, at("2024-02-10")), at("2024-03-01"));
  EXPECT_EQ(end_of(Interval::mo1, at("2023-02-10")), at("2023-03-01"));
  EXPECT_EQ(end_of(Interval::mo1, at("2023-12-31T23:59Z")), at("2024-01-01"));
}

TEST(Interval, CandlesTileTimeWithoutGapOrOverlap) {
  Random random(7);
  for (const Interval interval : kIntervals) {
    for (int i = 0; i < 500; ++i) {
      const Timestamp t =
          from_ms(static_cast<std::int64_t>(random.below(4'000'000'000'000)) - 500'000'000'000);
      const Timestamp begin = begin_of(interval, t), end = end_of(interval, t);
      EXPECT_LE(begin, t);
      EXPECT_LT(t, end);
      EXPECT_EQ(begin_of(interval, begin), begin);
      EXPECT_EQ(end_of(interval, begin), end);
      EXPECT_EQ(begin_of(interval, end), end);
      EXPECT_EQ(end_of(interval, begin - Millis{1}), begin);
    }
  }
}

}  // namespace
}  // namespace chandler::candles
