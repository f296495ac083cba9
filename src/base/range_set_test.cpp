#include "base/range_set.hpp"

#include <gtest/gtest.h>

#include <bitset>

#include "base/random.hpp"

namespace chandler {
namespace {

constexpr int kUniverse = 64;
using Bits = std::bitset<kUniverse>;

TimeRange range(std::int64_t a, std::int64_t b) {
  return {from_ms(a), from_ms(b)};
}

Bits bits_of(const RangeSet& set) {
  Bits bits;
  for (const TimeRange& r : set) {
    for (auto t = r.begin; t < r.end; t += Millis{1}) bits.set(static_cast<std::size_t>(to_ms(t)));
  }
  return bits;
}

TEST(RangeSet, TouchingRangesBecomeOne) {
  const RangeSet set{range(0, 2), range(4, 6), range(2, 4)};
  EXPECT_EQ(set, (RangeSet{range(0, 6)}));
}

TEST(RangeSet, AgreesWithABitSetOnRandomOperations) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Random random(seed);
    RangeSet set;
    Bits model;
    for (int step = 0; step < 30; ++step) {
      const auto a = random.below(kUniverse), b = random.below(kUniverse);
      const TimeRange r =
          range(static_cast<std::int64_t>(std::min(a, b)), static_cast<std::int64_t>(std::max(a, b)));
      Bits touched;
      for (auto i = std::min(a, b); i < std::max(a, b); ++i) touched.set(i);
      if (random.chance(0.6)) {
        set.add(r);
        model |= touched;
      } else {
        set.subtract(r);
        model &= ~touched;
      }
      ASSERT_EQ(bits_of(set), model) << "seed " << seed;
      ASSERT_EQ(bits_of(set.intersected(r)), model & touched) << "seed " << seed;
      ASSERT_EQ(set.contains(r), (model & touched) == touched) << "seed " << seed;
      ASSERT_EQ(set.length().count(), static_cast<std::int64_t>(model.count()));
      for (std::size_t i = 1; i < set.ranges().size(); ++i) {
        ASSERT_LT(set.ranges()[i - 1].end, set.ranges()[i].begin) << "ranges must not touch, seed " << seed;
      }
      ASSERT_EQ(*RangeSet::decode(set.encode()), set);
    }
  }
}

TEST(RangeSet, DecodeRefusesWhatIsNotARangeList) {
  for (const char* text : {"1", "1-", "5-2", "1-2,", "1-2;3-4", "a-b", "1-2,x"}) {
    EXPECT_FALSE(RangeSet::decode(text)) << text;
  }
  EXPECT_TRUE(RangeSet::decode("")->empty());
}

}  // namespace
}  // namespace chandler
