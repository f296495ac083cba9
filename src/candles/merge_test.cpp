#include "candles/merge.hpp"

#include <gtest/gtest.h>

#include <map>

#include "candles/test_klines.hpp"

namespace chandler::candles {
namespace {

using testing::identical;
using testing::random_kline;

Klines of(std::initializer_list<Kline> rows) {
  Klines k;
  for (const Kline& row : rows) k.push_back(row);
  return k;
}

Kline row(std::int64_t minute, double close, Source source) {
  return {minute * kMinuteMs, 10, 20, 5, close, 1, 1, 1, 1, 1, source};
}

TEST(Merge, OfOneRankWhatIsStoredWinsUnlessAskedOtherwise) {
  const Klines stored = of({row(1, 11, Source::rest)}), incoming = of({row(1, 12, Source::archive)});
  const Merged kept = merge(stored, incoming);
  EXPECT_EQ(kept.rows.close[0], 11);
  EXPECT_EQ(kept.replaced, 0U);
  const Merged refetched = merge(stored, incoming, Ties::incoming_wins);
  EXPECT_EQ(refetched.rows.close[0], 12);
  EXPECT_EQ(refetched.replaced, 1U);
}

TEST(Merge, ABetterSourceReplacesAndAWorseOneNever) {
  const Source order[] = {Source::import, Source::stream, Source::rest};
  for (int a = 0; a < 3; ++a) {
    for (int b = 0; b < 3; ++b) {
      if (a == b) continue;
      for (const Ties ties : {Ties::stored_wins, Ties::incoming_wins}) {
        const Merged m = merge(of({row(1, 11, order[a])}), of({row(1, 12, order[b])}), ties);
        EXPECT_EQ(m.rows.close[0], b > a ? 12 : 11);
        ASSERT_EQ(m.differences.size(), 1U);
        EXPECT_EQ(m.differences[0].incoming_won, b > a);
      }
    }
  }
}

TEST(Merge, AValueThatDiffersIsReportedWithBothSides) {
  const Merged m = merge(of({row(1, 11, Source::rest), row(2, 11, Source::rest)}),
                         of({row(1, 11, Source::rest), row(2, 12, Source::rest)}));
  ASSERT_EQ(m.differences.size(), 1U);
  EXPECT_EQ(m.differences[0].stored.close, 11);
  EXPECT_EQ(m.differences[0].incoming.close, 12);
  EXPECT_FALSE(m.differences[0].incoming_won);
}

TEST(Merge, FetchingTheSameAgainRewritesNothing) {
  Random random(1);
  const Klines rows = testing::random_history(random, from_ms(0), 500, 0.1);
  for (const Ties ties : {Ties::stored_wins, Ties::incoming_wins}) {
    const Merged m = merge(rows, rows, ties);
    EXPECT_TRUE(identical(m.rows, rows));
    EXPECT_EQ(m.added, 0U);
    EXPECT_EQ(m.replaced, 0U);
    EXPECT_TRUE(m.differences.empty());
  }
}

TEST(Merge, EqualValuesOfABetterSourceTakeItsName) {
  const Merged m = merge(of({row(1, 11, Source::stream)}), of({row(1, 11, Source::rest)}));
  EXPECT_EQ(m.rows.source[0], Source::rest);
  EXPECT_EQ(m.replaced, 1U);
  EXPECT_TRUE(m.differences.empty());
}

TEST(Merge, WithAnEmptySideIsTheOther) {
  Random random(2);
  const Klines rows = testing::random_history(random, from_ms(0), 50);
  EXPECT_TRUE(identical(merge(rows, {}).rows, rows));
  const Merged m = merge({}, rows);
  EXPECT_TRUE(identical(m.rows, rows));
  EXPECT_EQ(m.added, rows.size());
}

// The rule of the design, one minute at a time, in a map.
Klines merged_in_a_map(const Klines& stored, const Klines& incoming, Ties ties) {
  std::map<std::int64_t, Kline> minutes;
  for (std::size_t i = 0; i < stored.size(); ++i) minutes[stored.open_time[i]] = stored.at(i);
  for (std::size_t i = 0; i < incoming.size(); ++i) {
    const Kline fresh = incoming.at(i);
    const auto [it, absent] = minutes.try_emplace(fresh.open_time, fresh);
    if (absent) continue;
    const int better = rank(fresh.source) - rank(it->second.source);
    if (better > 0 || (better == 0 && ties == Ties::incoming_wins && !same_values(fresh, it->second))) {
      it->second = fresh;
    }
  }
  Klines rows;
  for (const auto& [time, k] : minutes) rows.push_back(k);
  return rows;
}

Klines random_side(Random& random, std::size_t minutes) {
  const Source sources[] = {Source::import, Source::stream, Source::rest, Source::archive};
  Klines rows;
  for (std::size_t i = 0; i < minutes; ++i) {
    if (random.chance(0.4)) continue;
    // Few different values, so that equal rows meet as well.
    Random values(random.below(2) + i * 10);
    rows.push_back(random_kline(values, static_cast<std::int64_t>(i) * kMinuteMs, Source::rest));
    rows.source.back() = sources[random.below(4)];
  }
  return rows;
}

TEST(Merge, AgreesWithTheRuleAppliedMinuteByMinute) {
  Random random(3);
  for (int round = 0; round < 300; ++round) {
    const std::size_t minutes = 1 + random.below(120);
    const Klines a = random_side(random, minutes), b = random_side(random, minutes);
    for (const Ties ties : {Ties::stored_wins, Ties::incoming_wins}) {
      const Merged m = merge(a, b, ties);
      ASSERT_TRUE(identical(m.rows, merged_in_a_map(a, b, ties))) << "round " << round;
      EXPECT_TRUE(is_sorted_unique(m.rows.open_time));
      EXPECT_EQ(m.rows.size(), a.size() + m.added);
    }
  }
}

TEST(Merge, PiecesInAnyOrderGiveTheSameHistory) {
  Random random(4);
  const Klines whole = testing::random_history(random, from_ms(0), 2000, 0.05);
  for (int round = 0; round < 30; ++round) {
    std::vector<Klines> pieces;
    for (int i = 0; i < 12; ++i) {
      const auto from = static_cast<std::int64_t>(random.below(2000));
      const auto length = static_cast<std::int64_t>(random.below(600));
      pieces.push_back(slice(whole, {from_ms(from * kMinuteMs), from_ms((from + length) * kMinuteMs)}));
    }
    pieces.push_back(slice(whole, {from_ms(0), from_ms(900 * kMinuteMs)}));
    pieces.push_back(slice(whole, {from_ms(800 * kMinuteMs), from_ms(2000 * kMinuteMs)}));
    Klines history;
    while (!pieces.empty()) {
      const std::size_t pick = random.below(pieces.size());
      history = merge(history, pieces[pick]).rows;
      pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(pick));
    }
    ASSERT_TRUE(identical(history, whole)) << "round " << round;
  }
}

}  // namespace
}  // namespace chandler::candles
