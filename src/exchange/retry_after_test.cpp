#include "exchange/retry_after.hpp"

#include <gtest/gtest.h>

namespace chandler::exchange {
namespace {

using namespace std::chrono_literals;

http::Head head(int status, std::string retry_after) {
  http::Head h;
  h.status = status;
  if (!retry_after.empty()) h.headers = {{"retry-after", std::move(retry_after)}};
  return h;
}

TEST(RetryAfter, HttpDatesAreRead) {
  EXPECT_EQ(*parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), *parse_instant("1994-11-06T08:49:37Z"));
  for (const char* text :
       {"", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
        // Found by fuzzing: any byte passed for a separator.
        "Sun, 06 Nov 1994 08.49:37 GMT",
        "Sun, 06 Nov 1994 08:49\xc8"
        "37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT"}) {
    EXPECT_FALSE(parse_http_date(text)) << text;
  }
}

TEST(RetryAfter, AnyUnreadableValueMeansThePolicysWait) {
  const RetryPolicy policy;
  for (const char* text : {"", "soon", "-5", "1.5", "99999999999999999999", "5 s"}) {
    EXPECT_EQ(wait_told_by(head(429, text), policy, {}), policy.wait_after_429) << text;
    EXPECT_EQ(wait_told_by(head(418, text), policy, {}), policy.wait_after_418) << text;
    EXPECT_FALSE(wait_told_by(head(503, text), policy, {})) << text;
  }
}

TEST(RetryAfter, AWaitIsNeverLongerThanAWeekNorNegative) {
  const RetryPolicy policy;
  EXPECT_EQ(wait_told_by(head(418, "999999999"), policy, {}), 7 * 86400s);
  EXPECT_EQ(wait_told_by(head(503, "Sun, 06 Nov 1994 08:49:37 GMT"), policy, from_ms(1'700'000'000'000)), 0s);
  EXPECT_EQ(wait_told_by(head(429, "0"), policy, {}), 0s);
}

// Found by fuzzing: the difference overflowed.
TEST(RetryAfter, ADateCenturiesAheadMeansAWeek) {
  for (const char* date : {"Sun, 06 Nov 3194 08:49:37 GMT", "Fri, 31 Dec 9999 23:59:60 GMT"}) {
    EXPECT_EQ(wait_told_by(head(429, date), {}, from_ms(1'700'000'000'000)), 7 * 86400s) << date;
  }
}

TEST(RetryAfter, OtherAnswersAreNoOrder) {
  EXPECT_FALSE(wait_told_by(head(200, "5"), {}, {}));
  EXPECT_FALSE(wait_told_by(head(500, "5"), {}, {}));
}

}  // namespace
}  // namespace chandler::exchange
