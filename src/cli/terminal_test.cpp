#include "cli/terminal.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "cli/command.hpp"

namespace chandler::cli {
namespace {

TEST(TextTable, ColumnsAreAsWideAsTheirWidestCell) {
  TextTable table({{"symbol"}, {"rows", Align::right}});
  table.add({"BTCUSDT", "5"});
  table.add({"币安USDT", "1,000"});
  EXPECT_EQ(table.to_text(false),
            "symbol     rows\n"
            "BTCUSDT       5\n"
            "币安USDT  1,000\n");
}

TEST(TextTable, OnANarrowTerminalColumnsGoAndThenLinesAreCut) {
  TextTable table(
      {{"symbol"}, {"open", Align::right, 2}, {"high", Align::right, 1}, {"price", Align::right}});
  table.add({"币安USDT", "1", "2", "3"});
  EXPECT_EQ(table.to_text(false, 27),
            "symbol    open  high  price\n"
            "币安USDT     1     2      3\n");
  EXPECT_EQ(table.to_text(false, 26),
            "symbol    high  price\n"
            "币安USDT     2      3\n");
  EXPECT_EQ(table.to_text(false, 15),
            "symbol    price\n"
            "币安USDT      3\n");
  EXPECT_EQ(table.to_text(false, 3),
            "sym\n"
            "币\n");
}

TEST(Terminal, TextIsCutBetweenCharactersAndFlowsOntoLines) {
  EXPECT_EQ(clipped("…ab", 2), "…a");
  EXPECT_EQ(clipped("a币b", 2), "a");
  EXPECT_EQ(clipped("ab", 9), "ab");
  EXPECT_EQ(flowed({"one", "two", "three", "4"}, 10),
            "one  two\n"
            "three  4\n");
  EXPECT_EQ(flowed({"longer than this"}, 6), "longer\n");
  EXPECT_EQ(flowed({}, 6), "");
}

TEST(Terminal, TheBarGivesWayToTheFigures) {
  constexpr std::uint64_t kMiB = 1 << 20;
  const ProgressState reading{"reading BTCUSDT", "bytes", 30 * kMiB, 120 * kMiB};
  const std::chrono::seconds second{1};
  EXPECT_EQ(progress_line(reading, second, 120),
            "reading BTCUSDT  ██████░░░░░░░░░░░░░░░░░░  25%    30.0 MiB of 120.0 MiB  3 s left  30.0 MiB/s");
  EXPECT_EQ(progress_line(reading, second, 79),
            "reading BTCUSDT  ████░░░░░░░░░░░░░  25%    30.0 MiB of 120.0 MiB  3 s left");
  EXPECT_EQ(progress_line(reading, second, 50), "reading BTCUSDT  ███░░░░░░░░░░  25%  3 s left");
  EXPECT_EQ(progress_line(reading, second, 20), "reading BTCUSDT  ██░");
  EXPECT_EQ(progress_line({"building", "minutes", 5000, 0}, second, 79), "building  5,000 minutes  5,000/s");
  EXPECT_EQ(progress_line({"building", "minutes", 9, 9}, second, 79),
            "building  ████████████████████ 100%  9 of 9 minutes");
}

TEST(ProgressLine, NothingMovesWhileItFillsAndNoLineIsTooWide) {
  for (const std::size_t columns : {39U, 59U, 79U, 99U, 119U}) {
    std::set<std::size_t> bars, amounts;
    for (std::uint64_t done = 1; done < 3'256'052; done += done / 3 + 1) {
      for (const int seconds : {1, 50, 4000}) {
        const std::string line =
            progress_line({"fetching", "minutes", done, 3'256'052}, std::chrono::seconds(seconds), columns);
        EXPECT_LE(text_width(line), columns) << line;
        bars.insert(line.find('%'));
        amounts.insert(line.find(" of "));
      }
    }
    EXPECT_EQ(bars.size(), 1U) << columns;
    EXPECT_EQ(amounts.size(), 1U) << columns;
  }
}

TEST(Format, BytesHaveBinaryUnits) {
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1024), "1.0 KiB");
  EXPECT_EQ(format_bytes(3'355'443), "3.2 MiB");
}

TEST(Format, PricesHaveAsFewDigitsAsGiveThemBack) {
  EXPECT_EQ(format_price(0.1), "0.1");
  EXPECT_EQ(format_price(67540.01), "67540.01");
  EXPECT_EQ(format_price(std::nan("")), "-");
}

TEST(Symbols, AreUpperCasedAndNamedOnce) {
  EXPECT_EQ(*parse_symbols({"btcusdt", "ETHUSDT", "BTCUSDT"}),
            (std::vector<std::string>{"BTCUSDT", "ETHUSDT"}));
  for (const char* text : {"", "../x", "BTC/USDT", "a b"}) {
    const auto symbols = parse_symbols({text});
    ASSERT_FALSE(symbols) << text;
    EXPECT_EQ(symbols.error().code, ErrorCode::usage);
  }
}

TEST(DayFlags, SinceAndUntilAreBothInclusive) {
  DayFlags flags;
  EXPECT_EQ(*flags.begin(), std::nullopt);
  EXPECT_EQ(*flags.end(), std::nullopt);
  flags.since = flags.until = "2024-05-01";
  EXPECT_EQ(**flags.end() - **flags.begin(), kDay);
  flags.until = "2024-04-30";
  EXPECT_EQ(flags.end().error().code, ErrorCode::usage);
  flags.until = "2024-02-30";
  EXPECT_EQ(flags.end().error().code, ErrorCode::usage);
}

}  // namespace
}  // namespace chandler::cli
