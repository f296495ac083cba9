#include "batch/status.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "batch/derive.hpp"
#include "lake/test_lake.hpp"

namespace chandler::batch {
namespace {

using lake::Table;
using lake::testing::at;
using lake::testing::store;
using lake::testing::TemporaryLake;
using lake::testing::value;
using ::testing::HasSubstr;

candles::Klines minutes(const char* from, std::size_t count) {
  Random random(1);
  return candles::testing::random_history(random, at(from), count, 0);
}

TEST(Status, AnEmptyLakeHasNoSymbols) {
  const TemporaryLake lake;
  EXPECT_TRUE(value(read_status(lake.storage(), {})).empty());
  EXPECT_EQ(read_status(lake.storage(), {"BTCUSDT"}).error().code, ErrorCode::not_found);
}

TEST(Status, CountsHolesAndWhichOfThemNobodyWasAskedFor) {
  const TemporaryLake lake;
  store(lake.storage(), Table::klines_1m, "X", minutes("2024-05-01", 100));
  store(lake.storage(), Table::klines_1m, "X", minutes("2024-05-01T02:00Z", 60),  // 20 minutes later
        {{at("2024-05-01"), at("2024-05-01T01:50Z")}});  // of which 10 were asked for
  store(lake.storage(), Table::klines_1m, "X", minutes("2024-05-01T03:01Z", 19));  // and one more missing
  const SymbolStatus s = value(read_status(lake.storage(), {})).at(0);
  EXPECT_EQ(s.symbol, "X");
  EXPECT_EQ(s.minutes, 179U);
  EXPECT_EQ(s.first, at("2024-05-01"));
  EXPECT_EQ(s.last, at("2024-05-01T03:19Z"));
  EXPECT_EQ(s.holes, 2U);
  EXPECT_EQ(s.missing_minutes, 21U);
  EXPECT_EQ(s.not_asked_minutes, 11U);
  EXPECT_DOUBLE_EQ(s.coverage, 179.0 / 200.0);
}

TEST(Status, LagIsBehindTheNewestThatAnyOfTheSymbolsReadKnows) {
  const TemporaryLake lake;
  store(lake.storage(), Table::klines_1m, "A", minutes("2024-05-01", 60));
  store(lake.storage(), Table::klines_1m, "B", minutes("2024-05-01", 30),
        {{at("2024-05-01"), at("2024-05-01T02:00Z")}});
  const auto all = value(read_status(lake.storage(), {}));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].lag, Millis{60 * kMinuteMs});
  EXPECT_EQ(all[1].lag, Millis{90 * kMinuteMs});
  EXPECT_EQ(value(read_status(lake.storage(), {"A"})).at(0).lag, Millis{0}) << "nothing of B is read";
  EXPECT_EQ(value(read_status(lake.storage(), {"B", "A"})).at(1).lag, all[0].lag);
}

TEST(Status, OfOneSymbolIsToldHoweverDamagedTheOthersAre) {
  const TemporaryLake lake;
  store(lake.storage(), Table::klines_1m, "A", minutes("2024-05-01", 90));
  store(lake.storage(), Table::klines_1m, "B", minutes("2024-05-01", 180));
  std::filesystem::resize_file(lake.file("klines_1m/symbol=B/year=2024/month=5/part.parquet"), 100);
  EXPECT_EQ(value(read_status(lake.storage(), {"A"})).at(0).minutes, 90U);
  EXPECT_EQ(read_status(lake.storage(), {"B"}).error().code, ErrorCode::damaged);
}

TEST(Status, AnImportedHistoryIsNotLateForTheRestOfItsLastDay) {
  const TemporaryLake lake;
  candles::Klines rows = minutes("2024-05-01", 700);
  std::ranges::fill(rows.source, candles::Source::import);
  store(lake.storage(), Table::klines_1m, "X", rows);
  EXPECT_EQ(value(read_status(lake.storage(), {})).at(0).lag, Millis{0});
}

TEST(Status, DaysAndSpeedMinutesAreCounted) {
  const TemporaryLake lake;
  store(lake.storage(), Table::klines_1m, "X", minutes("2024-05-01", 1440));
  store(lake.storage(), Table::klines_1m, "X", minutes("2024-05-04", 1440));
  store(lake.storage(), Table::speed_1m, "X", minutes("2024-05-05", 12));
  NoProgress progress;
  value(derive(lake.storage(), {"X"}, Extent::what_changed, progress));
  const SymbolStatus s = value(read_status(lake.storage(), {"X"})).at(0);
  EXPECT_EQ(s.days, 4U);
  EXPECT_EQ(s.filled_days, 2U);
  EXPECT_EQ(s.first_day, *parse_day("2024-05-01"));
  EXPECT_EQ(s.last_day, *parse_day("2024-05-04"));
  EXPECT_EQ(s.speed_minutes, 12U);
}

TEST(Status, AnUnknownSymbolIsAnErrorThatNamesThoseThereAre) {
  const TemporaryLake lake;
  store(lake.storage(), Table::klines_1m, "BTCUSDT", minutes("2024-05-01", 5));
  const auto status = read_status(lake.storage(), {"BTCUSD"});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::not_found);
  EXPECT_EQ(status.error().what, "the lake has no symbol BTCUSD; did you mean BTCUSDT?");
  EXPECT_THAT(status.error().remedy, HasSubstr("BTCUSDT"));
}

}  // namespace
}  // namespace chandler::batch
