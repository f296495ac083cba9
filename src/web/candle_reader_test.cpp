#include "web/candle_reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "web/candle_format.hpp"
#include "web/test_lake.hpp"

namespace chandler::web {
namespace {

using candles::Interval;
using candles::Kline;
using candles::Klines;

// A second, plain way to the same candles: one pass over all minutes, a candle at a time.
struct PlainCandle {
  Kline k;
  std::int32_t minutes = 0;
};
std::vector<PlainCandle> plain(const Klines& minutes, Interval interval, Millis zone) {
  std::vector<PlainCandle> all;
  for (std::size_t i = 0; i < minutes.size(); ++i) {
    const Kline m = minutes.at(i);
    const Timestamp begin = candles::begin_of(interval, from_ms(m.open_time) + zone) - zone;
    if (all.empty() || all.back().k.open_time != to_ms(begin)) {
      all.push_back({m, 0});
      all.back().k.open_time = to_ms(begin);
    } else {
      Kline& k = all.back().k;
      k.high = std::max(k.high, m.high);
      k.low = std::min(k.low, m.low);
      k.close = m.close;
      k.volume += m.volume;
      k.trades += m.trades;
      k.quote_volume += m.quote_volume;
      k.taker_buy_volume += m.taker_buy_volume;
    }
    ++all.back().minutes;
  }
  return all;
}

std::vector<PlainCandle> page_of(std::vector<PlainCandle> all, const CandleQuery& query) {
  std::erase_if(all, [&](const PlainCandle& c) {
    return (query.start && c.k.open_time < to_ms(*query.start)) ||
           (query.end && c.k.open_time > to_ms(*query.end));
  });
  if (all.size() > query.limit) {
    if (query.start) {
      all.resize(query.limit);
    } else {
      all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(query.limit));
    }
  }
  return all;
}

class CandleReaderTest : public ::testing::Test {
 protected:
  CandleReaderTest() {
    const Timestamp begin = *parse_instant("2024-01-20T07:13");
    const RangeSet holes{{begin + 500 * kMinute, begin + 9'000 * kMinute},
                         {begin + 60'000 * kMinute, begin + 60'003 * kMinute}};
    minutes_ = lake_.add_minutes("BTCUSDT", begin, 75 * 1440, holes);
    lake_.derive("BTCUSDT");
    listing_ = *list_lake(*lake_.storage());
  }
  const SymbolFiles& files() { return *listing_.find("BTCUSDT"); }

  TestLake lake_;
  Klines minutes_;
  LakeListing listing_;
  CandleBlocks blocks_{lake_.storage(), 8 << 20};
  CandleReader reader_{blocks_};
};

TEST_F(CandleReaderTest, AnyPageEqualsAPlainPassOverTheMinutes) {
  Random random(7);
  const std::int64_t first = minutes_.open_time.front(), last = minutes_.open_time.back();
  for (int round = 0; round < 400; ++round) {
    CandleQuery query;
    query.interval = candles::kIntervals[random.below(candles::kIntervals.size())];
    query.limit = 1 + random.below(random.chance(0.5) ? 20 : 1000);
    if (random.chance(0.3))
      query.time_zone = Millis{(static_cast<std::int64_t>(random.below(105)) - 48) * 15 * kMinuteMs};
    const auto instant = [&] {
      return from_ms(
          first - 5 * kDayMs +
          static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(last - first + 10 * kDayMs))));
    };
    if (random.chance(0.6)) query.start = instant();
    if (random.chance(0.6)) query.end = instant();
    if (query.start && query.end && *query.end < *query.start) std::swap(*query.start, *query.end);
    const auto page = reader_.read(files(), query);
    ASSERT_TRUE(page) << to_text(page.error());
    const auto expected = page_of(plain(minutes_, query.interval, query.time_zone), query);
    ASSERT_EQ(page->size(), expected.size()) << "round " << round << " " << candles::name(query.interval);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const Kline k = page->rows.at(i), &e = expected[i].k;
      ASSERT_EQ(k.open_time, e.open_time) << "round " << round;
      ASSERT_EQ(k.open, e.open);
      ASSERT_EQ(k.high, e.high);
      ASSERT_EQ(k.low, e.low);
      ASSERT_EQ(k.close, e.close);
      ASSERT_EQ(k.trades, e.trades);
      ASSERT_NEAR(k.volume, e.volume, 1e-9 * e.volume + 1e-12);
      ASSERT_NEAR(k.taker_buy_volume, e.taker_buy_volume, 1e-9 * e.taker_buy_volume + 1e-12);
      ASSERT_EQ(page->minutes[i], expected[i].minutes);
    }
  }
  EXPECT_LE(blocks_.bytes(), 8U << 20);
}

