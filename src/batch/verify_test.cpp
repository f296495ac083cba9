#include "batch/verify.hpp"

#include <arrow/buffer.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/derive.hpp"
#include "lake/derived_file.hpp"
#include "lake/month_days.hpp"
#include "lake/speed_snapshot.hpp"
#include "lake/test_lake.hpp"

namespace chandler::batch {
namespace {

using candles::Klines;
using lake::Partition;
using lake::Table;
using lake::testing::at;
using lake::testing::check;
using lake::testing::files_of;
using lake::testing::read_bytes;
using lake::testing::store;
using lake::testing::value;
using lake::testing::write_bytes;
using ::testing::HasSubstr;

constexpr const char* kMay = "klines_1m/symbol=X/year=2024/month=5/part.parquet";
constexpr const char* kMayDays = "daily_filled/symbol=X/year=2024/month=5/part.parquet";
constexpr const char* kProphet = "prophet_input/symbol=X/part.parquet";

// A lake with every table: minutes of two months, days before them, speed minutes after them, all derived.
class Verify : public ::testing::Test {
 protected:
  Verify() {
    Random random(1);
    const auto minutes = candles::testing::random_history(random, at("2024-04-20"), 30 * 1440, 0.998);
    const auto days = candles::testing::random_history(random, at("2024-03-01"), 60, 0.3, 0, kDayMs);
    store(storage(), Table::klines_1m, "X", minutes, {{at("2024-04-20"), at("2024-05-20T07:00Z")}});
    store(storage(), Table::klines_1d, "X", days, {{at("2024-03-01"), at("2024-04-30")}});
    store(storage(), Table::speed_1m, "X",
          candles::testing::random_history(random, at("2024-05-20T07:00Z"), 20));
    derive_all();
  }

  lake::Storage& storage() const { return lake_.storage(); }
  void derive_all() {
    NoProgress progress;
    value(derive(storage(), {"X"}, Extent::what_changed, progress));
  }
  VerifyReport verified(const std::vector<std::string>& symbols = {}) const {
    NoProgress progress;
    return value(verify(storage(), symbols, progress));
  }
  // Expects one violation at least, and all of them in this file.
  std::string violation_of(const std::string& file) const {
    const auto violations = verified().violations();
    if (violations.empty()) return "none";
    for (const Violation& v : violations) EXPECT_EQ(v.file, file) << v.what;
    EXPECT_FALSE(violations[0].remedy.empty());
    return violations[0].what;
  }
  void replace(const lake::PendingFile& file) { check(storage().replace(std::span(&file, 1))); }

  lake::testing::TemporaryLake lake_;
};

TEST_F(Verify, AWholeLakeIsClean) {
  const VerifyReport report = verified();
  EXPECT_TRUE(report.violations().empty());
  EXPECT_EQ(report.pending(), 0U);
  EXPECT_EQ(report.files(), files_of(lake_).size());
  ASSERT_EQ(report.symbols.size(), 1U);
  EXPECT_GT(report.rows(), 100U);
}

TEST_F(Verify, AnEmptyLakeIsClean) {
  const lake::testing::TemporaryLake empty;
  NoProgress progress;
  const auto report = value(verify(empty.storage(), {}, progress));
  EXPECT_TRUE(report.violations().empty());
  EXPECT_EQ(report.files(), 0U);
}

// A whole file, sealed, whose days are those of other minutes: what a defect of a writer would leave.
TEST_F(Verify, DaysInAFooterThatAreNotThoseOfItsMinutesAreNamedAndReadingTheMinutesDoesWithoutThem) {
  const Partition partition = *lake::parse_path(kMay);
  const lake::KlineFile file = value(lake::read_kline_file(storage(), partition));
  const auto derived = files_of(lake_, "daily_filled");
  candles::Bars wrong = lake::days_of(file.rows);
  wrong.rows.close[0] += 1;
  for (const std::string& days : {lake::encode_days(wrong), std::string("no days at all")}) {
    lake::Metadata metadata = file.metadata;
    metadata[lake::kDaysKey] = days;
    check(storage().replace(kMay, value(lake::encode_table(lake::kline_columns(file.rows), metadata))));
    EXPECT_THAT(violation_of(kMay), HasSubstr("the days in its footer are not those of its minutes"));
    NoProgress progress;
    value(derive(storage(), {"X"}, Extent::everything, progress, DaysFrom::minutes));
    EXPECT_EQ(files_of(lake_, "daily_filled"), derived);
  }
  NoProgress progress;
  value(derive(storage(), {"X"}, Extent::everything, progress));
  EXPECT_EQ(files_of(lake_, "daily_filled"), derived) << "days that cannot be read are not used";
}

TEST_F(Verify, DerivedFromFootersAndFromMinutesAreTheSameBytes) {
  const auto from_footers = files_of(lake_);
  NoProgress progress;
  const Derived again =
      value(derive(storage(), {"X"}, Extent::everything, progress, DaysFrom::minutes)).at(0);
  EXPECT_GT(again.minutes_read, 0U);
  EXPECT_EQ(again.files_written, 0U);
  EXPECT_EQ(files_of(lake_), from_footers);
}

TEST_F(Verify, EveryFlippedByteOfEveryFileIsFoundInThatFile) {
  Random random(2);
  for (const auto& [path, bytes] : files_of(lake_)) {
    const Partition partition = *lake::parse_path(path);
    for (std::size_t i = random.below(17); i < bytes.size(); i += 17) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << random.below(8)));
      write_bytes(lake_.file(path), damaged);
      const auto violations = check_file(storage(), partition).violations;
      ASSERT_FALSE(violations.empty()) << path << " byte " << i;
      EXPECT_EQ(violations[0].file, path);
    }
    write_bytes(lake_.file(path), bytes);
  }
  EXPECT_TRUE(verified().violations().empty());
}

