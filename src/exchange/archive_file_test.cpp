#include "exchange/archive_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "base/sha256.hpp"
#include "exchange/scripted_exchange.hpp"
#include "exchange/zip_bytes.hpp"

namespace chandler::exchange {
namespace {

using candles::Interval;
using ::testing::HasSubstr;
using testing::recorded;
using testing::zip_of;

const Day kDay2020 = *parse_day("2020-01-01");
const ArchivePiece kRecorded = ArchivePiece::day("BTCUSDT", Interval::m1, kDay2020);

std::string csv_row(std::int64_t open_time, std::int64_t per_ms = 1) {
  return fmt::format("{},10.5,12.5,9.5,11.5,3.0,{},33.0,4,1.5,16.5,0\n", open_time * per_ms,
                     (open_time + kMinuteMs) * per_ms - 1);
}

TEST(ArchiveFile, NamesAndPathsAreThoseOfTheArchive) {
  EXPECT_EQ(kRecorded.path(), "/data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2020-01-01.zip");
  const auto month = ArchivePiece::month("ETHBTC", Interval::d1, std::chrono::year{2019} / 12);
  EXPECT_EQ(month.path(), "/data/spot/monthly/klines/ETHBTC/1d/ETHBTC-1d-2019-12.zip");
  EXPECT_EQ(month.range(), (TimeRange{*parse_instant("2019-12-01"), *parse_instant("2020-01-01")}));
}

TEST(ArchiveFile, TheRecordedDayIsReadWhole) {
  const auto file = read_archive(kRecorded, recorded("BTCUSDT-1m-2020-01-01.zip"));
  ASSERT_TRUE(file) << to_text(file.error());
  ASSERT_EQ(file->rows.size(), 1440u);
  EXPECT_TRUE(file->rejects.empty());
  EXPECT_TRUE(candles::is_sorted_unique(file->rows.open_time));
  const candles::Kline first = file->rows.at(0);  // unzip -p … | head -1
  EXPECT_EQ(first.open_time, 1577836800000);
  EXPECT_EQ(first.open, 7195.24);
  EXPECT_EQ(first.high, 7196.25);
  EXPECT_EQ(first.low, 7183.14);
  EXPECT_EQ(first.close, 7186.68);
  EXPECT_EQ(first.volume, 51.642812);
  EXPECT_EQ(first.quote_volume, 371233.51835535);
  EXPECT_EQ(first.trades, 493);
  EXPECT_EQ(first.taker_buy_volume, 19.59823);
  EXPECT_EQ(first.taker_buy_quote_volume, 140888.41428273);
  EXPECT_EQ(first.source, candles::Source::archive);
}

TEST(ArchiveFile, TheRecordedChecksumIsThatOfTheRecordedZip) {
  const auto expected =
      parse_checksum(recorded("BTCUSDT-1m-2020-01-01.zip.CHECKSUM"), "BTCUSDT-1m-2020-01-01.zip");
  ASSERT_TRUE(expected);
  EXPECT_EQ(*expected, sha256_hex(recorded("BTCUSDT-1m-2020-01-01.zip")));
  EXPECT_EQ(sha256_hex("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-4
}

TEST(ArchiveFile, ChecksumsOfSomethingElseAreRefused) {
  const std::string digits(64, 'a');
  EXPECT_EQ(*parse_checksum(std::string(64, 'A') + " *x.zip\r\n", "x.zip"), digits);
  for (const std::string& text :
       {std::string(), digits, digits.substr(1) + "  x.zip", digits + "a  x.zip", digits + "  y.zip",
        std::string(64, 'g') + "  x.zip", std::string("<html>")}) {
    EXPECT_FALSE(parse_checksum(text, "x.zip")) << text;
  }
}

TEST(ArchiveFile, MicrosecondsAndAHeaderRowAreUnderstood) {
  const Day day = *parse_day("2025-01-01");
  const std::int64_t t = to_ms(begin_of(day));
  const std::string header =
      "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_"
      "volume,"
      "ignore\n";
  const auto file =
      read_archive(ArchivePiece::day("X", Interval::m1, day),
                   zip_of({{"X-1m-2025-01-01.csv", header + csv_row(t, 1000) + csv_row(t + kMinuteMs)}}));
  ASSERT_TRUE(file) << to_text(file.error());
  EXPECT_THAT(file->rows.open_time, ::testing::ElementsAre(t, t + kMinuteMs));
}

TEST(ArchiveFile, ImpossibleLinesAreNamed) {
  const std::int64_t t = to_ms(begin_of(kDay2020));
  const std::string bad = fmt::format("{},10.5,1.5,9.5,11.5,3.0,0,33.0,4,1.5,16.5,0\n", t + kMinuteMs);
  const auto file = read_archive(kRecorded, zip_of({{"BTCUSDT-1m-2020-01-01.csv", csv_row(t) + bad}}));
  ASSERT_TRUE(file) << to_text(file.error());
  EXPECT_EQ(file->rows.size(), 1u);
  ASSERT_EQ(file->rejects.size(), 1u);
  EXPECT_EQ(file->rejects[0].line, 2u);
}

TEST(ArchiveFile, WhatIsNotTheClaimedPieceIsRefused) {
  const std::int64_t t = to_ms(begin_of(kDay2020));
  const std::string name = "BTCUSDT-1m-2020-01-01.csv";
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"", "0 files"},
      {"<html>404</html>", "opened"},
      {zip_of({{"ETHUSDT-1m-2020-01-01.csv", csv_row(t)}}), "instead of"},
      {zip_of({{name, csv_row(t)}, {"more.csv", csv_row(t)}}), "2 files"},
      {zip_of({{name, csv_row(t - kMinuteMs)}}), "outside"},
      {zip_of({{name, csv_row(t) + csv_row(t + kDayMs)}}), "outside"},
      {zip_of({{name, "<html><body>Access denied</body></html>\n"}}), ""},
      {zip_of({{name, std::string(kMaxCsvBytes + 1, '\n')}}), "unpack to"},
  };
  for (const auto& [zip, reason] : wrong) {
    const auto file = read_archive(kRecorded, zip);
    ASSERT_FALSE(file) << reason;
    EXPECT_EQ(file.error().code, ErrorCode::invalid_data);
    EXPECT_THAT(file.error().what, HasSubstr(reason));
  }
}

TEST(ArchiveFile, ADayFileIsNoMonthFileAndNoOtherSymbols) {
  const std::string zip = recorded("BTCUSDT-1m-2020-01-01.zip");
  EXPECT_FALSE(read_archive(ArchivePiece::month("BTCUSDT", Interval::m1, month_of(kDay2020)), zip));
  EXPECT_FALSE(
      read_archive(ArchivePiece::day("BTCUSDT", Interval::m1, kDay2020 + std::chrono::days{1}), zip));
  EXPECT_FALSE(read_archive(ArchivePiece::day("ETHUSDT", Interval::m1, kDay2020), zip));
}

TEST(ArchiveFile, AnyDamageIsSeenOrChangesNothing) {
  const std::string whole = recorded("BTCUSDT-1m-2020-01-01.zip");
  const auto rows = read_archive(kRecorded, whole)->rows;
  Random random(3);
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    std::string zip = whole;
    switch (random.below(3)) {
      case 0:
        zip[random.below(zip.size())] ^= static_cast<char>(1u << random.below(8));
        break;
      case 1:
        zip.resize(random.below(zip.size()));
        break;
      default:
        zip.erase(random.below(zip.size()), 1 + random.below(100));
    }
    const auto file = read_archive(kRecorded, zip);
    if (!file) {
      ++refused;
      continue;
    }
    EXPECT_EQ(file->rows.open_time, rows.open_time);
    EXPECT_EQ(file->rows.close, rows.close);
    EXPECT_EQ(file->rows.volume, rows.volume);
  }
  EXPECT_GT(refused, 290);
}

}  // namespace
}  // namespace chandler::exchange
