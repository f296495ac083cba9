#include "batch/import_job.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zip.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>

#include "base/random.hpp"
#include "lake/catalog.hpp"
#include "lake/kline_file.hpp"

namespace chandler::batch {
namespace {

namespace fs = std::filesystem;
using candles::Kline;
using candles::Klines;
using candles::Source;
using testing::HasSubstr;

constexpr std::int64_t kT0 = 1'577'836'800'000;  // 2020-01-01

class ImportTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() /
              fmt::format("chandler-import-{}-{}", ::getpid(),
                          testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    storage_ = *lake::open_local_storage((folder_ / "lake").string());
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, std::string_view bytes) {
    const std::string path = (folder_ / name).string();
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  Result<Imported> import(const std::vector<std::string>& files, ImportOptions options = {}) {
    options.symbol = "BTCUSDT";
    NoProgress progress;
    return import_files(*storage_, files, options, progress);
  }
  Klines stored(lake::Table table = lake::Table::klines_1m) const {
    Klines all;
    const auto partitions = lake::partitions_of(*storage_, table, "BTCUSDT");
    for (const auto& partition : *partitions) {
      all.append(*lake::read_klines(*storage_, partition));
    }
    return all;
  }
  // Everything below the lake's folder, lock aside.
  std::vector<std::string> files_of_lake() const {
    std::vector<std::string> files;
    if (!fs::exists(folder_ / "lake")) return files;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "lake")) {
      if (entry.is_regular_file())
        files.push_back(entry.path().lexically_relative(folder_ / "lake").string());
    }
    return files;
  }

  fs::path folder_;
  std::shared_ptr<lake::Storage> storage_;
};

