#include "speed/status_writer.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "lake/test_lake.hpp"

namespace chandler::speed {
namespace {

using lake::testing::check;
using lake::testing::TemporaryLake;
using lake::testing::value;

template <class Condition>
bool wait_for(Clock& clock, Condition condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) return true;
    clock.sleep(std::chrono::milliseconds{5});
  }
  return false;
}

TEST(StatusWriter, TellsTheFiguresWhileItLivesAndLeavesNothingBehind) {
  const TemporaryLake lake;
  SystemClock clock;
  Figures figures;
  figures.messages = 10;
  {
    const StatusWriter writer(lake.storage(), clock, figures, "consume", std::chrono::milliseconds{5});
    ASSERT_TRUE(wait_for(clock, [&] { return !value(lake::read_speed_statuses(lake.storage())).empty(); }));
    figures.messages = 90;
    figures.disconnects = 2;
    figures.rejected[static_cast<std::size_t>(Rejection::bad_number)] = 4;
    ASSERT_TRUE(wait_for(clock, [&] {
      const auto all = value(lake::read_speed_statuses(lake.storage()));
      return all.size() == 1 && all[0].messages == 90;
    }));
    const auto told = value(lake::read_speed_statuses(lake.storage())).at(0);
    EXPECT_TRUE(told.process.starts_with("consume-"));
    EXPECT_EQ(told.reconnects, 2);
    EXPECT_EQ(told.rejected, 4);
    EXPECT_EQ(told.rejected_by_reason, (std::map<std::string, std::int64_t>{{"bad_number", 4}}));
    EXPECT_TRUE(told.is_fresh(clock.now()));
  }
  EXPECT_TRUE(value(lake::read_speed_statuses(lake.storage())).empty());
}

TEST(StatusWriter, RemovesWhatAKilledProcessLeftAnHourAgoButNotAFreshOne) {
  const TemporaryLake lake;
  SystemClock clock;
  lake::SpeedStatus killed, other;
  killed.process = "live-host-1";
  killed.updated_at = clock.now() - std::chrono::hours{2};
  other.process = "live-host-2";
  other.updated_at = clock.now() - std::chrono::minutes{1};
  for (const auto& s : {killed, other})
    check(lake.storage().replace_text(lake::status_path(s.process), lake::to_text(s)));
  Figures figures;
  const StatusWriter writer(lake.storage(), clock, figures, "live", std::chrono::milliseconds{5});
  ASSERT_TRUE(wait_for(clock, [&] {
    const auto all = value(lake::read_speed_statuses(lake.storage()));
    return std::ranges::none_of(all, [](const auto& s) { return s.process == "live-host-1"; });
  }));
  const auto all = value(lake::read_speed_statuses(lake.storage()));
  EXPECT_TRUE(std::ranges::any_of(all, [](const auto& s) { return s.process == "live-host-2"; }));
}

}  // namespace
}  // namespace chandler::speed
