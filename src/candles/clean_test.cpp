#include "candles/clean.hpp"

#include <gtest/gtest.h>

#include <bit>

#include "candles/test_klines.hpp"

namespace chandler::candles {
namespace {

using testing::identical;
using testing::random_kline;

constexpr std::int64_t kMay = 1'714'521'600'000;  // 2024-05-01
constexpr double kInf = std::numeric_limits<double>::infinity();

Kline plain(std::int64_t open_time = kMay) {
  return {open_time, 10, 12, 9, 11, 5, 55, 2, 22, 7, Source::rest};
}

template <class Change>
std::optional<Reason> reason_after(Change change) {
  Kline k = plain();
  change(k);
  return impossible(k, kMinuteMs);
}

TEST(Clean, EachImpossibleRowIsRejectedForItsReason) {
  EXPECT_EQ(reason_after([](Kline&) {}), std::nullopt);
  EXPECT_EQ(reason_after([](Kline& k) { k.open_time += 1; }), Reason::off_grid);
  EXPECT_EQ(reason_after([](Kline& k) { k.open_time = 1'714'521'600; }),
            Reason::time_out_of_range);                                                       // seconds
  EXPECT_EQ(reason_after([](Kline& k) { k.open_time *= 1000; }), Reason::time_out_of_range);  // microseconds
  EXPECT_EQ(reason_after([](Kline& k) { k.open_time = -kMinuteMs; }), Reason::time_out_of_range);
  for (double Kline::*field : {&Kline::open, &Kline::high, &Kline::low, &Kline::close, &Kline::volume}) {
    EXPECT_EQ(reason_after([&](Kline& k) { k.*field = kUnknown; }), Reason::not_finite);
    EXPECT_EQ(reason_after([&](Kline& k) { k.*field = kInf; }), Reason::not_finite);
    EXPECT_EQ(reason_after([&](Kline& k) { k.*field = -kInf; }), Reason::not_finite);
  }
  EXPECT_EQ(reason_after([](Kline& k) { k.quote_volume = kInf; }), Reason::not_finite);
  EXPECT_EQ(reason_after([](Kline& k) { k.high = 8; }), Reason::high_below_low);
  EXPECT_EQ(reason_after([](Kline& k) { k.low = 0; }), Reason::not_positive);
  EXPECT_EQ(reason_after([](Kline& k) { k.low = -1; }), Reason::not_positive);
  for (double Kline::*field : {&Kline::open, &Kline::high, &Kline::low, &Kline::close}) {
    EXPECT_EQ(reason_after([&](Kline& k) { k.*field = -(k.*field); }), Reason::not_positive);
  }
  EXPECT_EQ(reason_after([](Kline& k) { k.open = 12.01; }), Reason::open_outside);
  EXPECT_EQ(reason_after([](Kline& k) { k.open = 8.99; }), Reason::open_outside);
  EXPECT_EQ(reason_after([](Kline& k) { k.close = 12.01; }), Reason::close_outside);
  EXPECT_EQ(reason_after([](Kline& k) { k.close = 8.99; }), Reason::close_outside);
  for (double Kline::*field :
       {&Kline::volume, &Kline::quote_volume, &Kline::taker_buy_volume, &Kline::taker_buy_quote_volume}) {
    EXPECT_EQ(reason_after([&](Kline& k) { k.*field = -1e-9; }), Reason::negative_volume);
  }
  EXPECT_EQ(reason_after([](Kline& k) { k.trades = -1; }), Reason::negative_volume);
  EXPECT_EQ(reason_after([](Kline& k) { k.trades = 100'000'000'000; }), std::nullopt);
  EXPECT_EQ(reason_after([](Kline& k) { k.trades = 100'000'000'001; }), Reason::too_many_trades);
  EXPECT_EQ(describe(Reason::too_many_trades), "more trades than a market has");
  EXPECT_EQ(describe(Reason::too_many_trades, kDayMs), "more trades than a market has");
  EXPECT_EQ(describe(Reason::off_grid, kDayMs), "open time is not midnight UTC, where a day begins");
}

TEST(Clean, WhatTheSourceLacksIsNoDefect) {
  EXPECT_EQ(reason_after([](Kline& k) {
              k.quote_volume = k.taker_buy_volume = k.taker_buy_quote_volume = kUnknown;
              k.trades = kUnknownTrades;
            }),
            std::nullopt);
}

TEST(Clean, ADayMustBeginAtMidnightUtc) {
  EXPECT_EQ(impossible(plain(kMay), kDayMs), std::nullopt);
  EXPECT_EQ(impossible(plain(kMay + 3'600'000), kDayMs), Reason::off_grid);
}

TEST(Clean, ARejectedRowKeepsItsNumberAndTheOthersStay) {
  Klines raw;
  for (std::int64_t i = 0; i < 5; ++i) raw.push_back(plain(kMay + i * kMinuteMs));
  raw.high[1] = 1;
  raw.open_time[3] += 30'000;
  const Cleaned cleaned = clean(raw);
  ASSERT_EQ(cleaned.rejected.size(), 2U);
  EXPECT_EQ(cleaned.rejected[0].row, 1U);
  EXPECT_EQ(cleaned.rejected[0].reason, Reason::high_below_low);
  EXPECT_EQ(cleaned.rejected[1].row, 3U);
  EXPECT_EQ(cleaned.rejected[1].reason, Reason::off_grid);
  EXPECT_EQ(cleaned.rejected[1].kline.open_time, kMay + 3 * kMinuteMs + 30'000);
  EXPECT_EQ(cleaned.rows.open_time,
            (std::vector<std::int64_t>{kMay, kMay + 2 * kMinuteMs, kMay + 4 * kMinuteMs}));
}

TEST(Clean, OfTwoSightsOfOneMinuteTheOneWithMoreTradingIsKept) {
  Kline early = plain(), late = plain();
  late.trades = 9;
  late.volume = 6;
  for (const bool late_first : {false, true}) {
    Klines raw;
    raw.push_back(late_first ? late : early);
    raw.push_back(late_first ? early : late);
    const Cleaned cleaned = clean(raw);
    ASSERT_EQ(cleaned.rows.size(), 1U);
    EXPECT_TRUE(same_values(cleaned.rows.at(0), late));
    ASSERT_EQ(cleaned.conflicting.size(), 1U);
    EXPECT_TRUE(same_values(cleaned.conflicting[0], early));
    EXPECT_EQ(cleaned.exact_repeats, 0U);
  }
}

TEST(Clean, ABetterSourceBeatsMoreTrading) {
  Kline rest = plain(), import = plain();
  import.source = Source::import;
  import.volume = 1000;
  Klines raw;
  raw.push_back(import);
  raw.push_back(rest);
  const Cleaned cleaned = clean(raw);
  ASSERT_EQ(cleaned.rows.size(), 1U);
  EXPECT_EQ(cleaned.rows.source[0], Source::rest);
}

TEST(Clean, ARowThatEqualsTheKeptOneIsARepeatWhateverStandsBetween) {
  Kline kept = plain(), other = plain(), repeat = plain();
  other.trades = 3;
  repeat.source = Source::import;
  Klines raw;
  for (const Kline& k : {other, repeat, kept}) raw.push_back(k);
  const Cleaned cleaned = clean(raw);
  EXPECT_EQ(cleaned.exact_repeats, 1U);
  ASSERT_EQ(cleaned.conflicting.size(), 1U);
  EXPECT_TRUE(same_values(cleaned.conflicting[0], other));
}

// Zero and unknown have many bit patterns; files must not depend on which one a parser produced.
TEST(Clean, NegativeZeroAndOddNansBecomePlain) {
  Klines raw;
  raw.push_back(plain());
  raw.volume[0] = -0.0;
  raw.quote_volume[0] = -kUnknown;
  raw.taker_buy_volume[0] = std::bit_cast<double>(0x7ff8000000001234ULL);
  const Cleaned cleaned = clean(raw);
  ASSERT_EQ(cleaned.rows.size(), 1U);
  EXPECT_FALSE(std::signbit(cleaned.rows.volume[0]));
  for (const double v : {cleaned.rows.quote_volume[0], cleaned.rows.taker_buy_volume[0]}) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(v), std::bit_cast<std::uint64_t>(kUnknown));
  }
}

TEST(Clean, AnEmptyInputGivesAnEmptyOutput) {
  const Cleaned cleaned = clean({});
  EXPECT_TRUE(cleaned.rows.empty());
  EXPECT_TRUE(cleaned.rejected.empty());
}

// Rows with everything wrong that can be wrong, from few minutes so that conflicts are common.
Klines defective_rows(Random& random, std::size_t count) {
  Klines raw;
  const Source sources[] = {Source::import, Source::stream, Source::rest, Source::archive};
  for (std::size_t i = 0; i < count; ++i) {
    const auto t = kMay + static_cast<std::int64_t>(random.below(count / 3 + 1)) * kMinuteMs;
    Kline k = random_kline(random, t, sources[random.below(4)]);
    if (random.chance(0.3)) k.volume = static_cast<double>(random.below(3));
    if (random.chance(0.3)) k.trades = static_cast<std::int64_t>(random.below(3));
    if (random.chance(0.05)) std::swap(k.low, k.high);
    if (random.chance(0.05)) k.open_time += 1;
    if (random.chance(0.05)) k.close = kUnknown;
    if (random.chance(0.05)) k.volume = -k.volume;
    if (!raw.empty() && random.chance(0.2)) k = raw.at(random.below(raw.size()));
    raw.push_back(k);
  }
  return raw;
}

TEST(Clean, AnyOrderAndDuplicationOfTheInputGivesTheSameOutput) {
  Random random(11);
  for (int round = 0; round < 200; ++round) {
    Klines raw = defective_rows(random, 1 + random.below(200));
    const Cleaned expected = clean(raw);
    const std::size_t distinct = raw.size();
    for (std::size_t i = 0; i < distinct; ++i) {
      if (random.chance(0.3)) raw.push_back(raw.at(i));
    }
    testing::shuffle(raw, random);
    ASSERT_TRUE(identical(clean(raw).rows, expected.rows)) << "round " << round;
  }
}

TEST(Clean, EveryRowIsKeptRejectedARepeatOrAConflict) {
  Random random(12);
  for (int round = 0; round < 100; ++round) {
    const Klines raw = defective_rows(random, 1 + random.below(300));
    const Cleaned cleaned = clean(raw);
    EXPECT_EQ(
        cleaned.rows.size() + cleaned.rejected.size() + cleaned.exact_repeats + cleaned.conflicting.size(),
        raw.size());
    EXPECT_TRUE(is_sorted_unique(cleaned.rows.open_time));
    for (std::size_t i = 0; i < cleaned.rows.size(); ++i) {
      EXPECT_EQ(impossible(cleaned.rows.at(i), kMinuteMs), std::nullopt);
    }
  }
}

TEST(Clean, CleaningWhatIsCleanChangesNothing) {
  Random random(13);
  const Klines once = clean(defective_rows(random, 500)).rows;
  const Cleaned twice = clean(once);
  EXPECT_TRUE(identical(twice.rows, once));
  EXPECT_TRUE(twice.rejected.empty());
  EXPECT_EQ(twice.exact_repeats, 0U);
}

TEST(Clean, RecordedArchivesAreCleanAsTheyAre) {
  for (const char* file : {"BTCUSDT-1m-2023-03-24.csv", "BTCUSDT-1m-2024-05-31.csv"}) {
    const Klines raw = testing::recorded_minutes(file);
    const Cleaned cleaned = clean(raw);
    EXPECT_TRUE(identical(cleaned.rows, raw)) << file;
    EXPECT_TRUE(cleaned.rejected.empty()) << file;
  }
}

}  // namespace
}  // namespace chandler::candles