TEST_F(Verify, AFlippedByteIsNamedInTheReportOfTheWholeLake) {
  Random random(3);
  for (const auto& [path, bytes] : files_of(lake_)) {
    for (int round = 0; round < 6; ++round) {
      std::string damaged = bytes;
      const std::size_t i = random.below(bytes.size());
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << random.below(8)));
      write_bytes(lake_.file(path), damaged);
      EXPECT_NE(violation_of(path), "none") << path << " byte " << i;
    }
    write_bytes(lake_.file(path), bytes);
  }
}

TEST_F(Verify, EveryTruncationAndEveryAppendedByteIsFound) {
  Random random(4);
  for (const auto& [path, bytes] : files_of(lake_)) {
    for (int round = 0; round < 5; ++round) {
      write_bytes(lake_.file(path), bytes.substr(0, random.below(bytes.size())));
      EXPECT_NE(violation_of(path), "none") << path;
    }
    write_bytes(lake_.file(path), bytes + 'x');
    EXPECT_NE(violation_of(path), "none") << path;
    write_bytes(lake_.file(path), bytes);
  }
}

TEST_F(Verify, StrayFilesAreNamed) {
  for (const char* path :
       {"README", "klines_1m/symbol=X/year=2024/month=05/part.parquet",
        "klines_1m/symbol=X/year=2024/month=5/part-1.parquet", "other_table/symbol=X/part.parquet"}) {
    write_bytes(lake_.file(path), "x");
    EXPECT_EQ(violation_of(path), "it belongs to no table");
    std::filesystem::remove(lake_.file(path));
  }
}

TEST_F(Verify, UnfinishedFilesOfKilledWritersAndOtherFoldersAreNoStrays) {
  write_bytes(lake_.file("klines_1m/symbol=X/year=2024/month=5/.part.parquet.77.0.chandler-unfinished"),
              "half");
  write_bytes(lake_.file(".chandler.lock"), "process 1");
  write_bytes(lake_.file("forecasts/latest.json"), "{}");
  write_bytes(lake_.file("reports/gaps.csv"), "");
  EXPECT_TRUE(verified().violations().empty());
}

TEST_F(Verify, DerivedFilesThatHaveNotFollowedYetArePendingAndNoViolation) {
  Random random(5);
  const auto more = candles::testing::random_history(random, at("2024-05-20T08:00Z"), 40 * 1440, 0.998);
  store(storage(), Table::klines_1m, "X", more, {{at("2024-05-20T07:00Z"), at("2024-06-29T08:00Z")}});
  const VerifyReport report = verified();
  EXPECT_TRUE(report.violations().empty());
  EXPECT_EQ(
      report.symbols[0].pending,
      (std::vector<std::string>{kMayDays, "daily_filled/symbol=X/year=2024/month=6/part.parquet", kProphet}));
  derive_all();
  EXPECT_EQ(verified().pending(), 0U);
}

