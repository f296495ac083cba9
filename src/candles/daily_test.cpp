#include "candles/daily.hpp"

#include <gtest/gtest.h>

#include <map>

#include "candles/test_klines.hpp"

namespace chandler::candles {
namespace {

constexpr Day kStart = from_day_number(19'000);

Day day(int n) {
  return kStart + std::chrono::days{n};
}

Bars bars_of(const std::map<int, double>& close_of_day) {
  Bars bars;
  for (const auto& [n, close] : close_of_day) {
    const std::int64_t t = to_ms(chandler::begin_of(day(n)));
    bars.rows.push_back(
        {t, close - 1, close + 2, close - 2, close, 10, 10 * close, kUnknown, kUnknown, 5, Source::rest});
    bars.count.push_back(1440);
  }
  return bars;
}

DailyRows filled(const Bars& bars, Day from, Day until) {
  Carry carry;
  return fill_days(bars, from, until, carry);
}

TEST(Daily, AMissingDayCarriesTheLastCloseWithVolumeZero) {
  const DailyRows rows = filled(bars_of({{0, 100}, {3, 130}}), day(0), day(5));
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(rows.filled, (std::vector<std::uint8_t>{0, 1, 1, 0, 1}));
  EXPECT_EQ(rows.count, (std::vector<std::int32_t>{1440, 0, 0, 1440, 0}));
  EXPECT_EQ(rows.volume, (std::vector<double>{10, 0, 0, 10, 0}));
  EXPECT_EQ(rows.close, (std::vector<double>{100, 100, 100, 130, 130}));
  EXPECT_EQ(rows.open, (std::vector<double>{99, 100, 100, 129, 130}));
  EXPECT_EQ(rows.high, (std::vector<double>{102, 100, 100, 132, 130}));
  EXPECT_EQ(rows.low, (std::vector<double>{98, 100, 100, 128, 130}));
  EXPECT_EQ(rows.quote_volume, (std::vector<double>{1000, 0, 0, 1300, 0}));
  EXPECT_EQ(rows.trades, (std::vector<std::int64_t>{5, 0, 0, 5, 0}));
  EXPECT_EQ(rows.vwap[0], 100);
  EXPECT_TRUE(std::isnan(rows.vwap[1]));
}

TEST(Daily, NothingIsFilledBeforeTheFirstKnownDay) {
  const DailyRows rows = filled(bars_of({{3, 130}}), day(0), day(5));
  EXPECT_EQ(rows.date, (std::vector<std::int32_t>{to_day_number(day(3)), to_day_number(day(4))}));
}

// The fifth mistake of the reference pipeline: the fill did not see the history.
TEST(Daily, TheFirstDayOfAPieceIsFilledFromTheHistoryBefore) {
  Carry carry{{90, 95}};
  const DailyRows rows = fill_days(bars_of({{2, 100}}), day(0), day(3), carry);
  EXPECT_EQ(rows.close, (std::vector<double>{95, 95, 100}));
  EXPECT_EQ(rows.ma7[0], (90.0 + 95 + 95) / 3);
  EXPECT_EQ(carry.closes, (std::vector<double>{90, 95, 95, 95, 100}));
}

TEST(Daily, AWholeMissingPieceIsFilledAndHandsTheCarryOn) {
  Carry carry{{90, 95}};
  const DailyRows rows = fill_days({}, day(0), day(40), carry);
  EXPECT_EQ(rows.close, std::vector<double>(40, 95));
  EXPECT_EQ(carry.closes, std::vector<double>(kCarriedCloses, 95));
}

TEST(Daily, ADayWithoutVolumeHasNoAveragePrice) {
  Bars bars = bars_of({{0, 100}, {1, 100}});
  bars.rows.volume[0] = 0;
  bars.rows.quote_volume[1] = kUnknown;
  const DailyRows rows = filled(bars, day(0), day(2));
  EXPECT_TRUE(std::isnan(rows.vwap[0]));
  EXPECT_TRUE(std::isnan(rows.vwap[1]));
}

// Computed by hand: closes 3, 4, …, 11.
TEST(Daily, MovingAveragesRunOverFewerRowsAtTheStart) {
  std::map<int, double> closes;
  for (int i = 0; i < 9; ++i) closes[i] = i + 3;
  const DailyRows rows = filled(bars_of(closes), day(0), day(9));
  EXPECT_EQ(rows.ma7, (std::vector<double>{3, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8}));
  EXPECT_EQ(rows.ma30, (std::vector<double>{3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7}));
}

TEST(Daily, MovingAveragesMatchLongDoubleMeans) {
  Random random(31);
  std::vector<double> closes;
  for (int i = 0; i < 500; ++i) closes.push_back(testing::random_price(random, 20'000, 70'000));
  for (const std::size_t window : {1, 7, 30}) {
    const auto means = moving_average({}, closes, window);
    for (std::size_t i = 0; i < closes.size(); ++i) {
      long double total = 0;
      std::size_t n = 0;
      for (std::size_t j = i + 1 >= window ? i + 1 - window : 0; j <= i; ++j, ++n) total += closes[j];
      EXPECT_NEAR(means[i], static_cast<double>(total / static_cast<long double>(n)), 1e-9);
    }
  }
}

bool identical(const DailyRows& a, const DailyRows& b) {
  const auto same = [](const std::vector<double>& x, const std::vector<double>& y) {
    return std::ranges::equal(x, y,
                              [](double p, double q) { return p == q || (std::isnan(p) && std::isnan(q)); });
  };
  return a.date == b.date && same(a.open, b.open) && same(a.high, b.high) && same(a.low, b.low) &&
         same(a.close, b.close) && same(a.volume, b.volume) && a.count == b.count && a.filled == b.filled &&
         same(a.ma7, b.ma7) && same(a.ma30, b.ma30) && same(a.quote_volume, b.quote_volume) &&
         a.trades == b.trades && same(a.vwap, b.vwap);
}

TEST(Daily, PiecesCutAnywhereJoinToTheWhole) {
  Random random(32);
  for (int round = 0; round < 200; ++round) {
    std::map<int, double> closes;
    const int length = 5 + static_cast<int>(random.below(120));
    for (int i = 0; i < length; ++i) {
      if (!random.chance(0.3)) closes[i] = testing::random_price(random, 100, 900);
    }
    const Bars bars = bars_of(closes);
    Carry carry_of_whole;
    const DailyRows whole = fill_days(bars, day(0), day(length), carry_of_whole);
    DailyRows joined;
    Carry carry;
    for (int from = 0; from < length;) {
      const int until = std::min(length, from + 1 + static_cast<int>(random.below(40)));
      const std::size_t first = lower_bound(bars.rows, chandler::begin_of(day(from)));
      const std::size_t last = lower_bound(bars.rows, chandler::begin_of(day(until)));
      Bars piece;
      piece.rows.append(bars.rows, first, last);
      piece.count.assign(bars.count.begin() + static_cast<std::ptrdiff_t>(first),
                         bars.count.begin() + static_cast<std::ptrdiff_t>(last));
      joined.append(fill_days(piece, day(from), day(until), carry));
      from = until;
    }
    ASSERT_TRUE(identical(joined, whole)) << "round " << round;
    EXPECT_EQ(carry, carry_of_whole);
  }
}

TEST(Daily, EveryDayFromTheFirstKnownOnHasOneRow) {
  Random random(33);
  std::map<int, double> closes;
  for (int i = 0; i < 100; ++i) {
    if (random.chance(0.2)) closes[i] = 100 + i;
  }
  const DailyRows rows = filled(bars_of(closes), day(0), day(110));
  const int first = closes.begin()->first;
  ASSERT_EQ(rows.size(), static_cast<std::size_t>(110 - first));
  double last = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const int n = first + static_cast<int>(i);
    EXPECT_EQ(rows.date[i], to_day_number(day(n)));
    if (closes.contains(n)) last = closes[n];
    EXPECT_EQ(rows.close[i], last);
    EXPECT_EQ(rows.filled[i], closes.contains(n) ? 0 : 1);
  }
}

TEST(Daily, MinutesWinOverTheDaysOfTheExchange) {
  const Bars minutes = bars_of({{1, 100}, {3, 103}}),
             days = bars_of({{0, 200}, {1, 201}, {2, 202}, {4, 204}});
  const Bars both = minutes_before_days(minutes, days);
  EXPECT_EQ(both.rows.close, (std::vector<double>{200, 100, 202, 103, 204}));
  ASSERT_EQ(both.count.size(), 5U);
  EXPECT_EQ(minutes_before_days({}, days).rows.close, days.rows.close);
  EXPECT_EQ(minutes_before_days(minutes, {}).rows.close, minutes.rows.close);
}

}  // namespace
}  // namespace chandler::candles
