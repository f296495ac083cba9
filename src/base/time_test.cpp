#include "base/time.hpp"

#include <gtest/gtest.h>

namespace chandler {
namespace {

TEST(Time, DaysAreHalfOpenInUtc) {
  const Day day = *parse_day("2024-05-01");
  EXPECT_EQ(to_ms(begin_of(day)), 1714521600000);
  EXPECT_EQ(day_of(end_of(day)), day + std::chrono::days{1});
  EXPECT_EQ(day_of(end_of(day) - Millis{1}), day);
}

TEST(Time, DaysBeforeTheEpochRoundDown) {
  EXPECT_EQ(format_day(day_of(from_ms(-1))), "1969-12-31");
}

TEST(Time, ImpossibleDaysAreRefused) {
  for (const char* text :
       {"2023-02-29", "2024-13-01", "2024-00-10", "2024-5-1", "2024-05-01x", "", "20240501"}) {
    EXPECT_FALSE(parse_day(text)) << text;
  }
  EXPECT_TRUE(parse_day("2024-02-29"));
}

TEST(Time, InstantsAreReadInEveryDocumentedForm) {
  const Timestamp wanted = from_ms(1714568829123);
  EXPECT_EQ(*parse_instant("2024-05-01T13:07:09.123Z"), wanted);
  EXPECT_EQ(*parse_instant("1714568829123"), wanted);
  EXPECT_EQ(*parse_instant("2024-05-01 13:07"), floor_minute(wanted));
  EXPECT_EQ(*parse_instant("2024-05-01"), begin_of(day_of(wanted)));
  for (const char* text : {"2024-05-01T24:00Z", "2024-05-01T13", "yesterday", "", "99999999999999999999"}) {
    EXPECT_FALSE(parse_instant(text)) << text;
  }
}

TEST(Time, InstantsPrintAsTheyAreRead) {
  for (const char* text : {"2024-05-01T13:07:09.123Z", "2024-05-01T00:00:00Z"}) {
    EXPECT_EQ(format_instant(*parse_instant(text)), text);
  }
}

TEST(Time, MonthsEndWhereTheNextBegins) {
  const year_month december = std::chrono::year{2023} / 12;
  EXPECT_EQ(format_minute(end_of(december)), "2024-01-01 00:00");
  EXPECT_EQ(month_of(end_of(december)), std::chrono::year{2024} / 1);
}

}  // namespace
}  // namespace chandler
