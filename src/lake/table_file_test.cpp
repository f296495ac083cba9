#include "lake/table_file.hpp"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <gtest/gtest.h>

#include "lake/derived_file.hpp"
#include "lake/metadata.hpp"
#include "lake/test_lake.hpp"

namespace chandler::lake {
namespace {

using candles::Klines;
using testing::value;

std::string bytes_of(const Klines& rows, const Metadata& metadata = {}) {
  return value(encode_table(kline_columns(rows), metadata))->ToString();
}

Result<TableFile> open(std::string bytes) {
  return TableFile::open(
      std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(std::move(bytes))), "test.parquet");
}

// Reads whatever a kline file has; the first error, if any.
Status read_all(TableFile& file, Klines& rows) {
  CHANDLER_TRY(file.read("open_time", rows.open_time));
  for (auto [name, column] : {std::pair{"open", &Klines::open},
                              {"high", &Klines::high},
                              {"low", &Klines::low},
                              {"close", &Klines::close},
                              {"volume", &Klines::volume},
                              {"quote_volume", &Klines::quote_volume},
                              {"taker_buy_volume", &Klines::taker_buy_volume},
                              {"taker_buy_quote_volume", &Klines::taker_buy_quote_volume}}) {
    CHANDLER_TRY(file.read(name, rows.*column));
  }
  CHANDLER_TRY(file.read("trades", rows.trades));
  return file.read("source", rows.source);
}

// Rows of every source, so with nulls among them.
Klines mixed_rows(Random& random, std::size_t count) {
  const candles::Source sources[] = {candles::Source::import, candles::Source::stream, candles::Source::rest,
                                     candles::Source::archive};
  Klines rows;
  for (std::size_t i = 0; i < count; ++i) {
    const auto t = static_cast<std::int64_t>(i) * kMinuteMs;
    rows.push_back(candles::testing::random_kline(random, t, sources[random.below(4)]));
  }
  return rows;
}

TEST(TableFile, RowsAndNullsRoundTripToTheBit) {
  Random random(1);
  // 70,000 rows are more than one batch of the reader and several pages.
  for (const std::size_t count : {0UL, 1UL, 2UL, 1000UL, 70'000UL}) {
    const Klines rows = mixed_rows(random, count);
    auto file = value(open(bytes_of(rows)));
    EXPECT_EQ(file.rows(), count);
    Klines back;
    const Status status = read_all(file, back);
    ASSERT_TRUE(status) << to_text(status.error());
    EXPECT_TRUE(candles::testing::identical(back, rows)) << count;
  }
}

TEST(TableFile, ColumnsThatAreAllNullRoundTrip) {
  Klines rows;
  for (std::int64_t i = 0; i < 100; ++i)
    rows.push_back({i * kMinuteMs, 1, 1, 1, 1, 1, candles::kUnknown, candles::kUnknown, candles::kUnknown,
                    candles::kUnknownTrades, candles::Source::import});
  auto file = value(open(bytes_of(rows)));
  Klines back;
  ASSERT_TRUE(read_all(file, back));
  EXPECT_TRUE(candles::testing::identical(back, rows));
}

TEST(TableFile, ExtremeValuesRoundTrip) {
  Klines rows;
  for (const double v : {5e-324, 1.7976931348623157e308, 0.1, 1e-8, 123456789.12345678}) {
    rows.push_back({static_cast<std::int64_t>(rows.size()), v, v, v, v, v, v, v, v,
                    std::numeric_limits<std::int64_t>::max(), candles::Source::rest});
  }
  auto file = value(open(bytes_of(rows)));
  Klines back;
  ASSERT_TRUE(read_all(file, back));
  EXPECT_TRUE(candles::testing::identical(back, rows));
}

TEST(TableFile, EqualInputGivesEqualBytes) {
  Random random(2);
  const Klines rows = mixed_rows(random, 30'000);
  const Metadata metadata = {{"chandler.b", "2"}, {"chandler.a", "1"}};
  const std::string first = bytes_of(rows, metadata);
  for (int i = 0; i < 3; ++i) {
    // Other content of the heap must not shine through paddings.
    const std::vector<std::string> noise(50, std::string(10'000, static_cast<char>(i + 65)));
    EXPECT_TRUE(bytes_of(rows, metadata) == first);
  }
}

TEST(TableFile, EncodingWhatWasReadGivesTheSameBytes) {
  Random random(3);
  const Klines rows = mixed_rows(random, 5000);
  const std::string first = bytes_of(rows, {{"chandler.a", "1"}});
  auto file = value(open(first));
  Klines back;
  ASSERT_TRUE(read_all(file, back));
  EXPECT_TRUE(bytes_of(back, file.metadata()) == first);
}

TEST(TableFile, MetadataAndBoundsAreReadFromTheFooter) {
  Random random(4);
  const Klines rows = mixed_rows(random, 500);
  const auto file = value(open(bytes_of(rows, {{"chandler.asked", "1-2"}})));
  EXPECT_EQ(file.metadata().at("chandler.asked"), "1-2");
  EXPECT_EQ(file.bounds("open_time"), std::pair(rows.open_time.front(), rows.open_time.back()));
  EXPECT_EQ(file.bounds("close"), std::nullopt);
  EXPECT_EQ(file.bounds("no such column"), std::nullopt);
  EXPECT_TRUE(file.has_column("volume"));
  EXPECT_FALSE(file.has_column("Volume"));
}

TEST(TableFile, TheSchemaIsWhatTheColumnsSay) {
  const candles::DailyRows none;
  const auto columns = daily_columns(none);
  const auto file = value(open(value(encode_table(columns, {}))->ToString()));
  std::vector<std::string> expected;
  for (const Column& c : columns) expected.push_back(describe(c));
  EXPECT_EQ(file.schema(), expected);
  EXPECT_EQ(expected.front(), "date date");
  EXPECT_EQ(expected.back(), "double vwap?");
}

TEST(TableFile, AColumnOfAnotherTypeIsAnError) {
  Random random(5);
  auto file = value(open(bytes_of(mixed_rows(random, 10))));
  std::vector<std::int64_t> integers;
  std::vector<double> reals;
  EXPECT_EQ(file.read("close", integers).error().code, ErrorCode::damaged);
  EXPECT_EQ(file.read("trades", reals).error().code, ErrorCode::damaged);
  EXPECT_EQ(file.read("no such column", reals).error().code, ErrorCode::damaged);
}

TEST(TableFile, AChangedFooterEntryIsFoundOnOpening) {
  Random random(6);
  std::string bytes = bytes_of(mixed_rows(random, 10), {{"chandler.asked", "1700000000000-1700000060000"}});
  const auto at = bytes.rfind("1700000060000");
  ASSERT_NE(at, std::string::npos);
  bytes[at + 3] = '9';
  const auto file = open(bytes);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::damaged);
  EXPECT_EQ(file.error().where, "test.parquet");
}

// Opens and reads damaged bytes. Whatever comes out, it comes out as a value.
void survive(const std::string& bytes) {
  auto file = open(bytes);
  if (!file) {
    EXPECT_EQ(file.error().code, ErrorCode::damaged);
    return;
  }
  Klines rows;
  if (const Status status = read_all(*file, rows); !status) {
    EXPECT_EQ(status.error().code, ErrorCode::damaged);
  }
  file->bounds("open_time");
  file->schema();
}

TEST(HostileParquet, EveryTruncationIsSurvived) {
  Random random(7);
  const std::string bytes = bytes_of(mixed_rows(random, 300), {{"chandler.schema", "1"}});
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(open(bytes.substr(0, length))) << length;
  }
}

TEST(HostileParquet, EveryFlippedBitIsSurvived) {
  Random random(8);
  const std::string bytes = bytes_of(mixed_rows(random, 60), {{"chandler.schema", "1"}});
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random.below(8)));
    survive(damaged);
  }
}

TEST(HostileParquet, OverwrittenStretchesAreSurvived) {
  Random random(9);
  const std::string bytes = bytes_of(mixed_rows(random, 200), {{"chandler.schema", "1"}});
  for (int round = 0; round < 2000; ++round) {
    std::string damaged = bytes;
    const std::size_t length = 1 + random.below(40), at = random.below(bytes.size() - length);
    for (std::size_t i = at; i < at + length; ++i) damaged[i] = static_cast<char>(random.next());
    survive(damaged);
  }
}

TEST(HostileParquet, WhatIsNoParquetIsSaidToBeNone) {
  const std::vector<std::string> claims = {"",
                                           "PAR1",
                                           "PAR1PAR1",
                                           std::string(12, '\0'),
                                           "PAR1" + std::string("\xff\xff\xff\x7f", 4) + "PAR1",
                                           std::string(5000, 'x')};
  for (const std::string& bytes : claims) {
    const auto file = open(bytes);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, ErrorCode::damaged);
  }
}

}  // namespace
}  // namespace chandler::lake
