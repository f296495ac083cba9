#include "batch/audit.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>

#include "lake/test_lake.hpp"

namespace chandler::batch {
namespace {

using candles::Klines;
using candles::testing::recorded_minutes;
using lake::Table;
using lake::testing::at;
using lake::testing::store;
using lake::testing::value;

// The exchange's own days of the recorded minutes, fetched by somebody else.
Klines recorded_days() {
  Klines days;
  for (const auto& c : candles::testing::read_cells(candles::testing::test_data("binance/BTCUSDT_1d.csv"))) {
    candles::Kline k;
    k.open_time = std::stoll(c.at(2));
    k.open = std::stod(c.at(4));
    k.high = std::stod(c.at(5));
    k.low = std::stod(c.at(6));
    k.close = std::stod(c.at(7));
    k.volume = std::stod(c.at(8));
    k.trades = std::stoll(c.at(9));
    days.push_back(k);
  }
  return days;
}

class Audit : public ::testing::Test {
 protected:
  Audit() {
    for (const char* day : {"2023-03-24", "2024-05-31", "2024-06-01"}) {
      store(lake_.storage(), Table::klines_1m, "X",
            recorded_minutes(std::string("BTCUSDT-1m-") + day + ".csv"));
    }
  }
  AuditedSymbol audited(const DaysOf& days_of, std::optional<Timestamp> now = std::nullopt) {
    NoProgress progress;
    return value(audit(lake_.storage(), {"X"}, days_of, now, 2, progress)).at(0);
  }
  // A side that knows `days` and that there is nothing else in `covered`.
  static DaysOf known(Klines days, TimeRange covered = {}) {
    return [=](const std::string&, TimeRange) -> Result<OwnDays> { return OwnDays{days, covered}; };
  }

