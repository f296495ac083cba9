#include "lake/catalog.hpp"

#include <gtest/gtest.h>

#include "lake/test_lake.hpp"

namespace chandler::lake {
namespace {

using candles::Source;
using testing::at;
using testing::store;
using testing::TemporaryLake;
using testing::value;

candles::Klines minutes(Timestamp from, Timestamp until, Source source = Source::rest) {
  Random random(1);
  return candles::testing::random_history(random, from, static_cast<std::size_t>((until - from) / kMinute), 0,
                                          0, kMinuteMs, source);
}

TEST(Catalog, AnEmptyLakeKnowsNothing) {
  const TemporaryLake lake;
  const SymbolCatalog catalog = value(read_catalog(lake.storage(), "BTCUSDT"));
  EXPECT_TRUE(catalog.empty());
  EXPECT_EQ(catalog.minute_rows(), 0U);
  EXPECT_EQ(catalog.first_minute(), std::nullopt);
  EXPECT_EQ(catalog.last_minute(), std::nullopt);
  EXPECT_EQ(catalog.minutes_horizon(), std::nullopt);
  const Table tables[] = {Table::klines_1m};
  EXPECT_TRUE(value(symbols_of(lake.storage(), tables)).empty());
}

TEST(Catalog, TellsFirstLastRowsAndAskedAcrossMonths) {
  const TemporaryLake lake;
  const auto rows = minutes(at("2024-04-30T23:00Z"), at("2024-05-01T01:00Z"));
  store(lake.storage(), Table::klines_1m, "BTCUSDT", rows, {{at("2024-04-01"), at("2024-05-01T02:00Z")}});
  const SymbolCatalog catalog = value(read_catalog(lake.storage(), "BTCUSDT"));
  EXPECT_EQ(catalog.minutes.size(), 2U);
  EXPECT_EQ(catalog.minute_rows(), 120U);
  EXPECT_EQ(catalog.first_minute(), at("2024-04-30T23:00Z"));
  EXPECT_EQ(catalog.last_minute(), at("2024-05-01T00:59Z"));
  EXPECT_EQ(catalog.asked_minutes(), (RangeSet{{at("2024-04-01"), at("2024-05-01T02:00Z")}}));
  EXPECT_EQ(catalog.minutes_horizon(), at("2024-05-01T02:00Z"));
}

TEST(Catalog, TheHorizonIsTheLastMinutesEndWhereNobodyWasAsked) {
  const TemporaryLake lake;
  store(lake.storage(), Table::klines_1m, "A",
        minutes(at("2024-05-01"), at("2024-05-01T10:00Z"), Source::stream));
  EXPECT_EQ(value(read_catalog(lake.storage(), "A")).minutes_horizon(), at("2024-05-01T10:00Z"));
}

TEST(Catalog, AnImportedHistoryHasNoOpenDay) {
  const TemporaryLake lake;
  store(lake.storage(), Table::klines_1m, "A",
        minutes(at("2024-05-01"), at("2024-05-01T10:00Z"), Source::import));
  EXPECT_EQ(value(read_catalog(lake.storage(), "A")).minutes_horizon(), at("2024-05-02"));
}

TEST(Catalog, AMonthKnownToBeEmptyMovesTheHorizonOnly) {
  const TemporaryLake lake;
  store(lake.storage(), Table::klines_1m, "A", minutes(at("2024-05-01"), at("2024-05-02")));
  store(lake.storage(), Table::klines_1m, "A", {}, {{at("2024-05-02"), at("2024-07-10")}});
  const SymbolCatalog catalog = value(read_catalog(lake.storage(), "A"));
  EXPECT_EQ(catalog.minutes.size(), 3U);
  EXPECT_EQ(catalog.last_minute(), at("2024-05-01T23:59Z"));
  EXPECT_EQ(catalog.minutes_horizon(), at("2024-07-10"));
}

TEST(Catalog, DaysHaveAHorizonOfTheirOwn) {
  const TemporaryLake lake;
  Random random(2);
  const auto days = candles::testing::random_history(random, at("2023-12-30"), 4, 0, 0, kDayMs);
  store(lake.storage(), Table::klines_1d, "A", days);
  const SymbolCatalog catalog = value(read_catalog(lake.storage(), "A"));
  EXPECT_EQ(catalog.days.size(), 2U);
  EXPECT_EQ(catalog.days_horizon(), at("2024-01-03"));
  EXPECT_EQ(catalog.minutes_horizon(), std::nullopt);
}

TEST(Catalog, PresentRangesAreThoseOfTheMinutes) {
  const TemporaryLake lake;
  Random random(3);
  const auto rows = candles::testing::random_history(random, at("2024-03-25"), 20 * 1440, 0.001, 500);
  store(lake.storage(), Table::klines_1m, "A", rows);
  const SymbolCatalog catalog = value(read_catalog(lake.storage(), "A"));
  EXPECT_EQ(value(present_in(lake.storage(), catalog.minutes)), candles::present_ranges(rows.open_time));
}

TEST(Catalog, SymbolsAreThoseWithAFolderInAnyTable) {
  const TemporaryLake lake;
  store(lake.storage(), Table::klines_1m, "BTCUSDT", minutes(at("2024-05-01"), at("2024-05-01T00:05Z")));
  store(lake.storage(), Table::speed_1m, "ETHUSDT", minutes(at("2024-05-01"), at("2024-05-01T00:05Z")));
  testing::write_bytes(lake.file("klines_1m/notes/x"), "no symbol");
  testing::write_bytes(lake.file("klines_1m/symbol=/x"), "no symbol");
  const Table minutes_only[] = {Table::klines_1m}, both[] = {Table::speed_1m, Table::klines_1m};
  EXPECT_EQ(value(symbols_of(lake.storage(), minutes_only)), (std::vector<std::string>{"BTCUSDT"}));
  EXPECT_EQ(value(symbols_of(lake.storage(), both)), (std::vector<std::string>{"BTCUSDT", "ETHUSDT"}));
}

TEST(Catalog, StrayFilesAreNoPartitions) {
  const TemporaryLake lake;
  store(lake.storage(), Table::klines_1m, "A", minutes(at("2024-05-01"), at("2024-05-01T00:05Z")));
  testing::write_bytes(lake.file("klines_1m/symbol=A/year=2024/month=05/part.parquet"), "stray");
  testing::write_bytes(lake.file("klines_1m/symbol=A/README"), "stray");
  EXPECT_EQ(value(partitions_of(lake.storage(), Table::klines_1m, "A")).size(), 1U);
}

TEST(Catalog, ADamagedPartitionIsNamed) {
  const TemporaryLake lake;
  store(lake.storage(), Table::klines_1m, "A", minutes(at("2024-05-01"), at("2024-05-01T00:05Z")));
  testing::write_bytes(lake.file("klines_1m/symbol=A/year=2024/month=6/part.parquet"), "garbage");
  const auto catalog = read_catalog(lake.storage(), "A");
  ASSERT_FALSE(catalog);
  EXPECT_EQ(catalog.error().code, ErrorCode::damaged);
  EXPECT_EQ(catalog.error().where, "klines_1m/symbol=A/year=2024/month=6/part.parquet");
}

}  // namespace
}  // namespace chandler::lake
