#include "batch/report.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <mutex>

#include "batch/derive.hpp"
#include "batch/report_charts.hpp"
#include "batch/report_html.hpp"
#include "lake/kline_file.hpp"

namespace chandler::batch {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Pictures by file name, as they come.
class Pictures {
 public:
  KeepPicture keep() {
    return [this](std::string file, std::string bytes) -> Status {
      const std::lock_guard lock(mutex_);
      files[std::move(file)] = std::move(bytes);
      return {};
    };
  }
  std::map<std::string, std::string> files;

 private:
  std::mutex mutex_;
};

constexpr std::int64_t kT0 = 1'704'067'200'000;  // 2024-01-01

// Three days of minutes without [00:10, 00:15) of the first, which the exchange has none of, without [12:00,
// 13:20) of the first, which nobody asked for, and without the whole second day.
class ReportTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("chandler-report-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    storage_ = *lake::open_local_storage(folder_.string());
    for (const std::string symbol : {"AAAUSDT", "BBBUSDT"}) {
      candles::Klines rows;
      for (std::int64_t m = 0; m < 3 * 1440; ++m) {
        if ((m >= 10 && m < 15) || (m >= 720 && m < 800) || m / 1440 == 1) continue;
        const double price = 100 + static_cast<double>(m) / 100;
        rows.push_back({kT0 + m * kMinuteMs, price, price, price, price, 1});
      }
      const RangeSet asked{{from_ms(kT0), from_ms(kT0 + 700 * kMinuteMs)}};
      const auto file =
          lake::kline_file(lake::minutes_partition(symbol, month_of(from_ms(kT0))), rows, asked);
      ASSERT_TRUE(storage_->replace(std::span(&*file, 1)));
    }
    NoProgress progress;
    ASSERT_TRUE(derive(*storage_, {"AAAUSDT", "BBBUSDT"}, Extent::everything, progress));
    histories_ = *read_histories(*storage_, {"AAAUSDT", "BBBUSDT"});
    tables_ = report_tables(histories_, {});
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string csv(std::string_view name) const {
    for (const auto& table : tables_) {
      if (table.name == name) return to_csv(table);
    }
    return "no such table";
  }

  fs::path folder_;
  std::shared_ptr<lake::Storage> storage_;
  std::vector<SymbolHistory> histories_;
  std::vector<ReportTable> tables_;
};

TEST_F(ReportTest, TablesHaveTheNamesOfTheReplacedPipeline) {
  std::vector<std::string> names;
  for (const auto& table : tables_) {
    names.push_back(table.name);
    for (const auto& row : table.rows) EXPECT_EQ(row.size(), table.columns.size());
  }
  EXPECT_THAT(names, ElementsAre("per_day_counts", "large_gaps", "missing_days", "top_price_change_days",
                                 "top_volume_days", "avg_volume_per_month", "avg_return_per_year"));
}

TEST_F(ReportTest, EveryDayIsCountedAndTheMissingOneIsNamed) {
  EXPECT_THAT(csv("per_day_counts"), HasSubstr("AAAUSDT,2024-01-01,1355,85,false\n"
                                               "AAAUSDT,2024-01-02,0,1440,true\n"));
  EXPECT_EQ(csv("missing_days"), "symbol,date\nAAAUSDT,2024-01-02\nBBBUSDT,2024-01-02\n");
}

TEST_F(ReportTest, GapsComeLongestFirstAndSayWhetherTheExchangeWasAsked) {
  EXPECT_EQ(csv("large_gaps"),
            "symbol,start,end,minutes,asked\n"
            "AAAUSDT,2024-01-02 00:00,2024-01-03 00:00,1440,false\n"
            "BBBUSDT,2024-01-02 00:00,2024-01-03 00:00,1440,false\n"
            "AAAUSDT,2024-01-01 12:00,2024-01-01 13:20,80,false\n"
            "BBBUSDT,2024-01-01 12:00,2024-01-01 13:20,80,false\n"
            "AAAUSDT,2024-01-01 00:10,2024-01-01 00:15,5,true\n"
            "BBBUSDT,2024-01-01 00:10,2024-01-01 00:15,5,true\n");
  ReportOptions options;
  options.min_gap_minutes = 80;
  EXPECT_EQ(report_tables(histories_, options)[1].rows.size(), 4U);
}

TEST_F(ReportTest, FilledDaysAreNoStatistics) {
  EXPECT_THAT(csv("top_volume_days"), Not(HasSubstr("2024-01-02")));
  EXPECT_THAT(csv("top_price_change_days"), Not(HasSubstr("2024-01-02")));
  // (1355 + last day's minutes) / 2 days
  EXPECT_THAT(csv("avg_volume_per_month"), HasSubstr("AAAUSDT,2024,1,1397.5,2\n"));
}

TEST_F(ReportTest, SummaryAddsUp) {
  EXPECT_EQ(to_csv(report_summary(histories_)),
            "symbol,first_day,last_day,days,whole,partial,day_only,missing,gaps,missing_minutes\n"
            "AAAUSDT,2024-01-01,2024-01-03,3,1,1,0,1,3,1525\n"
            "BBBUSDT,2024-01-01,2024-01-03,3,1,1,0,1,3,1525\n");
}

TEST_F(ReportTest, PageCarriesItsPicturesAndReachesForNothing) {
  NoProgress progress;
  Pictures pictures_kept;
  const auto plots = report_plots(histories_, pictures_kept.keep(), progress);
  ASSERT_TRUE(plots);
  std::vector<std::string> names;
  for (const auto& plot : *plots) {
    names.push_back(plot.name);
    EXPECT_TRUE(pictures_kept.files.at(plot.name + ".png").starts_with("\x89PNG"));
    const std::string& svg = pictures_kept.files.at(plot.name + ".svg");
    EXPECT_EQ(plot.svg, plot.on_page ? svg : "") << "only what the page shows stays in memory";
  }
  EXPECT_EQ(pictures_kept.files.size(), 2 * names.size());
  EXPECT_THAT(names, ElementsAre("AAAUSDT_history", "AAAUSDT_last_90_days", "BBBUSDT_history",
                                 "BBBUSDT_last_90_days", "comparison"));
  const std::string page = report_html(report_summary(histories_), tables_, *plots);
  std::size_t pictures = 0;
  for (std::size_t at = page.find("<svg"); at != page.npos; at = page.find("<svg", at + 1)) ++pictures;
  EXPECT_EQ(pictures, 3U) << "the last 90 days of three are all of them";
  EXPECT_THAT(page, Not(HasSubstr("src=\"http")));
  EXPECT_THAT(page, Not(HasSubstr("<link")));
  for (const auto& table : tables_) EXPECT_THAT(page, HasSubstr("id=\"" + table.name + "\""));
  EXPECT_EQ(page, report_html(report_summary(histories_), tables_,
                              *report_plots(histories_, pictures_kept.keep(), progress)));
}

TEST_F(ReportTest, WorstComesFirstForTheEyeAndDaysWithoutMinutesOfTheirOwnComeLast) {
  ReportTable counts = tables_[0];
  counts.rows.push_back({std::string("CCCUSDT"), std::string("2024-01-01"), std::int64_t{0},
                         std::int64_t{1440}, false});  // known as a day only
  const ReportTable sorted = worst_first(counts);
  std::vector<std::string> order;
  for (const auto& row : sorted.rows)
    order.push_back(std::get<std::string>(row[0]).substr(0, 1) + std::get<std::string>(row[1]).substr(8));
  EXPECT_THAT(order, ElementsAre("A02", "B02", "A01", "B01", "A03", "B03", "C01"));
  EXPECT_EQ(to_csv(tables_[0]), csv("per_day_counts")) << "files keep the order of symbol and time";
}

TEST(ReportRows, MadeAndKeptRowsAreOrderedAndChosenAlike) {
  ReportRows rows(3, [](std::size_t i) { return ReportRow{static_cast<std::int64_t>(i), true}; });
  rows.push_back({std::int64_t{1}, false});
  const auto shown = [&] {
    std::string text;
    for (const ReportRow& row : rows)
      text += fmt::format("{}{} ", std::get<std::int64_t>(row[0]), std::get<bool>(row[1]) ? 'm' : 'k');
    return text;
  };
  EXPECT_EQ(shown(), "0m 1m 2m 1k ");
  rows.sort_down_by([](const ReportRow& row) { return static_cast<double>(std::get<std::int64_t>(row[0])); });
  EXPECT_EQ(shown(), "2m 1m 1k 0m ");
  rows.keep_if([](const ReportRow& row) { return std::get<std::int64_t>(row[0]) < 2; });
  EXPECT_EQ(shown(), "1m 1k 0m ");
  rows.push_back({std::int64_t{7}, false});
  EXPECT_EQ(shown(), "1m 1k 0m 7k ");
  EXPECT_TRUE(rows.any_number(0));
  EXPECT_FALSE(rows.any_number(1));
}

TEST(ReportTable, CellsAreRoundedAndGroupedForTheEye) {
  EXPECT_EQ(cell_text("missing", std::int64_t{44'640}), "44,640");
  EXPECT_EQ(cell_text("year", std::int64_t{2024}), "2024");
  EXPECT_EQ(cell_text("daily_close", 61139.98), "61,139.98");
  EXPECT_EQ(cell_text("daily_close", 0.00001234), "0.00001234");
  EXPECT_EQ(cell_text("daily_quote_volume", 14'644'645'122.7), "14,644,645,123");
  EXPECT_EQ(cell_text("change_pct", -39.50529), "-39.5053");
  EXPECT_EQ(cell_text("asked", true), "yes");
  EXPECT_EQ(cell_text("daily_quote_volume", ReportCell{}), "");
}

TEST(ReportTable, TextsThatNeedItAreQuotedAndUnknownIsNothing) {
  const ReportTable table{"t", "T", {"a", "b"}, {{std::string("x,\"y\""), ReportCell{}}, {true, 0.1}}};
  EXPECT_EQ(to_csv(table), "a,b\n\"x,\"\"y\"\"\",\ntrue,0.1\n");
}

TEST(ReportHtml, NumbersAreGroupedAndSortedByTheirExactValue) {
  const ReportTable table{"t", "T", {"a", "b"}, {{ReportCell{}, 2.5}, {std::int64_t{1'234'567}, 1e7 / 3}}};
  const std::string page = report_html({"summary", "S", {}, {}}, {table}, {});
  EXPECT_THAT(page, HasSubstr("<td class=n data-v=\"1234567\">1,234,567</td>"));
  EXPECT_THAT(page, HasSubstr("<td class=n data-v=\"3333333.3333333335\">3,333,333</td>"));
  EXPECT_THAT(page, HasSubstr("<th class=n><button>a</button>")) << "a number where any row has one";
}

TEST(ReportHtml, AmongManySymbolsThePageShowsThePicturesOfAFewAndSaysWhereTheRestIs) {
  std::vector<SymbolHistory> histories(12);
  for (std::size_t i = 0; i < histories.size(); ++i) {
    histories[i].symbol = fmt::format("S{:02}", i);
    for (std::int32_t day = 0; day < 91 + static_cast<std::int32_t>(i); ++day) {
      auto& d = histories[i].days;
      d.date.push_back(19'000 + day);
      for (auto* column : {&d.open, &d.high, &d.low, &d.close, &d.volume, &d.ma7, &d.ma30})
        column->push_back(1 + day);
      d.count.push_back(1440);
      d.filled.push_back(0);
    }
  }
  NoProgress progress;
  Pictures kept;
  const auto plots = report_plots(histories, kept.keep(), progress);
  ASSERT_TRUE(plots);
  EXPECT_EQ(plots->size(), 25U);
  const std::string page = report_html(report_summary(histories), {}, *plots);
  std::size_t pictures = 0;
  for (std::size_t at = page.find("<svg"); at != page.npos; at = page.find("<svg", at + 1)) ++pictures;
  EXPECT_EQ(pictures, 17U) << "the comparison, and two of each symbol in it";
  EXPECT_THAT(page, HasSubstr("aria-label=\"S11_history\""));
  EXPECT_THAT(page, Not(HasSubstr("aria-label=\"S00_history\"")));
  EXPECT_THAT(page, HasSubstr("17 of 25 pictures; all of them are in plots/"));
}

TEST(ReportHtml, NamesAreEscaped) {
  const ReportTable summary{"summary", "S", {"symbol"}, {{std::string("<script>&\"")}}};
  const std::string page = report_html(summary, {}, {});
  EXPECT_THAT(page, HasSubstr("<td>&lt;script&gt;&amp;&quot;</td>"));
}

}  // namespace
}  // namespace chandler::batch
