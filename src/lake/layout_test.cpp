#include "lake/layout.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace chandler::lake {
namespace {

constexpr year_month month(int y, unsigned m) {
  return std::chrono::year{y} / std::chrono::month{m};
}

TEST(Layout, PathsAreThoseOfTheDesign) {
  EXPECT_EQ(path_of(minutes_partition("BTCUSDT", month(2025, 9))),
            "klines_1m/symbol=BTCUSDT/year=2025/month=9/part.parquet");
  EXPECT_EQ(path_of(days_partition("BTCUSDT", 2025)), "klines_1d/symbol=BTCUSDT/year=2025/part.parquet");
  EXPECT_EQ(path_of(speed_partition("BTCUSDT", *parse_day("2025-09-22"))),
            "speed_1m/symbol=BTCUSDT/year=2025/month=9/day=22/part.parquet");
  EXPECT_EQ(path_of(daily_partition("BTCUSDT", month(2025, 12))),
            "daily_filled/symbol=BTCUSDT/year=2025/month=12/part.parquet");
  EXPECT_EQ(path_of(prophet_partition("BTCUSDT")), "prophet_input/symbol=BTCUSDT/part.parquet");
}

TEST(Layout, EveryPathReadsBackAsItsPartition) {
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    const Day day = from_day_number(static_cast<std::int32_t>(random.below(40'000)));
    const std::string symbol = random.chance(0.5) ? "BTCUSDT" : "币安人生USDT";
    for (const Partition& p :
         {minutes_partition(symbol, month_of(day)), days_partition(symbol, year_number(month_of(day))),
          speed_partition(symbol, day), daily_partition(symbol, month_of(day)), prophet_partition(symbol)}) {
      EXPECT_EQ(parse_path(path_of(p)), p);
      EXPECT_TRUE(p.range().contains(begin_of(day)));
    }
  }
}

TEST(Layout, RangesOfPartitionsTileTime) {
  for (year_month m = month(2019, 1); m < month(2025, 1); m += std::chrono::months{1}) {
    const year_month next = m + std::chrono::months{1};
    EXPECT_EQ(minutes_partition("A", m).range().end, minutes_partition("A", next).range().begin);
  }
  EXPECT_EQ(days_partition("A", 2024).range().length(), 366 * kDay);
  EXPECT_EQ(days_partition("A", 2023).range().end, days_partition("A", 2024).range().begin);
  EXPECT_EQ(speed_partition("A", *parse_day("2024-02-29")).range().end, begin_of(*parse_day("2024-03-01")));
}

TEST(Layout, APathThatIsNotToTheLetterIsNoPartition) {
  for (const char* path : {"",
                           "klines_1m",
                           "klines_1m/symbol=BTCUSDT",
                           "klines_1m/symbol=BTCUSDT/year=2025",
                           "klines_1m/symbol=BTCUSDT/year=2025/month=09/part.parquet",
                           "klines_1m/symbol=BTCUSDT/year=2025/month=13/part.parquet",
                           "klines_1m/symbol=BTCUSDT/year=2025/month=0/part.parquet",
                           "klines_1m/symbol=BTCUSDT/year=2025/month=9/part.parquet/",
                           "klines_1m/symbol=BTCUSDT/year=2025/month=9/part-0.parquet",
                           "klines_1m/symbol=BTCUSDT/year=2025/month=9x/part.parquet",
                           "klines_1m/symbol=BTCUSDT/year=2025/month=+9/part.parquet",
                           "klines_1m/symbol=BTCUSDT/year=-2025/month=9/part.parquet",
                           "klines_1m/symbol=BTCUSDT/year=20250/month=9/part.parquet",
                           "klines_1m/symbol=/year=2025/month=9/part.parquet",
                           "klines_1m/BTCUSDT/year=2025/month=9/part.parquet",
                           "klines_1m/symbol=BTCUSDT/month=9/year=2025/part.parquet",
                           "klines_5m/symbol=BTCUSDT/year=2025/month=9/part.parquet",
                           "/klines_1m/symbol=BTCUSDT/year=2025/month=9/part.parquet",
                           "klines_1d/symbol=BTCUSDT/year=2025/month=9/part.parquet",
                           "speed_1m/symbol=BTCUSDT/year=2025/month=2/day=29/part.parquet",
                           "speed_1m/symbol=BTCUSDT/year=2025/month=2/part.parquet",
                           "prophet_input/symbol=BTCUSDT/year=2025/part.parquet",
                           "klines_1m/symbol=../year=2025/month=9/part.parquet",
                           "klines_1m/symbol=BTCUSDT/year=99999999999/month=9/part.parquet"}) {
    EXPECT_EQ(parse_path(path), std::nullopt) << path;
  }
}

TEST(Layout, ASymbolCannotLeaveItsFolder) {
  for (const char* text : {"BTCUSDT", "1000SHIBUSDT", "币安人生USDT", "BTC-USD", "BTC.D"}) {
    EXPECT_TRUE(is_symbol(text)) << text;
  }
  for (const std::string text :
       {"", ".", "..", ".hidden", "a/b", "a\\b", "a=b", "a%2Fb", "a b", "a\tb", "a\nb"}) {
    EXPECT_FALSE(is_symbol(text)) << text;
  }
  EXPECT_FALSE(is_symbol(std::string_view("a\0b", 3)));
  EXPECT_TRUE(is_symbol(std::string(64, 'A')));
  EXPECT_FALSE(is_symbol(std::string(65, 'A')));
}

}  // namespace
}  // namespace chandler::lake
