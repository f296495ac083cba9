// Flipped bits in any table are found, set aside, and what they held comes back from the exchange.
#include "batch/heal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/backfill.hpp"
#include "batch/verify.hpp"
#include "exchange/scripted_exchange.hpp"
#include "lake/test_lake.hpp"

namespace chandler::batch {
namespace {

using exchange::testing::parameter;
using exchange::testing::reply;
using exchange::testing::ScriptedExchange;
using http::Request;
using lake::Table;
using lake::testing::at;
using lake::testing::files_of;
using lake::testing::value;
using lake::testing::write_bytes;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Timestamp kNow = at("2024-03-04T05:10:30Z");
const Timestamp kListed = at("2024-01-30T06:00Z");

// A minute in ten, and a day where one is asked for; nothing before the listing.
ScriptedExchange::Answer answer(const http::Request& request) {
  if (request.url.ends_with("/time")) return reply(200, fmt::format(R"({{"serverTime":{}}})", to_ms(kNow)));
  if (request.url.ends_with("/exchangeInfo"))
    return reply(200, R"({"symbols":[{"symbol":"X","status":"TRADING","baseAsset":"X","quoteAsset":"USDT"}],
      "rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000}]})");
  const bool days = parameter(request.url, "interval") == "1d";
  const std::int64_t step = days ? kDayMs : 10 * kMinuteMs;
  const std::string end_text = parameter(request.url, "endTime");
  const std::int64_t end =
      std::min<std::int64_t>(to_ms(kNow), end_text.empty() ? to_ms(kNow) : std::stoll(end_text));
  const std::int64_t start =
      std::max<std::int64_t>(std::stoll(parameter(request.url, "startTime")), to_ms(kListed));
  std::string body;
  std::int64_t rows = 0;
  for (std::int64_t t = (start + step - 1) / step * step;
       t <= end && rows < std::stoll(parameter(request.url, "limit")); t += step) {
    body += (rows++ == 0 ? "" : ",") + exchange::testing::kline_json(t, days ? kDayMs : kMinuteMs);
  }
  // Something is still open at the end of the history.
  return reply(200, "[" + body + "]");
}

class Heal : public ::testing::Test {
 protected:
  Heal() {
    backfilled(candles::Interval::m1, at("2024-01-30"));
    backfilled(candles::Interval::d1, at("2024-01-25"));
    Random random(4);
    lake::testing::store(lake_.storage(), Table::speed_1m, "X",
                         candles::testing::random_history(random, at("2024-03-04T04:00"), 20, 0, 0, kMinuteMs,
                                                          candles::Source::stream));
  }

  BackfillReport run(const BackfillOptions& options) {
    ManualClock clock(kNow);
    ScriptedExchange exchange(clock, answer);
    exchange::WeightBudget budget(clock);
    exchange::RestClient rest({.base_url = "http://exchange.test"}, exchange, budget, clock, Random(1));
    NoProgress progress;
    return value(backfill({lake_.storage(), rest, nullptr, clock, progress, {}}, options));
  }
  void backfilled(candles::Interval interval, std::optional<Timestamp> since) {
    BackfillOptions options;
    options.symbols = {"X"};
    options.interval = interval;
    options.since = since;
    const auto report = run(options);
    ASSERT_TRUE(report.complete()) << to_text(report.symbols[0].error.value_or(Error{}));
  }
  // As `backfill --heal X` does it.
  HealPlan heal() {
    NoProgress progress;
    HealPlan plan = value(set_damaged_aside(lake_.storage(), {}, progress));
    BackfillOptions options;
    options.symbols = {"X"};
    if (!plan.days.empty()) {
      options.interval = candles::Interval::d1;
      options.also = plan.days;
      options.only_also = true;
      EXPECT_TRUE(run(options).complete());
    }
    options.interval = candles::Interval::m1;
    options.only_also = false;
    options.also = plan.minutes;
    EXPECT_TRUE(run(options).complete());
    return plan;
  }
  std::vector<Violation> violations() {
    NoProgress progress;
    return value(verify(lake_.storage(), {}, progress)).violations();
  }
  // The tables; without what is in quarantine.
  std::map<std::string, std::string> tables() const {
    auto files = files_of(lake_);
    std::erase_if(files, [](const auto& f) { return f.first.starts_with(kQuarantine); });
    return files;
  }
  void empty_quarantine() { std::filesystem::remove_all(lake_.file("_quarantine")); }