  lake::testing::TemporaryLake lake_;
};

TEST_F(Audit, RecordedMinutesAgreeWithTheExchangesDays) {
  const AuditedSymbol result = audited(known(recorded_days()));
  EXPECT_EQ(result.days, 3U);
  EXPECT_TRUE(result.differences.empty());
}

TEST_F(Audit, AWrongMinuteShowsInItsDay) {
  Klines wrong;
  wrong.push_back(recorded_minutes("BTCUSDT-1m-2024-05-31.csv").at(700));
  wrong.high[0] = 99'999;
  wrong.volume[0] += 1e-3;
  const auto partition = lake::minutes_partition("X", std::chrono::year{2024} / 5);
  const auto stored = value(lake::read_kline_file(lake_.storage(), partition));
  const auto merged = candles::merge(stored.rows, wrong, candles::Ties::incoming_wins);
  const auto file = value(lake::kline_file(partition, merged.rows, {}));
  lake::testing::check(lake_.storage().replace(std::span(&file, 1)));

  const auto differences = audited(known(recorded_days())).differences;
  ASSERT_EQ(differences.size(), 2U);
  EXPECT_EQ(format_day(differences[0].day), "2024-05-31");
  EXPECT_EQ(differences[0].field, "high");
  EXPECT_EQ(differences[0].ours, 99'999);
  EXPECT_EQ(differences[0].theirs, 69044.1);
  EXPECT_EQ(differences[0].minutes, 1440);
  EXPECT_EQ(differences[1].field, "volume");
}

TEST_F(Audit, DaysThatOnlyOneSideHasAreDifferences) {
  Klines days = recorded_days();
  candles::Kline between = days.at(1);
  between.open_time = to_ms(at("2024-05-30"));
  Klines theirs;
  theirs.push_back(days.at(0));
  theirs.push_back(between);  // ours lacks it
  theirs.push_back(days.at(1));
  const auto result = audited(known(theirs, {at("2023-01-01"), at("2025-01-01")}));  // and theirs lacks 06-01
  ASSERT_EQ(result.differences.size(), 2U);
  EXPECT_EQ(format_day(result.differences[0].day), "2024-05-30");
  EXPECT_TRUE(std::isnan(result.differences[0].ours));
  EXPECT_EQ(format_day(result.differences[1].day), "2024-06-01");
  EXPECT_TRUE(std::isnan(result.differences[1].theirs));
}

TEST_F(Audit, WithoutANetworkDaysOfTheLakeStandIn) {
  Klines days;
  days.push_back(recorded_days().at(2));
  store(lake_.storage(), Table::klines_1d, "X", days);
  const AuditedSymbol result = audited(days_of_lake(lake_.storage()));
  EXPECT_EQ(result.days, 1U);
  EXPECT_EQ(result.unknown_days, 2U);
  EXPECT_TRUE(result.differences.empty());
}

TEST_F(Audit, ImportedDaysAreNotCompared) {
  Random random(1);
  store(lake_.storage(), Table::klines_1m, "X",
        candles::testing::random_history(random, at("2024-06-02"), 1440, 0, 0, kMinuteMs,
                                         candles::Source::import));
  const AuditedSymbol result = audited(known(recorded_days()));
  EXPECT_EQ(result.days, 3U);
  EXPECT_EQ(result.imported_days, 1U);
  EXPECT_TRUE(result.differences.empty());
}

TEST_F(Audit, AMinuteThatIsStillOpenIsFound) {
  EXPECT_TRUE(audited(known(recorded_days()), at("2024-06-02")).differences.empty());
  const auto differences = audited(known(recorded_days()), at("2024-06-01T23:59:59Z")).differences;
  ASSERT_EQ(differences.size(), 1U);
  EXPECT_EQ(differences[0].field, "closed");
}

TEST_F(Audit, SymbolsWithoutMinutesAreLeftOut) {
  store(lake_.storage(), Table::klines_1d, "Y", recorded_days());
  NoProgress progress;
  EXPECT_TRUE(value(audit(lake_.storage(), {"Y"}, known({}), std::nullopt, 2, progress)).empty());
}

TEST_F(Audit, ASymbolWhoseDaysCannotBeHadSaysWhyAndTheOthersAreCompared) {
  std::vector<std::string> symbols{"X"};
  for (const char* symbol : {"A", "B", "C"}) {
    store(lake_.storage(), Table::klines_1m, symbol, recorded_minutes("BTCUSDT-1m-2024-06-01.csv"));
    symbols.emplace_back(symbol);
  }
  const DaysOf days_of = [](const std::string& symbol, TimeRange) -> Result<OwnDays> {
    if (symbol == "B") return fail(ErrorCode::not_found, "not listed");
    return OwnDays{recorded_days(), {}};
  };
  NoProgress progress;
  const auto all = value(audit(lake_.storage(), symbols, days_of, std::nullopt, 3, progress));
  ASSERT_EQ(all.size(), 4U);
  for (const AuditedSymbol& s : all) {
    EXPECT_EQ(s.error.has_value(), s.symbol == "B");
    EXPECT_EQ(s.days, s.symbol == "X" ? 3U : s.symbol == "B" ? 0U : 1U);
  }
}

TEST_F(Audit, AnExchangeThatIsOutOfReachIsNotAskedForEverySymbol) {
  std::vector<std::string> symbols;
  for (int i = 0; i < 20; ++i) {
    symbols.push_back(fmt::format("S{:02}", i));
    store(lake_.storage(), Table::klines_1m, symbols.back(), recorded_minutes("BTCUSDT-1m-2024-06-01.csv"));
  }
  std::atomic<int> asked{0};
  const DaysOf unreachable = [&](const std::string&, TimeRange) -> Result<OwnDays> {
    ++asked;
    return fail(ErrorCode::unreachable, "no connection");
  };
  NoProgress progress;
  const auto all = value(audit(lake_.storage(), symbols, unreachable, std::nullopt, 2, progress));
  ASSERT_EQ(all.size(), 20U);
  for (const AuditedSymbol& s : all) EXPECT_EQ(s.error->code, ErrorCode::unreachable);
  EXPECT_LE(asked, 4) << "three in a row, and one that another thread had begun";
}

}  // namespace
}  // namespace chandler::batch
