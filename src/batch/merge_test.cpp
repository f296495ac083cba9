#include "batch/merge.hpp"

#include <gtest/gtest.h>

#include "lake/catalog.hpp"
#include "lake/derived_file.hpp"
#include "lake/test_lake.hpp"

namespace chandler::batch {
namespace {

using candles::Klines;
using candles::Source;
using candles::testing::random_history;
using lake::Table;
using lake::testing::store;
using lake::testing::TemporaryLake;
using lake::testing::value;

constexpr Day kFirst{std::chrono::year{2024} / 1 / 30};

Klines minutes_of(const lake::Storage& storage, Table table) {
  Klines all;
  for (const auto& p : value(lake::partitions_of(storage, table, "BTCUSDT")))
    all.append(value(lake::read_klines(storage, p)));
  return all;
}

MergeReport merge(lake::Storage& storage) {
  NoProgress progress;
  return value(merge_speed(storage, {"BTCUSDT"}, progress, {}));
}

TEST(Merge, MinutesThatBatchLacksAreAddedAndBatchsValuesStay) {
  Random random(1);
  TemporaryLake lake;
  const Klines batch = random_history(random, begin_of(kFirst), 2000, 0.05);
  const Klines speed =
      random_history(random, begin_of(kFirst) + 1000 * kMinute, 3000, 0.05, 0, kMinuteMs, Source::stream);
  store(lake.storage(), Table::klines_1m, "BTCUSDT", batch);
  store(lake.storage(), Table::speed_1m, "BTCUSDT", speed);

  std::map<std::int64_t, candles::Kline> want;
  for (std::size_t i = 0; i < speed.size(); ++i) want[speed.open_time[i]] = speed.at(i);
  for (std::size_t i = 0; i < batch.size(); ++i) want[batch.open_time[i]] = batch.at(i);

  const auto report = merge(lake.storage());
  ASSERT_EQ(report.symbols.size(), 1u);
  const SymbolMerge& s = report.symbols[0];
  EXPECT_EQ(s.added, want.size() - batch.size());
  EXPECT_EQ(s.covered, speed.size() - s.added);
  EXPECT_EQ(s.different, s.covered) << "the values are random";
  EXPECT_EQ(s.differences.size(), kKeptDifferences);
  EXPECT_EQ(s.files_kept, 0u);
  EXPECT_TRUE(value(lake.storage().list("speed_1m")).empty());

  const Klines merged = minutes_of(lake.storage(), Table::klines_1m);
  ASSERT_EQ(merged.size(), want.size());
  std::size_t i = 0;
  for (const auto& [t, k] : want) {
    EXPECT_TRUE(candles::same_values(merged.at(i), k));
    EXPECT_EQ(merged.source[i], k.source);
    ++i;
  }
  // The derived tables have followed: the days that are closed by the last minute.
  const auto days = value(lake::read_daily(lake.storage(), "BTCUSDT"));
  EXPECT_EQ(days.size(), 2u);
  EXPECT_EQ(value(derive_in_memory(lake.storage(), "BTCUSDT")).back().rows.close,
            value(lake::read_daily(
                      lake.storage(),
                      value(lake::partitions_of(lake.storage(), Table::daily_filled, "BTCUSDT")).back()))
                .close);
}

TEST(Merge, ASecondRunFindsNothingAndChangesNothing) {
  Random random(2);
  TemporaryLake lake;
  store(lake.storage(), Table::speed_1m, "BTCUSDT",
        random_history(random, begin_of(kFirst), 3000, 0, 0, kMinuteMs, Source::stream));
  merge(lake.storage());
  const auto before = lake::testing::files_of(lake);
  EXPECT_TRUE(merge(lake.storage()).symbols.empty());
  EXPECT_EQ(lake::testing::files_of(lake), before);
}

TEST(Merge, AMergeThatWasKilledBeforeTheFilesWentIsFinishedByTheNext) {
  Random random(3);
  TemporaryLake lake;
  const Klines speed = random_history(random, begin_of(kFirst), 1500, 0, 0, kMinuteMs, Source::stream);
  store(lake.storage(), Table::klines_1m, "BTCUSDT", speed);  // as if merged already
  store(lake.storage(), Table::speed_1m, "BTCUSDT", speed);
  const auto report = merge(lake.storage());
  EXPECT_EQ(report.symbols[0].added, 0u);
  EXPECT_EQ(report.symbols[0].different, 0u);
  EXPECT_TRUE(value(lake.storage().list("speed_1m")).empty());
  EXPECT_EQ(value(lake::read_daily(lake.storage(), "BTCUSDT")).size(), 1u);
}

TEST(Merge, AnImportedMinuteIsKeptAndOnlyWhatBothKnowIsCompared) {
  Random random(4);
  TemporaryLake lake;
  const Klines speed = random_history(random, begin_of(kFirst), 10, 0, 0, kMinuteMs, Source::stream);
  Klines imported = speed;
  for (std::size_t i = 0; i < imported.size(); ++i) {
    imported.source[i] = Source::import;
    imported.trades[i] = candles::kUnknownTrades;
    imported.quote_volume[i] = imported.taker_buy_volume[i] = imported.taker_buy_quote_volume[i] =
        candles::kUnknown;
  }
  imported.close[3] = imported.high[3] = imported.high[3] + 1;
  store(lake.storage(), Table::klines_1m, "BTCUSDT", imported);
  store(lake.storage(), Table::speed_1m, "BTCUSDT", speed);
  const auto report = merge(lake.storage());
  EXPECT_EQ(report.symbols[0].different, 1u);
  EXPECT_EQ(report.symbols[0].differences[0].stored.open_time, speed.open_time[3]);
  EXPECT_TRUE(candles::testing::identical(minutes_of(lake.storage(), Table::klines_1m), imported));
}

}  // namespace
}  // namespace chandler::batch
