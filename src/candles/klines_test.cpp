#include "candles/klines.hpp"

#include <gtest/gtest.h>

#include "candles/test_klines.hpp"

namespace chandler::candles {
namespace {

using testing::identical;
using testing::random_history;

TEST(Klines, EverySourceReadsBackFromItsName) {
  for (const Source s : {Source::import, Source::stream, Source::rest, Source::archive}) {
    EXPECT_EQ(parse_source(name(s)), s);
  }
  for (const char* text : {"", "REST", "websocket", "rest "}) EXPECT_EQ(parse_source(text), std::nullopt);
}

TEST(Klines, PrecedenceIsArchiveAndRestThenStreamThenImport) {
  EXPECT_EQ(rank(Source::archive), rank(Source::rest));
  EXPECT_GT(rank(Source::rest), rank(Source::stream));
  EXPECT_GT(rank(Source::stream), rank(Source::import));
}

TEST(Klines, ARowComesBackAsItWasPushed) {
  Random random(1);
  Klines rows;
  std::vector<Kline> pushed;
  for (std::int64_t i = 0; i < 50; ++i) {
    pushed.push_back(
        testing::random_kline(random, i * kMinuteMs, i % 2 == 0 ? Source::rest : Source::import));
    rows.push_back(pushed.back());
  }
  ASSERT_EQ(rows.size(), pushed.size());
  for (std::size_t i = 0; i < pushed.size(); ++i) {
    EXPECT_TRUE(same_values(rows.at(i), pushed[i])) << i;
    EXPECT_EQ(rows.at(i).source, pushed[i].source);
  }
  rows.set(3, pushed[7]);
  EXPECT_TRUE(same_values(rows.at(3), pushed[7]));
}

TEST(Klines, UnknownEqualsUnknownAndNothingElse) {
  Kline a, b;
  EXPECT_TRUE(same_values(a, b));
  b.quote_volume = 0;
  EXPECT_FALSE(same_values(a, b));
  b = a;
  b.trades = 0;
  EXPECT_FALSE(same_values(a, b));
  b = a;
  b.source = Source::import;
  EXPECT_TRUE(same_values(a, b));
}

TEST(Klines, ColumnsStayTogetherWhenReordered) {
  Random random(2);
  const Klines rows = random_history(random, from_ms(0), 100, 0);
  Klines moved = rows;
  const std::vector<std::uint32_t> order = {99, 0, 50, 50, 1};
  moved.reorder(order);
  ASSERT_EQ(moved.size(), order.size());
  for (std::size_t i = 0; i < order.size(); ++i) EXPECT_TRUE(same_values(moved.at(i), rows.at(order[i])));
}

TEST(Klines, SlicesOfACutHistoryAddUpToTheWhole) {
  Random random(3);
  const Klines rows = random_history(random, from_ms(0), 5000, 0.1);
  for (int round = 0; round < 20; ++round) {
    Klines joined;
    Timestamp at = from_ms(0);
    const Timestamp end = from_ms(5000 * kMinuteMs);
    while (at < end) {
      const Timestamp next = at + Millis{static_cast<std::int64_t>(random.below(900 * kMinuteMs)) + 1};
      joined.append(slice(rows, {at, std::min(next, end)}));
      at = next;
    }
    EXPECT_TRUE(identical(joined, rows));
  }
  EXPECT_TRUE(slice(rows, {end_of(Day{}), begin_of(Day{})}).empty());
}

TEST(Klines, ARepeatedOpenTimeIsNotSortedUnique) {
  EXPECT_TRUE(is_sorted_unique({}));
  EXPECT_TRUE(is_sorted_unique(std::vector<std::int64_t>{-5, 0, 60000}));
  EXPECT_FALSE(is_sorted_unique(std::vector<std::int64_t>{0, 60000, 60000}));
  EXPECT_FALSE(is_sorted_unique(std::vector<std::int64_t>{60000, 0}));
}

TEST(Klines, LowerBoundFindsTheFirstRowAtOrAfter) {
  Klines rows;
  for (const std::int64_t t : {60'000, 120'000, 300'000}) rows.push_back({.open_time = t});
  EXPECT_EQ(lower_bound(rows, from_ms(0)), 0U);
  EXPECT_EQ(lower_bound(rows, from_ms(120'000)), 1U);
  EXPECT_EQ(lower_bound(rows, from_ms(120'001)), 2U);
  EXPECT_EQ(lower_bound(rows, from_ms(300'001)), 3U);
}

}  // namespace
}  // namespace chandler::candles
