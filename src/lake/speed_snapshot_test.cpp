#include "lake/speed_snapshot.hpp"

#include <gtest/gtest.h>

#include "lake/test_lake.hpp"

namespace chandler::lake {
namespace {

using testing::value;

SpeedSnapshot snapshot() {
  SpeedSnapshot s;
  s.stream = "klines/0";
  s.position = 1234567;
  s.watermark = from_ms(1'718'841'600'000);
  OpenCandle candle;
  candle.symbol = "BTCUSDT";
  candle.event_time = from_ms(1'718'841'612'345);
  candle.kline.open_time = 1'718'841'600'000;
  candle.kline.open = candle.kline.low = 64'000.25;
  candle.kline.high = candle.kline.close = 64'010.5;
  candle.kline.volume = 12.5;
  candle.kline.source = candles::Source::stream;
  s.open.push_back(candle);
  candle.symbol = "ETHUSDT";
  candle.kline.trades = 17;
  s.open.push_back(candle);
  return s;
}

// The text as it was written before snapshots had a digest.
std::string without_digest(const std::string& text) {
  const auto at = text.find(",\"digest\"");
  EXPECT_NE(at, std::string::npos);
  return text.substr(0, at) + "}\n";
}

void expect_equal(const SpeedSnapshot& a, const SpeedSnapshot& b) {
  EXPECT_EQ(a.stream, b.stream);
  EXPECT_EQ(a.position, b.position);
  EXPECT_EQ(a.watermark, b.watermark);
  ASSERT_EQ(a.open.size(), b.open.size());
  for (std::size_t i = 0; i < a.open.size(); ++i) {
    EXPECT_EQ(a.open[i].symbol, b.open[i].symbol);
    EXPECT_EQ(a.open[i].event_time, b.open[i].event_time);
    EXPECT_TRUE(candles::same_values(a.open[i].kline, b.open[i].kline));
  }
}

TEST(SpeedSnapshot, ReadsBackWhatWasWritten) {
  expect_equal(value(parse_snapshot(to_text(snapshot()))), snapshot());
  SpeedSnapshot none;
  none.stream = "live";
  expect_equal(value(parse_snapshot(to_text(none))), none);
}

TEST(SpeedSnapshot, OneFromBeforeThereWasADigestIsRead) {
  expect_equal(value(parse_snapshot(without_digest(to_text(snapshot())))), snapshot());
}

TEST(SpeedSnapshot, AnyFlippedBitIsFound) {
  const std::string text = to_text(snapshot());
  for (std::size_t i = 0; i < text.size() * 8; ++i) {
    std::string flipped = text;
    flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << i % 8));
    const auto read = parse_snapshot(flipped);
    ASSERT_FALSE(read) << "bit " << i << " of\n" << flipped;
    EXPECT_EQ(read.error().code, ErrorCode::damaged);
  }
}

TEST(SpeedSnapshot, AFileThatEndsEarlyIsFound) {
  const std::string text = to_text(snapshot());
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(parse_snapshot(std::string_view(text).substr(0, size))) << size;
}

TEST(SpeedSnapshot, ADamagedFileIsNamedWithWhatToDo) {
  testing::TemporaryLake lake;
  std::string text = to_text(snapshot());
  text[text.find("1234567")] = '9';
  testing::check(lake.storage().replace_text(snapshot_path("klines/0"), text));
  const auto read = read_snapshot(lake.storage(), "klines/0");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::damaged);
  EXPECT_EQ(read.error().where, snapshot_path("klines/0"));
  EXPECT_FALSE(read.error().remedy.empty());
}

}  // namespace
}  // namespace chandler::lake
