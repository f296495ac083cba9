#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "web/overview.hpp"

namespace chandler::web {
namespace {

using std::chrono::minutes;
using ::testing::HasSubstr;

constexpr Timestamp kNow{std::chrono::hours(500'000)};

lake::SpeedStatus process(std::string command, Timestamp started, Timestamp updated) {
  lake::SpeedStatus status;
  status.process = command + "-host-" + std::to_string(to_ms(started) % 1000);
  status.command = std::move(command);
  status.started_at = started;
  status.updated_at = updated;
  return status;
}

TEST(Problems, AProcessThatFellSilentIsAnErrorAndComesFirst) {
  Overview overview;
  overview.problems.push_back({Problem::Severity::warning, "BTCUSDT", "behind", "chandler backfill BTCUSDT"});
  const auto found = problems_at(kNow, overview,
                                 {process("live", kNow - minutes(60), kNow - minutes(5)),
                                  process("consume", kNow - minutes(60), kNow - std::chrono::seconds(5))});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].severity, Problem::Severity::error);
  EXPECT_THAT(found[0].what, HasSubstr("chandler live"));
  EXPECT_THAT(found[0].what, HasSubstr("5m"));
  EXPECT_EQ(found[0].remedy, "chandler live");
  EXPECT_EQ(found[1].symbol, "BTCUSDT");
}

TEST(Problems, AProcessThatWasReplacedIsNone) {
  const auto killed = process("live", kNow - minutes(60), kNow - minutes(5));
  const auto after = process("live", kNow - minutes(4), kNow - std::chrono::seconds(1));
  EXPECT_TRUE(problems_at(kNow, {}, {killed, after}).empty());
  const auto another = process("produce", kNow - minutes(4), kNow - std::chrono::seconds(1));
  EXPECT_EQ(problems_at(kNow, {}, {killed, another}).size(), 1U) << "another command does other work";
  const auto beside = process("live", kNow - minutes(30), kNow - std::chrono::seconds(1));
  EXPECT_EQ(problems_at(kNow, {}, {killed, beside}).size(), 1U) << "it ran already and follows other symbols";
}

}  // namespace
}  // namespace chandler::web