Kline candle(std::int64_t minute, Random& random) {
  const double open = 100 + static_cast<double>(random.below(10'000)) / 100;
  const double close = 100 + static_cast<double>(random.below(10'000)) / 100;
  Kline k{kT0 + minute * kMinuteMs,    open,  std::max(open, close) + 0.5,
          std::min(open, close) - 0.5, close, static_cast<double>(random.below(1'000'000)) / 1000};
  k.source = Source::import;
  return k;
}

std::string line_of(const Kline& k) {
  return fmt::format("{},{},{},{},{},{}\n", k.open_time / 1000, k.open, k.high, k.low, k.close, k.volume);
}

// `count` minutes with holes, over several months when count is large enough.
std::vector<Kline> history(std::int64_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<Kline> rows;
  for (std::int64_t minute = 0; static_cast<std::int64_t>(rows.size()) < count; ++minute) {
    if (minute % 5000 < 4000) rows.push_back(candle(minute, random));
  }
  return rows;
}

std::string text_of(std::span<const Kline> rows) {
  std::string text = "Timestamp,Open,High,Low,Close,Volume\n";
  for (const Kline& k : rows) text += line_of(k);
  return text;
}

void expect_stored(const Klines& stored, std::span<const Kline> expected) {
  ASSERT_EQ(stored.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_TRUE(candles::same_values(stored.at(i), expected[i])) << i;
    ASSERT_EQ(stored.source[i], expected[i].source);
  }
}

std::string gzipped(std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST_F(ImportTest, WhatTheFileSaysIsWhatIsStored) {
  const auto rows = history(100'000, 1);
  const auto imported = import({write("a.csv", text_of(rows))});
  ASSERT_TRUE(imported) << to_text(imported.error());
  EXPECT_EQ(imported->rows, rows.size());
  EXPECT_EQ(imported->candles.added, rows.size());
  EXPECT_EQ(imported->lines, rows.size() + 1);
  EXPECT_EQ(imported->partitions, 3U);
  EXPECT_EQ(*imported->first, from_ms(rows.front().open_time));
  EXPECT_EQ(*imported->last, from_ms(rows.back().open_time));
  expect_stored(stored(), rows);
}

TEST_F(ImportTest, OrderAndRepetitionDoNotMatter) {
  const auto rows = history(60'000, 2);
  const std::string whole = write("whole.csv", text_of(rows));
  ASSERT_TRUE(import({whole}));
  const auto expected_files = files_of_lake();
  std::map<std::string, std::string> expected;
  for (const auto& file : expected_files) expected[file] = *lake::read_text(*storage_, file);

  // Descending; blocks out of order and overlapping across months; every row shuffled, many of them twice.
  auto descending = rows;
  std::ranges::reverse(descending);
  std::vector<Kline> blocks;
  for (const std::size_t begin : {50'000U, 10'000U, 45'000U, 0U, 20'000U}) {
    blocks.insert(blocks.end(), rows.begin() + begin,
                  rows.begin() + std::min<std::size_t>(begin + 25'000, rows.size()));
  }
  auto shuffled = rows;
  shuffled.insert(shuffled.end(), rows.begin(), rows.begin() + 30'000);
  Random random(3);
  for (std::size_t i = shuffled.size(); i > 1; --i) std::swap(shuffled[i - 1], shuffled[random.below(i)]);

  for (const auto& order : {descending, blocks, shuffled}) {
    fs::remove_all(folder_ / "lake");
    const auto imported = import({write("order.csv", text_of(order))});
    ASSERT_TRUE(imported) << to_text(imported.error());
    EXPECT_EQ(imported->candles.added, rows.size());
    EXPECT_EQ(imported->candles.repeats, order.size() - rows.size());
    for (const auto& [file, bytes] : expected) EXPECT_EQ(*lake::read_text(*storage_, file), bytes) << file;
    EXPECT_EQ(files_of_lake().size(), expected.size());
  }
}

TEST_F(ImportTest, AMonthThatComesBackAfterItWasStagedIsMergedWithItself) {
  // More rows than are kept waiting, then the first month's other half.
  const auto rows = history(700'000, 4);
  std::vector<Kline> order;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i >= 20'000 || i % 2 == 0) order.push_back(rows[i]);
  }
  for (std::size_t i = 1; i < 20'000; i += 2) order.push_back(rows[i]);
  const auto imported = import({write("late.csv", text_of(order))});
  ASSERT_TRUE(imported);
  EXPECT_EQ(imported->candles.added, rows.size());
  expect_stored(stored(), rows);
}

TEST_F(ImportTest, GzipAndZipHoldTheSameAsPlainText) {
  const auto rows = history(50'000, 5);
  const std::span<const Kline> all(rows);
  const std::string first = text_of(all.first(30'000)), second = text_of(all.subspan(30'000));
  // Two gzip members make one file, as `cat a.gz b.gz` does; the second header is skipped.
  ASSERT_TRUE(import({write("two.csv.gz", gzipped(first) + gzipped(second) + std::string(700, '\0'))}));
  expect_stored(stored(), rows);

  fs::remove_all(folder_ / "lake");
  const std::string path = (folder_ / "two.zip").string();
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE, nullptr);
  zip_file_add(archive, "__MACOSX/._b.csv", zip_source_buffer(archive, "junk", 4, 0), 0);
  zip_file_add(archive, "readme.md", zip_source_buffer(archive, "junk", 4, 0), 0);
  zip_file_add(archive, "data/b.csv", zip_source_buffer(archive, second.data(), second.size(), 0), 0);
  zip_file_add(archive, "data/a.csv", zip_source_buffer(archive, first.data(), first.size(), 0), 0);
  ASSERT_EQ(zip_close(archive), 0);
  ASSERT_TRUE(import({path}));
  expect_stored(stored(), rows);
}

TEST_F(ImportTest, DamagedArchivesImportNothing) {
  const std::string whole = gzipped(text_of(history(50'000, 6)));
  const auto cut = import({write("cut.csv.gz", whole.substr(0, whole.size() / 2))});
  ASSERT_FALSE(cut);
  EXPECT_THAT(cut.error().what, HasSubstr("cut short"));
  std::string flipped = whole;
  flipped[flipped.size() - 6] ^= 1;  // the checksum at the end
  const auto damaged = import({write("flipped.csv.gz", flipped)});
  ASSERT_FALSE(damaged);
  EXPECT_THAT(damaged.error().what, HasSubstr("damaged"));
  const auto zip = import({write("bad.zip", "PK\x03\x04 this is no zip")});
  ASSERT_FALSE(zip);
  EXPECT_EQ(zip.error().code, ErrorCode::invalid_data);
  EXPECT_TRUE(files_of_lake().empty());
}

TEST_F(ImportTest, TooManyBadRowsStopItBeforeAnythingIsWritten) {
  const auto rows = history(200'000, 7);
  std::string text = text_of(rows) + "bad\nworse\nworst\n";
  ImportOptions options;
  std::vector<ImportReject> rejects;
  options.on_reject = [&](const ImportReject& r) {
    rejects.push_back(r);
    return Status{};
  };
  options.max_rejects = 2;
  const std::string path = write("bad.csv", text);
  const auto stopped = import({path}, options);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::invalid_data);
  EXPECT_TRUE(files_of_lake().empty());
  ASSERT_EQ(rejects.size(), 3U);
  EXPECT_EQ(rejects[0].file, path);
  EXPECT_EQ(rejects[0].line, 200'002U);
  EXPECT_THAT(rejects[0].reason, HasSubstr("1 fields where 6 are expected"));

  options.max_rejects = 3;
  const auto done = import({path}, options);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->rejected, 3U);
  expect_stored(stored(), rows);
}

TEST_F(ImportTest, StoredCandlesStayAndDifferencesAreReported) {
  auto rows = history(1000, 8);
  Klines before;
  for (int i = 100; i < 200; ++i) {
    Kline k = rows[i];
    k.source = i < 150 ? Source::rest : Source::import;
    if (i % 10 == 0) k.volume += 1;
    before.push_back(k);
  }
  RangeSet asked{{from_ms(rows[100].open_time), from_ms(rows[200].open_time)}};
  const auto file =
      lake::kline_file(lake::minutes_partition("BTCUSDT", month_of(from_ms(kT0))), before, asked);
  ASSERT_TRUE(storage_->replace(std::span(&*file, 1)));

  const auto imported = import({write("a.csv", text_of(rows))});
  ASSERT_TRUE(imported);
  EXPECT_EQ(imported->candles.added, 900U);
  EXPECT_EQ(imported->candles.differing, 10U);
  ASSERT_EQ(imported->candles.examples.size(), 5U);
  EXPECT_EQ(imported->candles.examples[0].stored.volume, rows[100].volume + 1);
  for (std::size_t i = 0; i < before.size(); ++i) rows[100 + i] = before.at(i);
  expect_stored(stored(), rows);
  EXPECT_EQ(
      lake::read_kline_file(*storage_, lake::minutes_partition("BTCUSDT", month_of(from_ms(kT0))))->asked,
      asked);
}

TEST_F(ImportTest, ImportingTheSameAgainChangesNoFile) {
  const std::string path = write("a.csv", text_of(history(50'000, 9)));
  ASSERT_TRUE(import({path}));
  const auto again = import({path});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->candles.added, 0U);
  EXPECT_EQ(again->partitions, 0U);
}

TEST_F(ImportTest, DaysGoIntoTheTableOfDaysByYear) {
  std::string text = "Date,Symbol,Open,High,Low,Close,Volume BTC,Volume USDT\n";
  for (int day = 799; day >= 0; --day)
    text += fmt::format("{},BTCUSDT,1,2,0.5,1.5,10,15\n",
                        format_day(day_of(from_ms(kT0)) + std::chrono::days{day}));
  ImportOptions options;
  options.interval = candles::Interval::d1;
  const auto imported = import({write("d.csv", text)}, options);
  ASSERT_TRUE(imported) << to_text(imported.error());
  EXPECT_EQ(imported->partitions, 3U);
  const Klines days = stored(lake::Table::klines_1d);
  ASSERT_EQ(days.size(), 800U);
  EXPECT_EQ(days.quote_volume[17], 15);
  EXPECT_TRUE(stored().empty());
}

TEST_F(ImportTest, CandlesOfAnotherIntervalAreRefused) {
  std::string hours = "unix,open,high,low,close,volume\n", days = hours;
  for (int i = 0; i < 100; ++i) {
    hours += fmt::format("{},1,1,1,1,1\n", kT0 / 1000 + i * 3600);
    days += fmt::format("{},1,1,1,1,1\n", kT0 / 1000 + i * 86400);
  }
  const auto as_minutes = import({write("h.csv", hours)});
  ASSERT_FALSE(as_minutes);
  EXPECT_THAT(as_minutes.error().what, HasSubstr("1h 00m apart: these are not 1m candles"));
  const auto day_file = import({write("d.csv", days)});
  ASSERT_FALSE(day_file);
  EXPECT_THAT(day_file.error().remedy, HasSubstr("--interval 1d"));
  const auto few_days = import({write("f.csv", days.substr(0, days.find('\n', 100) + 1))});
  ASSERT_FALSE(few_days);
  EXPECT_THAT(few_days.error().remedy, HasSubstr("--interval 1d"));
  EXPECT_TRUE(files_of_lake().empty());
}

TEST_F(ImportTest, AStopRequestLeavesTheLakeAsItWas) {
  std::stop_source stop;
  stop.request_stop();
  NoProgress progress;
  ImportOptions options;
  options.symbol = "BTCUSDT";
  const std::vector<std::string> files{write("a.csv", text_of(history(10'000, 10)))};
  const auto imported = import_files(*storage_, files, options, progress, stop.get_token());
  ASSERT_FALSE(imported);
  EXPECT_EQ(imported.error().code, ErrorCode::interrupted);
  EXPECT_TRUE(files_of_lake().empty());
}

TEST_F(ImportTest, FilesThatAreNotThereOrNoCsvAreNamed) {
  const auto missing = import({(folder_ / "none.csv").string()});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_THAT(missing.error().where, HasSubstr("none.csv"));
  const auto folder = import({folder_.string()});
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, ErrorCode::usage);
  const auto junk = import({write("junk.csv", "hello\n")});
  ASSERT_FALSE(junk);
  EXPECT_EQ(junk.error().code, ErrorCode::invalid_data);
  EXPECT_THAT(junk.error().where, HasSubstr("junk.csv"));
}

// Hands out its text in pieces of random size.
class TornInput final : public CsvInput {
 public:
  TornInput(std::string text, Random random) : text_(std::move(text)), random_(random) {}
  const std::string& name() const override { return name_; }
  Result<std::size_t> read(std::span<char> to) override {
    const std::size_t count = std::min({to.size(), text_.size() - at_, std::size_t{1} + random_.below(100)});
    std::copy_n(text_.data() + at_, count, to.data());
    at_ += count;
    return count;
  }
  std::uint64_t consumed() const override { return at_; }

 private:
  std::string name_ = "torn", text_;
  Random random_;
  std::size_t at_ = 0;
};

TEST(LineBlocks, BlocksEndWithLinesAndTogetherAreTheText) {
  Random random(11);
  for (int round = 0; round < 100; ++round) {
    std::string text;
    while (text.size() < 2000) text += std::string(random.below(60), 'x') + '\n';
    if (random.chance(0.5)) text += "tail";
    TornInput input(text, random.split());
    LineBlocks blocks(input, 64 + random.below(200));
    std::string joined;
    while (true) {
      const auto block = blocks.next();
      ASSERT_TRUE(block);
      if (block->empty()) break;
      joined += *block;
      EXPECT_TRUE(block->ends_with('\n') || joined.size() == text.size());
    }
    EXPECT_EQ(joined, text);
  }
}

TEST(LineBlocks, ALineLongerThanABlockComesOnceAndCut) {
  TornInput input("a\n" + std::string(1000, 'x') + "\nb\n" + std::string(300, 'y'), Random(12));
  LineBlocks blocks(input, 100);
  std::vector<std::string> all;
  for (auto block = *blocks.next(); !block.empty(); block = *blocks.next()) all.push_back(block);
  EXPECT_THAT(all, testing::ElementsAre("a\n", std::string(100, 'x'), "b\n", std::string(100, 'y')));
}

}  // namespace
}  // namespace chandler::batch
