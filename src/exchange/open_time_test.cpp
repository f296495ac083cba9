#include "exchange/open_time.hpp"

#include <gtest/gtest.h>

namespace chandler::exchange {
namespace {

std::int64_t ms(std::string_view text) {
  const auto time = parse_open_time(text);
  return time ? to_ms(*time) : -1;
}

TEST(OpenTime, EachStampTellsItsUnitByItsMagnitude) {
  EXPECT_EQ(ms("1325317920"), 1325317920000);           // s
  EXPECT_EQ(ms("1325317920.0"), 1325317920000);         // s as a double
  EXPECT_EQ(ms("1.32531792e9"), 1325317920000);         // s as pandas prints large doubles
  EXPECT_EQ(ms("1735689540000"), 1735689540000);        // ms, last minute of 2024
  EXPECT_EQ(ms("1735689600000000"), 1735689600000);     // µs, first minute of 2025
  EXPECT_EQ(ms("1735689600000000000"), 1735689600000);  // ns
}

TEST(OpenTime, StampsBetweenTheUnitsAndPartsOfAMillisecondAreRefused) {
  EXPECT_EQ(ms("17356896000"), -1);
  EXPECT_EQ(ms("99999999999999"), -1);
  EXPECT_EQ(ms("12345"), -1);
  EXPECT_EQ(ms("-1325317920"), -1);
  EXPECT_EQ(ms("1735689600000001"), -1);
  EXPECT_EQ(ms("1325317920.5"), -1);
}

TEST(OpenTime, DatesOfTheKnownFilesAreUtc) {
  EXPECT_EQ(ms("2017-08-17"), 1502928000000);
  EXPECT_EQ(ms("20170817"), 1502928000000);
  EXPECT_EQ(ms("2017/08/17"), 1502928000000);
  EXPECT_EQ(ms("2017-08-17 04:00:00"), 1502942400000);
  EXPECT_EQ(ms("2017-08-17T04:00:00Z"), 1502942400000);
  EXPECT_EQ(ms("2017-08-17 04:00"), 1502942400000);
  EXPECT_EQ(ms("2017-08-17 04:00:00.000000"), 1502942400000);
  EXPECT_EQ(ms("2017-08-17 04:00:00 UTC"), 1502942400000);
  EXPECT_EQ(ms("2017-08-17T06:00:00+02:00"), 1502942400000);
  EXPECT_EQ(ms("2017-08-17T01:30:00-0230"), 1502942400000);
}

TEST(OpenTime, TheTwelveHourClockHasMidnightAndNoonAtTwelve) {
  EXPECT_EQ(ms("2019-10-17 09-AM"), ms("2019-10-17 09:00"));
  EXPECT_EQ(ms("2019-10-17 12-AM"), ms("2019-10-17 00:00"));
  EXPECT_EQ(ms("2019-10-17 12-PM"), ms("2019-10-17 12:00"));
  EXPECT_EQ(ms("2019-10-17 11-PM"), ms("2019-10-17 23:00"));
  EXPECT_EQ(ms("2019-10-17 13-PM"), -1);
}

TEST(OpenTime, WhatIsNoDateOrCouldBeTwoIsRefused) {
  for (const char* text :
       {"", "01/03/2017", "2017-13-01", "2017-02-29", "2017-08/17", "2017-08-17 24:00", "2017-08-17 04:60",
        "2017-08-17X", "2017-08-17 04", "2017-08-17 04:00:00.0001", "abc", "2017-08-17T04:00:00+99:00"}) {
    EXPECT_EQ(ms(text), -1) << text;
  }
}

}  // namespace
}  // namespace chandler::exchange
