#include "lake/month_days.hpp"

#include <arrow/buffer.h>
#include <gtest/gtest.h>

#include "lake/test_lake.hpp"

namespace chandler::lake {
namespace {

using candles::Bars;
using candles::Klines;
using testing::check;
using testing::TemporaryLake;
using testing::value;

const year_month kMay = std::chrono::year{2024} / std::chrono::May;
const Partition kPartition = minutes_partition("BTCUSDT", kMay);

bool equal(const Bars& a, const Bars& b) {
  return candles::testing::identical(a.rows, b.rows) && a.count == b.count;
}

TEST(MonthDays, AreWhatTheMinutesOfEachDayGive) {
  // Two minutes on the 3rd, one on the 5th; the second minute knows no trades.
  Klines minutes;
  const std::int64_t third = to_ms(begin_of(kMay)) + 2 * kDayMs;
  minutes.push_back({third, 10, 12, 9, 11, 1.5, 15, 1, 10, 7, candles::Source::rest});
  minutes.push_back({third + kDayMs - kMinuteMs, 11, 11, 8, 8.5, 0.25, 2, 0, 0, candles::kUnknownTrades,
                     candles::Source::rest});
  minutes.push_back({third + 2 * kDayMs, 8, 9, 7, 8, 2, 16, 1, 8, 3, candles::Source::rest});
  const Bars days = days_of(minutes);
  ASSERT_EQ(days.size(), 2U);
  EXPECT_EQ(days.rows.open_time, (std::vector<std::int64_t>{third, third + 2 * kDayMs}));
  EXPECT_EQ(days.rows.open, (std::vector<double>{10, 8}));
  EXPECT_EQ(days.rows.high, (std::vector<double>{12, 9}));
  EXPECT_EQ(days.rows.low, (std::vector<double>{8, 7}));
  EXPECT_EQ(days.rows.close, (std::vector<double>{8.5, 8}));
  EXPECT_EQ(days.rows.volume, (std::vector<double>{1.75, 2}));
  EXPECT_EQ(days.rows.quote_volume, (std::vector<double>{17, 16}));
  EXPECT_EQ(days.rows.trades, (std::vector<std::int64_t>{candles::kUnknownTrades, 3}));
  EXPECT_EQ(days.count, (std::vector<std::int32_t>{2, 1}));
}

TEST(MonthDays, SurviveTheFooterToTheLastBit) {
  for (std::uint64_t seed = 1; seed < 30; ++seed) {
    Random random{seed};
    const auto source = seed % 2 == 0 ? candles::Source::import : candles::Source::rest;
    const Klines minutes =
        candles::testing::random_history(random, begin_of(kMay), 31 * 1440, 0.4, 2000, kMinuteMs, source);
    const Bars days = days_of(minutes);
    EXPECT_TRUE(equal(value(decode_days(encode_days(days), kPartition, minutes.size())), days));
  }
  EXPECT_EQ(value(decode_days("", kPartition, 0)).size(), 0U);
}

TEST(MonthDays, ATextThatCannotBeTheDaysOfThePartitionIsDamaged) {
  Random random{1};
  const Klines minutes = candles::testing::random_history(random, begin_of(kMay), 31 * 1440, 0.1);
  const Bars days = days_of(minutes);
  const std::string text = encode_days(days);
  const auto refused = [&](const std::string& wrong, const Partition& partition, std::size_t rows) {
    const auto read = decode_days(wrong, partition, rows);
    return !read && read.error().code == ErrorCode::damaged;
  };
  EXPECT_TRUE(refused(text, kPartition, minutes.size() - 1)) << "days of another number of minutes";
  EXPECT_TRUE(refused(text, minutes_partition("BTCUSDT", kMay + std::chrono::months{1}), minutes.size()));
  EXPECT_TRUE(refused(text.substr(4), kPartition, minutes.size()));
  EXPECT_TRUE(refused(text + text, kPartition, minutes.size()));
  EXPECT_TRUE(refused("no base64!", kPartition, minutes.size()));
  Bars swapped = days;
  std::swap(swapped.rows.open_time[1], swapped.rows.open_time[2]);
  EXPECT_TRUE(refused(encode_days(swapped), kPartition, minutes.size()));
  Bars shifted = days;
  shifted.rows.open_time[1] += kMinuteMs;
  EXPECT_TRUE(refused(encode_days(shifted), kPartition, minutes.size()));
  Bars crowded = days;
  crowded.count[0] += 1441;
  crowded.count[1] -= 1441;
  EXPECT_TRUE(refused(encode_days(crowded), kPartition, minutes.size()));
  for (int round = 0; round < 2000; ++round) {  // hostile bytes: any answer, no crash
    std::string broken = text;
    for (int i = 0; i < 3; ++i) broken[random.below(broken.size())] = static_cast<char>(random.below(256));
    static_cast<void>(decode_days(broken, kPartition, minutes.size()));
  }
}

TEST(MonthDays, AreInTheFooterOfMinutesAndOnlyReadWhenWanted) {
  const TemporaryLake lake;
  Random random{2};
  const Klines minutes = candles::testing::random_history(random, begin_of(kMay), 5000, 0.02);
  testing::store(lake.storage(), Table::klines_1m, "BTCUSDT", minutes);
  EXPECT_EQ(value(read_kline_footer(lake.storage(), kPartition)).days, "");
  const KlineFooter footer = value(read_kline_footer(lake.storage(), kPartition, FooterDays::kept));
  EXPECT_TRUE(equal(value(decode_days(footer.days, kPartition, footer.rows)), days_of(minutes)));
}

}  // namespace
}  // namespace chandler::lake