  lake::testing::TemporaryLake lake_;
};

TEST_F(Heal, AnyFlippedByteIsFoundAndTheExactBytesComeBack) {
  const auto whole = tables();
  ASSERT_THAT(violations(), IsEmpty());
  Random random(7);
  std::set<std::string> kinds;
  for (const auto& [path, bytes] : whole) {
    const std::string table = path.substr(0, path.find('/'));
    kinds.insert(table);
    for (int round = 0; round < 12; ++round) {
      std::string damaged = bytes;
      // Half of them in the footer, whose bytes are few and worth the most.
      const std::size_t i = random.chance(0.5)
                                ? random.below(bytes.size())
                                : bytes.size() - 1 - random.below(std::min<std::size_t>(bytes.size(), 2500));
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << random.below(8)));
      write_bytes(lake_.file(path), damaged);
      SCOPED_TRACE(fmt::format("{} byte {}", path, i));
      const auto found = violations();
      ASSERT_FALSE(found.empty());
      for (const auto& v : found) EXPECT_EQ(v.file, path);
      const HealPlan plan = heal();
      ASSERT_EQ(plan.files.size(), 1U);
      EXPECT_EQ(plan.files[0].file, path);
      EXPECT_THAT(plan.left, IsEmpty());
      EXPECT_EQ(lake::testing::read_bytes(lake_.file(plan.files[0].now)), damaged) << "it is kept";
      ASSERT_THAT(violations(), IsEmpty());
      auto now = tables();
      if (table == "speed_1m") {  // its minutes are in batch already; the stream's own file is not made again
        EXPECT_FALSE(now.contains(path));
        write_bytes(lake_.file(path), bytes);
        now = tables();
      }
      ASSERT_TRUE(now == whole);
      empty_quarantine();
    }
  }
  EXPECT_EQ(kinds.size(), 5U);
}

TEST_F(Heal, SeveralDamagedFilesComeBackTogetherTheFirstMonthToo) {
  const auto whole = tables();
  for (const auto& [path, bytes] : whole) {
    if (!path.starts_with("speed_1m")) write_bytes(lake_.file(path), bytes.substr(0, bytes.size() - 9));
  }
  EXPECT_EQ(heal().files.size(), whole.size() - 1);
  EXPECT_THAT(violations(), IsEmpty());
  EXPECT_TRUE(tables() == whole);
}

TEST_F(Heal, AHealThatWasStoppedAfterSettingAsideGoesOn) {
  const auto whole = tables();
  const std::string first = "klines_1m/symbol=X/year=2024/month=1/part.parquet";
  write_bytes(lake_.file(first), std::string("half of it") + whole.at(first).substr(10));
  NoProgress progress;
  EXPECT_EQ(value(set_damaged_aside(lake_.storage(), {}, progress)).files.size(), 1U);
  EXPECT_FALSE(tables().contains(first));
  EXPECT_THAT(heal().files, IsEmpty());
  EXPECT_TRUE(tables() == whole);
}

TEST_F(Heal, EachDamageOfOneFileIsKept) {
  const std::string path = "klines_1m/symbol=X/year=2024/month=2/part.parquet";
  for (int round = 1; round <= 3; ++round) {
    write_bytes(lake_.file(path), "damaged " + std::to_string(round));
    EXPECT_EQ(heal().files.at(0).now, fmt::format("_quarantine/{}.{}", path, round));
  }
  EXPECT_EQ(lake::testing::read_bytes(lake_.file("_quarantine/" + path + ".2")), "damaged 2");
}

TEST_F(Heal, ImportedRowsThatNobodyGivesBackAreNamed) {
  const auto december = lake::minutes_partition("X", std::chrono::year{2023} / 12);
  Random random(9);
  lake::testing::store(lake_.storage(), Table::klines_1m, "X",
                       candles::testing::random_history(random, at("2023-12-03"), 30, 0, 0, kMinuteMs,
                                                        candles::Source::import));
  backfilled(candles::Interval::m1, std::nullopt);
  const std::string path = lake::path_of(december);
  std::string bytes = lake::testing::read_bytes(lake_.file(path));
  bytes[150] = static_cast<char>(bytes[150] ^ 1);  // in a price: times and sources are whole
  write_bytes(lake_.file(path), bytes);
  EXPECT_THAT(value(lost_imports(lake_.storage(), {})), IsEmpty());
  EXPECT_EQ(heal().files.size(), 1U);
  const auto lost = value(lost_imports(lake_.storage(), {}));
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].candles, 30U);
  EXPECT_THAT(lost[0].file, HasSubstr("_quarantine/" + path));
  EXPECT_THAT(violations(), IsEmpty());
}

TEST_F(Heal, AFileOfANewerVersionIsLeftWhereItIs) {
  const auto partition = lake::minutes_partition("X", std::chrono::year{2024} / 2);
  const auto content = value(lake::read_kline_file(lake_.storage(), partition));
  lake::Metadata newer = content.metadata;
  newer["chandler.schema"] = "2";
  lake_.storage();
  const auto bytes = value(lake::encode_table(lake::kline_columns(content.rows), newer));
  lake::testing::check(lake_.storage().replace(lake::path_of(partition), bytes));
  NoProgress progress;
  const HealPlan plan = value(set_damaged_aside(lake_.storage(), {}, progress));
  EXPECT_THAT(plan.files, IsEmpty());
  ASSERT_EQ(plan.left.size(), 1U);
  EXPECT_THAT(plan.left[0].what, HasSubstr("schema version 2"));
}

}  // namespace
}  // namespace chandler::batch
