#include "lake/kline_file.hpp"

#include <arrow/buffer.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "lake/test_lake.hpp"

namespace chandler::lake {
namespace {

using candles::Klines;
using testing::check;
using ::testing::HasSubstr;
using testing::TemporaryLake;
using testing::value;

const year_month kMay = std::chrono::year{2024} / std::chrono::May;

struct StoredMonth : ::testing::Test {
  TemporaryLake lake;
  Random random{1};
  Partition partition = minutes_partition("BTCUSDT", kMay);
  Klines rows = candles::testing::random_history(random, begin_of(kMay), 5000, 0.02);
  RangeSet asked{{begin_of(kMay), begin_of(kMay) + std::chrono::days{4}}};

  void put(const Partition& where, const Klines& k, const Metadata& extra = {}) {
    const auto file = value(kline_file(where, k, asked, extra));
    check(lake.storage().replace(std::span(&file, 1)));
  }
};

TEST_F(StoredMonth, ReadsBackAsItWasWritten) {
  put(partition, rows, {{"chandler.note", "kept"}});
  const KlineFile file = value(read_kline_file(lake.storage(), partition));
  EXPECT_TRUE(candles::testing::identical(file.rows, rows));
  EXPECT_EQ(file.asked, asked);
  EXPECT_EQ(file.metadata.at("chandler.note"), "kept");
  EXPECT_TRUE(candles::testing::identical(value(read_klines(lake.storage(), partition)), rows));
}

TEST_F(StoredMonth, TheFooterTellsWhatTheRowsAre) {
  put(partition, rows);
  const KlineFooter footer = value(read_kline_footer(lake.storage(), partition));
  EXPECT_EQ(footer.rows, rows.size());
  EXPECT_EQ(footer.first, from_ms(rows.open_time.front()));
  EXPECT_EQ(footer.last, from_ms(rows.open_time.back()));
  EXPECT_EQ(footer.asked, asked);
  EXPECT_EQ(footer.digest, digest_of(rows));
  EXPECT_EQ(footer.last_source, candles::Source::rest);
  EXPECT_FALSE(footer.without_holes());
}

TEST_F(StoredMonth, AMonthThatWasAskedForAndIsEmptyKeepsThatKnowledge) {
  put(partition, {});
  const KlineFooter footer = value(read_kline_footer(lake.storage(), partition));
  EXPECT_EQ(footer.rows, 0U);
  EXPECT_EQ(footer.first, std::nullopt);
  EXPECT_EQ(footer.asked, asked);
  EXPECT_EQ(footer.last_source, std::nullopt);
  EXPECT_TRUE(value(read_klines(lake.storage(), partition)).empty());
}

TEST_F(StoredMonth, OnlyTheWantedColumnsAreRead) {
  put(partition, rows);
  const Klines times = value(read_klines(lake.storage(), partition, KlineFields::open_time));
  EXPECT_EQ(times.open_time, rows.open_time);
  EXPECT_TRUE(times.close.empty());
  const Klines daily = value(read_klines(lake.storage(), partition, KlineFields::daily));
  EXPECT_EQ(daily.close, rows.close);
  EXPECT_EQ(daily.trades, rows.trades);
  EXPECT_TRUE(daily.taker_buy_volume.empty());
}

TEST_F(StoredMonth, APartitionThatIsNotThereIsEmptyOrNotFound) {
  EXPECT_EQ(read_klines(lake.storage(), partition).error().code, ErrorCode::not_found);
  EXPECT_TRUE(value(read_kline_file(lake.storage(), partition)).rows.empty());
}

TEST_F(StoredMonth, RowsThatDoNotBelongAreCaughtBeforeTheDisk) {
  Klines unsorted = rows;
  std::swap(unsorted.open_time[3], unsorted.open_time[4]);
  Klines repeated = rows;
  repeated.open_time[4] = repeated.open_time[3];
  Klines early = rows, late = rows;
  early.open_time.front() = to_ms(begin_of(kMay)) - kMinuteMs;
  late.open_time.back() = to_ms(end_of(kMay));
  for (const Klines& wrong : {unsorted, repeated, early, late}) {
    EXPECT_EQ(kline_file(partition, wrong, {}).error().code, ErrorCode::internal);
  }
}

TEST_F(StoredMonth, AFileInThePlaceOfAnotherIsDamaged) {
  put(partition, rows);
  const std::string bytes = testing::read_bytes(lake.file(path_of(partition)));
  const Partition june = minutes_partition("BTCUSDT", kMay + std::chrono::months{1});
  testing::write_bytes(lake.file(path_of(june)), bytes);
  EXPECT_THAT(read_klines(lake.storage(), june).error().what, HasSubstr("outside the partition"));
  const Partition day = speed_partition("BTCUSDT", first_day(kMay));
  testing::write_bytes(lake.file(path_of(day)), bytes);
  EXPECT_THAT(read_klines(lake.storage(), day).error().what, HasSubstr("another table"));
}

TEST_F(StoredMonth, AForeignOrNewerFileIsRefusedWithWhatToDo) {
  for (const auto& [metadata, words] : std::vector<std::pair<Metadata, std::string>>{
           {{}, "was not written by chandler"}, {{{kSchemaKey, "7"}}, "schema version 7"}}) {
    check(lake.storage().replace(path_of(partition), value(encode_table(kline_columns(rows), metadata))));
    const auto read = read_klines(lake.storage(), partition);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::damaged);
    EXPECT_THAT(read.error().what, HasSubstr(words));
    EXPECT_FALSE(read.error().remedy.empty());
    EXPECT_EQ(read.error().where, path_of(partition));
  }
}

// Found by fuzzing: bounds of any value reached the arithmetic of without_holes() and overflowed it.
TEST_F(StoredMonth, BoundsOutsideThePartitionAreRefusedFromTheFooterAlone) {
  Klines foreign = rows;
  foreign.open_time.front() = std::numeric_limits<std::int64_t>::min() / 1000;
  foreign.open_time.back() = std::numeric_limits<std::int64_t>::max() / 1000;
  const Metadata metadata{{kSchemaKey, std::string(kSchemaVersion)}, {kTableKey, "klines_1m"}};
  check(lake.storage().replace(path_of(partition), value(encode_table(kline_columns(foreign), metadata))));
  const auto footer = read_kline_footer(lake.storage(), partition);
  ASSERT_FALSE(footer);
  EXPECT_EQ(footer.error().code, ErrorCode::damaged);
  EXPECT_THAT(footer.error().what, HasSubstr("outside the partition"));
}

TEST(KlineFooter, HolesAreSeenFromTheCount) {
  KlineFooter footer;
  EXPECT_TRUE(footer.without_holes());
  footer.first = from_ms(0);
  footer.last = from_ms(9 * kMinuteMs);
  footer.rows = 10;
  EXPECT_TRUE(footer.without_holes());
  footer.rows = 9;
  EXPECT_FALSE(footer.without_holes());
}

}  // namespace
}  // namespace chandler::lake
