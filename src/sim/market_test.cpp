#include "sim/market.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sim/kline_file.hpp"

namespace chandler::sim {
namespace {

namespace fs = std::filesystem;

class MarketFiles : public testing::Test {
 protected:
  MarketFiles() { fs::create_directories(folder_); }
  ~MarketFiles() override { fs::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  Result<std::shared_ptr<const Market>> load() {
    const std::vector<std::string> places{folder_.string()};
    return Market::load(places);
  }

  fs::path folder_ =
      fs::temp_directory_path() / ("chandler_market_test_" + std::to_string(::getpid()) + "_" +
                                   testing::UnitTest::GetInstance()->current_test_info()->name());
};

constexpr const char* kRow1 = "1711929600000,10.0,12.0,9.0,11.0,5.0,1711929659999,50.0,7,2.0,20.0,0\n";
constexpr const char* kRow2 = "1711929660000000,11.0,11.5,10.5,11.2,6.0,1711929719999999,66.0,8,3.0,30.0,0\n";

TEST(KlineFileName, SaysSymbolAndInterval) {
  const auto check = [](const char* name, const char* symbol, Interval interval) {
    const auto identity = identify(name);
    ASSERT_TRUE(identity) << name;
    EXPECT_EQ(identity->symbol, symbol);
    EXPECT_EQ(identity->interval, interval);
  };
  check("a/BTCUSDT-1m-2024-05-01.zip", "BTCUSDT", Interval::m1);
  check("1INCHUSDT-1m-2024-05.csv.gz", "1INCHUSDT", Interval::m1);
  check("BTCUSDT_1d.csv", "BTCUSDT", Interval::d1);
  for (const char* other :
       {"BTCUSDT-1m-2024-05-01.zip.CHECKSUM", "LICENSE", "btc-1m.csv", "BTCUSDT-1h-2024-05.zip",
        "BTCUSDT.csv", "BTC_USDT-1d.feather", "-1m.csv", "BTCUSDT-1M-2024.zip"}) {
    EXPECT_FALSE(identify(other)) << other;
  }
  EXPECT_TRUE(is_of_symbol_not_served("btc-1m.csv")) << "candles, of a symbol that cannot be asked for";
  EXPECT_FALSE(is_of_symbol_not_served("BTCUSDT-1m.csv"));
  EXPECT_FALSE(is_of_symbol_not_served("btc-1h.csv"));
}

TEST_F(MarketFiles, AFileOfASymbolThatCannotBeAskedForIsNamed) {
  write("btcusdt-1m-2024-04.csv", kRow1);
  write("ABCUSDT-1m-2024-04.csv", kRow1);
  const std::string file[] = {(folder_ / "btcusdt-1m-2024-04.csv").string()};
  const auto alone = Market::load(file);
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.error().where, file[0]);
  EXPECT_THAT(alone.error().what, testing::HasSubstr("A-Z and 0-9"));
  testing::internal::CaptureStdout();
  const auto market = load();
  EXPECT_THAT(testing::internal::GetCapturedStdout(),
              testing::HasSubstr("btcusdt-1m-2024-04.csv is the first"));
  ASSERT_TRUE(market);
  EXPECT_EQ((*market)->listings().size(), 1U);
}

TEST_F(MarketFiles, FilesOfAnyDepthInMillisecondsAndMicrosecondsMakeOneSeries) {
  write("x/y/ABCUSDT-1m-2024-04-01.csv", kRow2);
  write("ABCUSDT-1m-2024-04.csv", std::string(kRow1) + kRow2);
  write("notes.txt", "nothing");
  const auto market = load();
  ASSERT_TRUE(market) << to_text(market.error());
  const Listing* listing = (*market)->find("ABCUSDT");
  ASSERT_TRUE(listing);
  EXPECT_EQ(listing->minutes().open_time, (std::vector<std::int64_t>{1711929600000, 1711929660000}));
  EXPECT_EQ(listing->minutes().trades, (std::vector<std::int64_t>{7, 8}));
  EXPECT_FALSE((*market)->find("ABC"));
}

TEST_F(MarketFiles, ADailyFileWithAHeaderIsRead) {
  write("ABCUSDT_1d.csv",
        "symbol,timeframe,open_time,close_time,open,high,low,close,volume,trades\n"
        "ABCUSDT,1d,1502928000000,1503014399999,10,12,8,11,100,3427\n");
  const auto market = load();
  ASSERT_TRUE(market) << to_text(market.error());
  const auto rows =
      (*market)->find("ABCUSDT")->candles({Interval::d1, {}, {}, 5, Millis{0}}, from_ms(1'600'000'000'000));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].values.trades, 3427);
  EXPECT_EQ(rows[0].values.quote_volume, 100 * 10.25) << "derived: the file has none";
}

TEST_F(MarketFiles, DaysThatGoOnAfterTheMinutesDoNotMoveTheLiveEnd) {
  write("ABCUSDT-1m-2024-04-01.csv", kRow1);
  write("ABCUSDT_1d.csv",
        "symbol,timeframe,open_time,close_time,open,high,low,close,volume,trades\n"
        "ABCUSDT,1d,1767225600000,1767311999999,10,12,8,11,100,3427\n");
  const auto market = load();
  ASSERT_TRUE(market) << to_text(market.error());
  EXPECT_EQ((*market)->live_end(), from_ms(1711929660000));
  EXPECT_EQ((*market)->extent().end, from_ms(1767312000000));
}

TEST_F(MarketFiles, WhatCannotBeReadIsNamed) {
  EXPECT_EQ(load().error().code, ErrorCode::not_found) << "an empty folder";
  write("ABCUSDT-1m-2024-04-01.zip", "not a zip");
  const auto damaged = load();
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::invalid_data);
  EXPECT_NE(damaged.error().where.find("ABCUSDT-1m-2024-04-01.zip"), std::string::npos);
  const std::vector<std::string> nowhere{(folder_ / "absent").string()};
  EXPECT_EQ(Market::load(nowhere).error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace chandler::sim