// Whatever instant a derivation is killed at, each of its files is the old or the new one.
TEST_F(Verify, AnyMixOfOldAndNewDerivedFilesIsClean) {
  const auto before = files_of(lake_);
  Random random(6);
  store(storage(), Table::klines_1m, "X",
        candles::testing::random_history(random, at("2024-03-10"), 80 * 1440, 0.998),
        {{at("2024-03-10"), at("2024-05-29")}});
  derive_all();
  const auto after = files_of(lake_);
  for (int round = 0; round < 20; ++round) {
    for (const auto& [path, bytes] : after) {
      const bool derived = path.starts_with("daily") || path.starts_with("prophet");
      const auto old = before.find(path);
      if (!derived || random.chance(0.5))
        write_bytes(lake_.file(path), bytes);
      else if (old != before.end())
        write_bytes(lake_.file(path), old->second);
      else
        std::filesystem::remove(lake_.file(path));
    }
    EXPECT_TRUE(verified().violations().empty());
  }
}

TEST_F(Verify, DeletedDerivedFilesArePending) {
  std::filesystem::remove(lake_.file(kProphet));
  const VerifyReport report = verified();
  EXPECT_TRUE(report.violations().empty());
  EXPECT_EQ(report.symbols[0].pending, std::vector<std::string>{kProphet});
}

TEST_F(Verify, DerivedFilesWithoutKlinesArePending) {
  std::filesystem::remove_all(lake_.file("klines_1m"));
  std::filesystem::remove_all(lake_.file("klines_1d"));
  const VerifyReport report = verified();
  EXPECT_TRUE(report.violations().empty());
  EXPECT_GT(report.pending(), 2U);
}

// Well-formed files with wrong content: what no checksum shows.
TEST_F(Verify, ADayThatIsNotWhatItsMinutesGiveIsFound) {
  const Partition partition = *lake::parse_path(kMayDays);
  const auto footer = value(lake::read_daily_footer(storage(), partition));
  auto rows = value(lake::read_daily(storage(), partition));
  rows.volume[3] += 1e-6;
  replace(value(lake::daily_file(partition, rows, footer.provenance, footer.carry_out)));
  EXPECT_EQ(violation_of(kMayDays), "it is not what its klines give");
}

TEST_F(Verify, AProphetInputThatIsNotTheDaysIsFound) {
  auto rows = value(lake::read_prophet(storage(), "X"));
  rows.y[5] *= 1.01;
  replace(value(lake::prophet_file("X", rows, lake::read_prophet_inputs(storage(), "X"))));
  EXPECT_EQ(violation_of(kProphet), "it is not what its klines give");
}

TEST_F(Verify, AGapBetweenDaysIsFound) {
  const Partition partition = *lake::parse_path(kMayDays);
  const auto footer = value(lake::read_daily_footer(storage(), partition));
  auto rows = value(lake::read_daily(storage(), partition));
  rows.date.back() += 1;
  replace(value(lake::daily_file(partition, rows, footer.provenance, footer.carry_out)));
  EXPECT_EQ(violation_of(kMayDays), "its days do not follow each other");
}

TEST_F(Verify, AnImpossibleCandleIsNamed) {
  const Partition partition = *lake::parse_path(kMay);
  auto file = value(lake::read_kline_file(storage(), partition));
  file.rows.high[2] = file.rows.low[2] / 2;
  replace(value(lake::kline_file(partition, file.rows, file.asked)));
  EXPECT_THAT(violation_of(kMay), AllOf(HasSubstr(format_minute(from_ms(file.rows.open_time[2]))),
                                        HasSubstr("high is below low")));
}

TEST_F(Verify, AMinuteOffTheGridIsNamed) {
  const Partition partition = *lake::parse_path(kMay);
  auto file = value(lake::read_kline_file(storage(), partition));
  file.rows.open_time[2] += 1;
  replace(value(lake::kline_file(partition, file.rows, file.asked)));
  EXPECT_THAT(violation_of(kMay), HasSubstr("not on a whole minute"));
}

