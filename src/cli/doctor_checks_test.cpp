#include "cli/doctor_checks.hpp"

#include <gtest/gtest.h>

namespace chandler::cli {
namespace {

TEST(DoctorChecks, AClockIsWrongOnlyWhenTheRoundTripCannotExplainIt) {
  EXPECT_EQ(judge_clock(Millis{1'000}, Millis{0}).health, Health::ok);
  EXPECT_EQ(judge_clock(Millis{1'001}, Millis{0}).health, Health::warn);
  EXPECT_EQ(judge_clock(Millis{-1'001}, Millis{0}).health, Health::warn);
  EXPECT_EQ(judge_clock(Millis{-1'500}, Millis{1'000}).health, Health::ok);
  EXPECT_EQ(judge_clock(Millis{-1'501}, Millis{1'000}).health, Health::warn);
  EXPECT_EQ(judge_clock(Millis{-20}, Millis{31}).found, "20 ms behind the exchange's (±16 ms)");
  EXPECT_EQ(judge_clock(Millis{7}, Millis{2}).found, "7 ms ahead of the exchange's (±1 ms)");
}

TEST(DoctorChecks, LessThanAGibibyteIsLittleSpace) {
  EXPECT_EQ(judge_disk(1ULL << 30, "/lake").health, Health::ok);
  EXPECT_EQ(judge_disk((1ULL << 30) - 1, "/lake").health, Health::warn);
  EXPECT_FALSE(judge_disk(0, "/lake").remedy.empty());
}

TEST(DoctorChecks, TheExitCodeTellsWhatIsOutOfReachFromWhatIsBroken) {
  const Check fine{"a", Health::ok, {}, {}, {}};
  const Check warning{"b", Health::warn, {}, {}, {}};
  const Check broken = failed_check("c", {ErrorCode::invalid_data, "no JSON", {}, {}});
  const Check away = failed_check("d", {ErrorCode::unreachable, "refused", {}, {}});
  EXPECT_EQ(exit_code_of(std::vector{fine, warning}), 0);
  EXPECT_EQ(exit_code_of(std::vector{fine, broken}), 1);
  EXPECT_EQ(exit_code_of(std::vector{broken, away, warning}), 3);
}

}  // namespace
}  // namespace chandler::cli
