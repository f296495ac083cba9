#include "candles/roll_up.hpp"

#include <gtest/gtest.h>

#include <map>

#include "candles/test_klines.hpp"

namespace chandler::candles {
namespace {

using testing::identical;
using testing::random_history;

// Minutes gathered in a map from candle to rows, then each candle by its definition.
std::map<std::int64_t, std::vector<Kline>> grouped(const Klines& minutes, Interval interval) {
  std::map<std::int64_t, std::vector<Kline>> groups;
  for (std::size_t i = 0; i < minutes.size(); ++i) {
    groups[to_ms(begin_of(interval, from_ms(minutes.open_time[i])))].push_back(minutes.at(i));
  }
  return groups;
}

Kline candle_of(std::int64_t open_time, const std::vector<Kline>& minutes) {
  Kline k = minutes.front();
  k.open_time = open_time;
  k.close = minutes.back().close;
  k.volume = k.quote_volume = k.taker_buy_volume = k.taker_buy_quote_volume = 0;
  k.trades = 0;
  for (const Kline& m : minutes) {
    k.high = std::max(k.high, m.high);
    k.low = std::min(k.low, m.low);
    k.volume += m.volume;
    k.quote_volume += m.quote_volume;
    k.taker_buy_volume += m.taker_buy_volume;
    k.taker_buy_quote_volume += m.taker_buy_quote_volume;
    if (k.trades != kUnknownTrades)
      k.trades = m.trades == kUnknownTrades ? kUnknownTrades : k.trades + m.trades;
  }
  return k;
}

TEST(RollUp, AgreesWithTheDefinitionForEveryInterval) {
  Random random(21);
  for (const Interval interval : kIntervals) {
    const Klines minutes = random_history(random, from_ms(1'709'000'040'000), 20'000, 0.2, 3000);
    const Bars bars = roll_up(spans_of(minutes), interval);
    const auto groups = grouped(minutes, interval);
    ASSERT_EQ(bars.size(), groups.size()) << name(interval);
    ASSERT_EQ(bars.rows.size(), bars.count.size());
    std::size_t i = 0;
    for (const auto& [open_time, rows] : groups) {
      EXPECT_TRUE(same_values(bars.rows.at(i), candle_of(open_time, rows)))
          << name(interval) << " at " << format_minute(from_ms(open_time));
      EXPECT_EQ(bars.count[i], static_cast<std::int32_t>(rows.size()));
      ++i;
    }
  }
}

// The exchange's own daily klines, fetched by someone else. Prices and trades are equal to the last digit;
// the exchange sums decimals, we sum doubles.
TEST(RollUp, RecordedMinutesGiveTheExchangesOwnDays) {
  const auto days = testing::read_cells(testing::test_data("binance/BTCUSDT_1d.csv"));
  ASSERT_EQ(days.size(), 3U);
  for (const auto& cells : days) {
    const std::int64_t open_time = std::stoll(cells.at(2));
    const std::string day = format_day(day_of(from_ms(open_time)));
    SCOPED_TRACE(day);
    const Klines minutes = testing::recorded_minutes("BTCUSDT-1m-" + day + ".csv");
    const Bars bars = roll_up(spans_of(minutes), Interval::d1);
    ASSERT_EQ(bars.size(), 1U);
    const Kline k = bars.rows.at(0);
    EXPECT_EQ(k.open_time, open_time);
    EXPECT_EQ(k.open, std::stod(cells.at(4)));
    EXPECT_EQ(k.high, std::stod(cells.at(5)));
    EXPECT_EQ(k.low, std::stod(cells.at(6)));
    EXPECT_EQ(k.close, std::stod(cells.at(7)));
    EXPECT_NEAR(k.volume / std::stod(cells.at(8)), 1, 1e-9);
    EXPECT_EQ(k.trades, std::stoll(cells.at(9)));
  }
}

TEST(RollUp, ADayWithMissingMinutesIsRolledUpFromThoseThatExist) {
  const Klines minutes = testing::recorded_minutes("BTCUSDT-1m-2023-03-24.csv");
  const Bars bars = roll_up(spans_of(minutes), Interval::d1);
  ASSERT_EQ(bars.size(), 1U);
  EXPECT_EQ(bars.count[0], 1440 - 80);  // the outage of 12:40–13:59
}

TEST(RollUp, ACandleWithoutMinutesIsAbsent) {
  Klines minutes;
  for (const std::int64_t minute : {0, 7}) minutes.push_back({.open_time = minute * kMinuteMs});
  const Bars bars = roll_up(spans_of(minutes), Interval::m3);
  EXPECT_EQ(bars.rows.open_time, (std::vector<std::int64_t>{0, 6 * kMinuteMs}));
}

// Found by fuzzing.
TEST(RollUp, ASumOfTradesThatNoCountCanHoldIsUnknown) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t sign : {1, -1}) {
    Klines minutes;
    for (std::int64_t i = 0; i < 2; ++i)
      minutes.push_back({i * kMinuteMs, 1, 1, 1, 1, 2, 3, 4, 5, sign * (kMost - 5), Source::rest});
    const Bars bars = roll_up(spans_of(minutes), Interval::h1);
    EXPECT_EQ(bars.rows.trades[0], kUnknownTrades);
    EXPECT_EQ(bars.rows.volume[0], 4);
  }
}

TEST(RollUp, ASumOverAnUnknownIsUnknown) {
  Klines minutes;
  for (std::int64_t i = 0; i < 3; ++i)
    minutes.push_back({i * kMinuteMs, 1, 1, 1, 1, 2, 3, 4, 5, 6, Source::rest});
  minutes.quote_volume[1] = kUnknown;
  minutes.trades[2] = kUnknownTrades;
  const Bars bars = roll_up(spans_of(minutes), Interval::h1);
  EXPECT_EQ(bars.rows.volume[0], 6);
  EXPECT_TRUE(std::isnan(bars.rows.quote_volume[0]));
  EXPECT_EQ(bars.rows.taker_buy_volume[0], 12);
  EXPECT_EQ(bars.rows.trades[0], kUnknownTrades);
}

TEST(RollUp, ColumnsThatWereNotReadAreUnknown) {
  Random random(22);
  const Klines minutes = random_history(random, from_ms(0), 3000);
  KlineSpans spans = spans_of(minutes);
  const Bars whole = roll_up(spans, Interval::d1);
  spans.taker_buy_volume = spans.taker_buy_quote_volume = spans.quote_volume = {};
  spans.trades = {};
  const Bars bars = roll_up(spans, Interval::d1);
  ASSERT_EQ(bars.size(), whole.size());
  EXPECT_EQ(bars.rows.volume, whole.rows.volume);
  for (std::size_t i = 0; i < bars.size(); ++i) {
    EXPECT_TRUE(std::isnan(bars.rows.quote_volume[i]));
    EXPECT_TRUE(std::isnan(bars.rows.taker_buy_volume[i]));
    EXPECT_EQ(bars.rows.trades[i], kUnknownTrades);
  }
}

TEST(RollUp, DoesNotDependOnWhereTheHistoryIsCutBetweenCandles) {
  Random random(23);
  const Klines minutes = random_history(random, from_ms(1'709'251'200'000), 20 * 1440, 0.1);
  const Bars whole = roll_up(spans_of(minutes), Interval::d1);
  for (int round = 0; round < 20; ++round) {
    Bars joined;
    std::size_t first = 0;
    while (first < minutes.size()) {
      const Day day = day_of(from_ms(minutes.open_time[first])) + std::chrono::days{1 + random.below(6)};
      const std::size_t last = lower_bound(minutes, chandler::begin_of(day));
      const Bars part = roll_up(spans_of(minutes).subspan(first, last - first), Interval::d1);
      joined.rows.append(part.rows);
      joined.count.insert(joined.count.end(), part.count.begin(), part.count.end());
      first = last;
    }
    EXPECT_TRUE(identical(joined.rows, whole.rows));
    EXPECT_EQ(joined.count, whole.count);
  }
}

TEST(RollUp, NothingGivesNothing) {
  EXPECT_EQ(roll_up(spans_of(Klines{}), Interval::d1).size(), 0U);
}

}  // namespace
}  // namespace chandler::candles
