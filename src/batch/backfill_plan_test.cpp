#include "batch/backfill_plan.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "lake/test_lake.hpp"

namespace chandler::batch {
namespace {

using candles::Interval;
using lake::testing::at;
using Origin = Piece::Origin;

TimeRange range(const char* begin, const char* end) {
  return {at(begin), at(end)};
}

const Timestamp kNow = at("2024-05-03T10:20");

std::vector<Piece> pieces_of(const std::vector<PlannedPartition>& planned) {
  std::vector<Piece> all;
  for (const PlannedPartition& p : planned) all.insert(all.end(), p.pieces.begin(), p.pieces.end());
  return all;
}

TEST(BackfillPlan, PastMonthsAndDaysComeFromTheArchiveAndTheRestByRest) {
  const auto planned = plan_pieces({range("2024-03-20T07:30", "2024-05-03T10:20")}, "X", Interval::m1,
                                   KlineSource::automatic, kNow);
  ASSERT_EQ(planned.size(), 3u);
  const auto pieces = pieces_of(planned);
  ASSERT_EQ(pieces.size(), 5u);
  EXPECT_EQ(pieces[0].origin, Origin::archive_month);
  EXPECT_EQ(pieces[0].span, range("2024-03-01", "2024-04-01"));
  EXPECT_EQ(pieces[0].wanted, (RangeSet{range("2024-03-20T07:30", "2024-04-01")}));
  EXPECT_EQ(pieces[1].origin, Origin::archive_month);
  EXPECT_EQ(pieces[2].origin, Origin::archive_day);
  EXPECT_EQ(pieces[2].span, range("2024-05-01", "2024-05-02"));
  EXPECT_EQ(pieces[3].origin, Origin::archive_day);
  EXPECT_EQ(pieces[4].origin, Origin::rest);
  EXPECT_EQ(pieces[4].span, range("2024-05-03", "2024-05-03T10:20"));
}

TEST(BackfillPlan, AFewDaysOfAPastMonthAreDailyFilesAndHoursOfADayAreRest) {
  const auto pieces = pieces_of(plan_pieces({range("2024-03-10T12:00", "2024-03-13T01:00")}, "X",
                                            Interval::m1, KlineSource::automatic, kNow));
  ASSERT_EQ(pieces.size(), 4u);
  EXPECT_EQ(pieces[0].span, range("2024-03-10T12:00", "2024-03-11"));
  EXPECT_EQ(pieces[0].origin, Origin::rest);
  EXPECT_EQ(pieces[1].origin, Origin::archive_day);
  EXPECT_EQ(pieces[2].origin, Origin::archive_day);
  EXPECT_EQ(pieces[3].span, range("2024-03-13", "2024-03-13T01:00"));
}

TEST(BackfillPlan, OnlyTheArchiveMeansWholeFilesForPartsOfDaysToo) {
  const auto pieces = pieces_of(
      plan_pieces({range("2024-05-01T12:00", "2024-05-03")}, "X", Interval::m1, KlineSource::archive, kNow));
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(pieces[0].origin, Origin::archive_day);
  EXPECT_EQ(pieces[0].span, range("2024-05-01", "2024-05-02"));
  EXPECT_EQ(pieces[0].wanted, (RangeSet{range("2024-05-01T12:00", "2024-05-02")}));
}

TEST(BackfillPlan, DaysOfYearsAreAFewPagesOfRest) {
  const auto planned =
      plan_pieces({range("2017-08-17", "2024-05-03")}, "X", Interval::d1, KlineSource::automatic, kNow);
  EXPECT_EQ(planned.size(), 8u);  // one file a year
  for (const Piece& piece : pieces_of(planned)) EXPECT_EQ(piece.origin, Origin::rest);
  EXPECT_EQ(pieces_of(planned).size(), 8u);
}

TEST(BackfillPlan, SmallHolesNearEachOtherShareAPage) {
  const RangeSet holes{range("2024-03-10T00:10", "2024-03-10T00:11"),
                       range("2024-03-10T03:00", "2024-03-10T04:00"),
                       range("2024-03-10T16:40", "2024-03-10T17:00")};
  const auto pages = plan_pages(holes, Interval::m1);
  ASSERT_EQ(pages.size(), 2u);  // 1000 minutes after 00:10 it is 16:50
  EXPECT_EQ(pages[0].span, range("2024-03-10T00:10", "2024-03-10T16:50"));
  EXPECT_EQ(pages[1].span, range("2024-03-10T16:50", "2024-03-10T17:00"));
}

// Whatever is missing and whoever may be asked: the pieces want all of it and nothing else, once, and each
// fits what its origin can answer.
TEST(BackfillPlan, PiecesCoverExactlyWhatIsMissing) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    RangeSet missing;
    for (std::uint64_t n = random.below(6); n < 7; ++n) {
      const Timestamp begin = at("2023-12-20") + kMinute * static_cast<int>(random.below(130'000));
      const std::uint64_t longest = random.chance(0.3) ? 90'000 : 2'000;
      missing.add({begin, std::min(begin + kMinute * (1 + static_cast<int>(random.below(longest))),
                                   floor_minute(kNow))});
    }
    for (const auto source : {KlineSource::automatic, KlineSource::rest}) {
      RangeSet covered;
      Millis sum{0};
      for (const auto& [partition, pieces] : plan_pieces(missing, "X", Interval::m1, source, kNow)) {
        for (const Piece& piece : pieces) {
          covered.add(piece.wanted);
          sum += piece.wanted.length();
          EXPECT_EQ(piece.wanted.intersected(piece.span), piece.wanted);
          EXPECT_EQ(piece.wanted.intersected(partition.range()), piece.wanted);
          const bool by_rest = piece.origin == Origin::rest;
          EXPECT_TRUE(by_rest ? piece.span.length() <= 1000 * kMinute : piece.span.end <= kNow);
          EXPECT_TRUE(by_rest || source != KlineSource::rest);
        }
      }
      EXPECT_EQ(covered, missing) << "seed " << seed;
      EXPECT_EQ(sum, missing.length()) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace chandler::batch
