#include "lake/speed_status.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lake/test_lake.hpp"

namespace chandler::lake {
namespace {

using testing::check;
using testing::TemporaryLake;
using testing::value;

SpeedStatus example() {
  SpeedStatus s;
  s.process = "live-host-7";
  s.command = "live";
  s.started_at = from_ms(1'718'841'600'000);
  s.updated_at = from_ms(1'718'841'602'500);
  s.messages_per_second = 1499.5;
  s.messages = 3750;
  s.late = 2;
  s.rejected = 5;
  s.reconnects = 3;
  s.rejected_by_reason = {{"bad_time", 1}, {"not_json", 4}};
  return s;
}

TEST(SpeedStatus, IsJsonWithTheNamesThatTheDocumentationLists) {
  const auto json = nlohmann::json::parse(to_text(example()));
  EXPECT_EQ(json["process"], "live-host-7");
  EXPECT_EQ(json["updated_at"], 1'718'841'602'500);
  EXPECT_EQ(json["messages_per_second"], 1499.5);
  EXPECT_EQ(json["late"], 2);
  EXPECT_EQ(json["reconnects"], 3);
  EXPECT_EQ(json["rejected_by_reason"], (nlohmann::json{{"bad_time", 1}, {"not_json", 4}}));
}

TEST(SpeedStatus, ReadsBackWhatWasWritten) {
  const SpeedStatus back = value(parse_speed_status(to_text(example())));
  EXPECT_EQ(to_text(back), to_text(example()));
}

TEST(SpeedStatus, OfAllProcessesPassesOverWhatItCannotRead) {
  const TemporaryLake lake;
  EXPECT_TRUE(value(read_speed_statuses(lake.storage())).empty());
  SpeedStatus other = example();
  other.process = "consume-../../etc-\"9";
  check(lake.storage().replace_text(status_path(example().process), to_text(example())));
  check(lake.storage().replace_text(status_path(other.process), to_text(other)));
  check(lake.storage().replace_text("speed_1m/_status/broken.json", "{\"process\":"));
  const auto all = value(read_speed_statuses(lake.storage()));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].process, "consume-.._.._etc-_9");
  EXPECT_EQ(all[1].process, "live-host-7");
}

TEST(SpeedStatus, IsFreshForHalfAMinute) {
  const SpeedStatus s = example();
  EXPECT_TRUE(s.is_fresh(s.updated_at + kSpeedStatusFresh));
  EXPECT_FALSE(s.is_fresh(s.updated_at + kSpeedStatusFresh + Millis{1}));
}

}  // namespace
}  // namespace chandler::lake
