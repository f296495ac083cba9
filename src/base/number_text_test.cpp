#include "base/number_text.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace chandler {
namespace {

TEST(NumberText, DigitsAreGroupedByThrees) {
  EXPECT_EQ(group_digits(0), "0");
  EXPECT_EQ(group_digits(999), "999");
  EXPECT_EQ(group_digits(1000), "1,000");
  EXPECT_EQ(group_digits(1'234'567), "1,234,567");
  EXPECT_EQ(group_digits(-228'000), "-228,000");
  EXPECT_EQ(group_digits(-100), "-100");
  EXPECT_EQ(group_digits(std::numeric_limits<std::int64_t>::min()), "-9,223,372,036,854,775,808");
}

TEST(NumberText, OnlyTheWholePartOfTextIsGroupedAndOnlyIfItIsADecimalNumber) {
  EXPECT_EQ(group_digits("14644645122.125"), "14,644,645,122.125");
  EXPECT_EQ(group_digits("-3134.58"), "-3,134.58");
  EXPECT_EQ(group_digits("0.00012345"), "0.00012345");
  EXPECT_EQ(group_digits("1.5e+20"), "1.5e+20");
  EXPECT_EQ(group_digits("1e+20"), "1e+20");
  EXPECT_EQ(group_digits("-nan"), "-nan");
}

TEST(NumberText, OneIsSingular) {
  EXPECT_EQ(counted(1, "file", "files"), "1 file");
  EXPECT_EQ(counted(0, "file", "files"), "0 files");
  EXPECT_EQ(counted(2000, "file", "files"), "2,000 files");
}

}  // namespace
}  // namespace chandler