TEST_F(CandleReaderTest, DaysWithoutTakerVolumesAreTheSamePrices) {
  CandleQuery query;
  query.interval = Interval::d1;
  const auto all = reader_.read(files(), query);
  query.detail = serving::Detail::prices;
  const auto prices = reader_.read(files(), query);
  ASSERT_TRUE(all && prices);
  EXPECT_EQ(all->rows.open_time, prices->rows.open_time);
  EXPECT_EQ(all->rows.close, prices->rows.close);
  EXPECT_EQ(all->rows.volume, prices->rows.volume);
  EXPECT_EQ(all->minutes, prices->minutes);
}

TEST_F(CandleReaderTest, AFilledPageHasNoHoleAndSaysWhatIsMadeUp) {
  CandleQuery query;
  query.interval = Interval::h1;
  query.limit = 5000;
  const auto page = reader_.read(files(), query);
  ASSERT_TRUE(page);
  const auto filled = fill(*page, Interval::h1);
  std::size_t made_up = 0;
  for (std::size_t i = 0; i < filled.size(); ++i) {
    if (i > 0) {
      ASSERT_EQ(filled.rows.open_time[i] - filled.rows.open_time[i - 1], 3'600'000);
    }
    if (filled.filled[i] == 0) continue;
    ++made_up;
    EXPECT_EQ(filled.rows.volume[i], 0);
    EXPECT_EQ(filled.rows.open[i], filled.rows.close[i - 1]);
  }
  EXPECT_EQ(made_up + page->size(), filled.size());
  EXPECT_GT(made_up, 100U);
}

TEST_F(CandleReaderTest, TheOpenMinuteIsShownAsProvisionalAndMoves) {
  const Timestamp next = from_ms(minutes_.open_time.back()) + kMinute;
  Kline open = minutes_.at(minutes_.size() - 1);
  open.open_time = to_ms(next);
  for (const double close : {100.0, 101.5}) {
    open.open = open.low = 100;
    open.close = open.high = close;
    lake_.set_open("BTCUSDT", open, next + Millis{static_cast<std::int64_t>(close * 100)});
    listing_ = *list_lake(*lake_.storage());
    CandleQuery query;
    query.limit = 3;
    const auto page = reader_.read(files(), query);
    ASSERT_TRUE(page) << to_text(page.error());
    ASSERT_EQ(page->size(), 3U);
    EXPECT_EQ(page->rows.open_time.back(), to_ms(next));
    EXPECT_EQ(page->rows.close.back(), close);
    EXPECT_EQ(page->provisional, (std::vector<std::uint8_t>{0, 0, 1}));
  }
}

TEST(CandleFormat, ArrowCsvAndJsonTellTheSame) {
  serving::Candles c;
  Kline k;
  k.open_time = 1714521600000;
  k.open = k.high = k.low = k.close = 0.1;
  k.volume = 3;
  c.rows.push_back(k);
  c.minutes = {1440};
  c.filled = {0};
  c.provisional = {1};
  EXPECT_EQ(candles_csv(c),
            "open_time,open,high,low,close,volume,quote_volume,taker_buy_volume,taker_buy_quote_volume,"
            "trades,minutes,"
            "filled,provisional\n2024-05-01T00:00:00Z,0.1,0.1,0.1,0.1,3,,,,,1440,false,true\n");
  EXPECT_EQ(
      candles_json("A\"B", Interval::d1, c),
      R"({"symbol":"A\"B","interval":"1d","open_time":[1714521600000],"open":[0.1],"high":[0.1],"low":[0.1],)"
      R"("close":[0.1],"volume":[3],"quote_volume":[null],"taker_buy_volume":[null],)"
      R"("taker_buy_quote_volume":[null],"trades":[null],"minutes":[1440],"filled":[0],"provisional":[1]})");
  const auto arrow = candles_arrow(c);
  ASSERT_TRUE(arrow);
  EXPECT_EQ(arrow->substr(0, 4), "\xff\xff\xff\xff") << "the mark of an IPC message";
}

}  // namespace
}  // namespace chandler::web
