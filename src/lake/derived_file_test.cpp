#include "lake/derived_file.hpp"

#include <arrow/buffer.h>
#include <gtest/gtest.h>

#include "lake/test_lake.hpp"

namespace chandler::lake {
namespace {

using testing::check;
using testing::TemporaryLake;
using testing::value;

const year_month kMay = std::chrono::year{2024} / std::chrono::May;

candles::DailyRows random_days(Random& random, Day from, Day until, candles::Carry& carry) {
  const auto steps = static_cast<std::size_t>((until - from).count());
  candles::Bars bars;
  bars.rows =
      candles::testing::random_history(random, begin_of(from), steps, 0.3, 0, kDayMs,
                                       random.chance(0.5) ? candles::Source::rest : candles::Source::import);
  bars.count.assign(bars.rows.size(), 1440);
  return candles::fill_days(bars, from, until, carry);
}

TEST(DailyFile, ReadsBackAsItWasWritten) {
  const TemporaryLake lake;
  Random random(1);
  candles::Carry carry{{100.25}};
  const candles::DailyRows rows =
      random_days(random, first_day(kMay), first_day(kMay) + std::chrono::days{31}, carry);
  const Partition partition = daily_partition("BTCUSDT", kMay);
  const Provenance provenance{"minutes=x until=2024-06-01", "0123"};
  const PendingFile file = value(daily_file(partition, rows, provenance, carry));
  EXPECT_EQ(file.path, path_of(partition));
  check(lake.storage().replace(std::span(&file, 1)));

  const DailyFooter footer = value(read_daily_footer(lake.storage(), partition));
  EXPECT_EQ(footer.rows, 31U);
  EXPECT_EQ(footer.provenance, provenance);
  EXPECT_EQ(footer.carry_out, carry);
  const candles::DailyRows back = value(read_daily(lake.storage(), partition));
  EXPECT_EQ(back.date, rows.date);
  EXPECT_EQ(back.close, rows.close);
  EXPECT_EQ(back.ma30, rows.ma30);
  EXPECT_EQ(back.filled, rows.filled);
  EXPECT_EQ(back.trades, rows.trades);
  const PendingFile again = value(daily_file(partition, back, footer.provenance, footer.carry_out));
  EXPECT_TRUE(again.bytes->Equals(*file.bytes));
}

TEST(DailyFile, MonthsOfASymbolJoinInOrderOfTime) {
  const TemporaryLake lake;
  Random random(2);
  candles::Carry carry{{50}};
  std::vector<std::int32_t> dates;
  for (year_month m = kMay; m < kMay + std::chrono::months{9}; m += std::chrono::months{1}) {
    const auto rows = random_days(random, first_day(m), first_day(m + std::chrono::months{1}), carry);
    const PendingFile file = value(daily_file(daily_partition("BTCUSDT", m), rows, {}, carry));
    check(lake.storage().replace(std::span(&file, 1)));
    dates.insert(dates.end(), rows.date.begin(), rows.date.end());
  }
  EXPECT_EQ(value(read_daily(lake.storage(), "BTCUSDT")).date, dates);
  EXPECT_EQ(value(read_daily(lake.storage(), "ETHUSDT")).size(), 0U);
}

TEST(DailyFile, DaysOutOfOrderAreDamage) {
  const TemporaryLake lake;
  Random random(3);
  candles::Carry carry{{50}};
  auto rows = random_days(random, first_day(kMay), first_day(kMay) + std::chrono::days{5}, carry);
  std::swap(rows.date[1], rows.date[2]);
  const Partition partition = daily_partition("BTCUSDT", kMay);
  const PendingFile file = value(daily_file(partition, rows, {}, carry));
  check(lake.storage().replace(std::span(&file, 1)));
  EXPECT_EQ(read_daily(lake.storage(), partition).error().code, ErrorCode::damaged);
}

TEST(ProphetFile, ReadsBackWithWhatItWasDerivedFrom) {
  const TemporaryLake lake;
  const ProphetRows rows{{19'000, 19'001, 19'002}, {1.5, 2.25, 1e-8}};
  const PendingFile file = value(prophet_file("BTCUSDT", rows, "abc"));
  check(lake.storage().replace(std::span(&file, 1)));
  const ProphetRows back = value(read_prophet(lake.storage(), "BTCUSDT"));
  EXPECT_EQ(back.ds, rows.ds);
  EXPECT_EQ(back.y, rows.y);
  EXPECT_EQ(read_prophet_inputs(lake.storage(), "BTCUSDT"), "abc");
  EXPECT_EQ(read_prophet_inputs(lake.storage(), "ETHUSDT"), "");
  EXPECT_EQ(read_prophet(lake.storage(), "ETHUSDT").error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace chandler::lake