TEST_F(Verify, AnAskedRangeThatCutsAMinuteIsFound) {
  const Partition partition = *lake::parse_path(kMay);
  const auto file = value(lake::read_kline_file(storage(), partition));
  replace(value(lake::kline_file(partition, file.rows, {{at("2024-05-01"), at("2024-05-02T00:00:30Z")}})));
  EXPECT_THAT(violation_of(kMay), HasSubstr("cuts a candle"));
}

// The third mistake of the reference pipeline: what is still open stored as final.
TEST_F(Verify, ACandleBeyondWhatTheExchangeHasAnsweredForIsFound) {
  const Partition partition = *lake::parse_path(kMay);
  auto file = value(lake::read_kline_file(storage(), partition));
  candles::Kline open = file.rows.at(0);
  open.open_time = to_ms(at("2024-05-20T07:00Z"));
  file.rows.push_back(open);
  replace(value(lake::kline_file(partition, file.rows, file.asked)));
  EXPECT_THAT(violation_of(kMay), HasSubstr("first 2024-05-20 07:00: perhaps still open"));
  file.rows.source.back() = candles::Source::stream;  // that comes closed, and is not asked for
  replace(value(lake::kline_file(partition, file.rows, file.asked)));
  EXPECT_TRUE(verified().violations().empty());
}

TEST_F(Verify, AFileInTheWrongPartitionIsFound) {
  const std::string june = "klines_1m/symbol=X/year=2024/month=6/part.parquet";
  write_bytes(lake_.file(june), read_bytes(lake_.file(kMay)));
  EXPECT_THAT(violation_of(june), HasSubstr("outside the partition"));
}

TEST_F(Verify, AForeignFileIsFound) {
  const auto rows = value(lake::read_klines(storage(), *lake::parse_path(kMay)));
  check(storage().replace(kMay, value(lake::encode_table(lake::kline_columns(rows), {}))));
  EXPECT_THAT(violation_of(kMay), HasSubstr("was not written by chandler"));
}

TEST_F(Verify, AnotherColumnTypeIsFound) {
  const Partition partition = *lake::parse_path(kMay);
  const auto rows = value(lake::read_klines(storage(), partition));
  auto columns = lake::kline_columns(rows);
  columns[5].nullable = true;
  check(storage().replace(
      kMay, value(lake::encode_table(columns, value(lake::read_kline_file(storage(), partition)).metadata))));
  EXPECT_EQ(violation_of(kMay), "column 6 is 'double volume?', it should be 'double volume'");
}

TEST_F(Verify, OnlyTheWantedSymbolsAreChecked) {
  Random random(7);
  store(storage(), Table::klines_1m, "Y", candles::testing::random_history(random, at("2024-05-01"), 10),
        {{at("2024-05-01"), at("2024-05-02")}});
  write_bytes(lake_.file(kMay), "damaged");
  write_bytes(lake_.file("stray"), "x");
  EXPECT_TRUE(verified({"Y"}).violations().empty());
  EXPECT_EQ(verified({"X"}).violations().size(), 1U);
  NoProgress progress;
  EXPECT_EQ(verify(storage(), {"Z"}, progress).error().code, ErrorCode::not_found);
}

TEST_F(Verify, ASnapshotOfTheSpeedLayerWithAFlippedBitIsFound) {
  lake::SpeedSnapshot snapshot;
  snapshot.stream = "klines/0";
  snapshot.position = 17;
  const std::string path = lake::snapshot_path(snapshot.stream);
  std::string text = lake::to_text(snapshot);
  check(storage().replace_text(path, text));
  EXPECT_TRUE(verified().violations().empty());
  text[text.find("17")] ^= 2;
  check(storage().replace_text(path, text));
  EXPECT_THAT(violation_of(path), HasSubstr("changed after it was written"));
}

TEST_F(Verify, AStopEndsIt) {
  std::stop_source source;
  source.request_stop();
  NoProgress progress;
  EXPECT_EQ(verify(storage(), {}, progress, source.get_token()).error().code, ErrorCode::interrupted);
}

}  // namespace
}  // namespace chandler::batch
