#include "exchange/digit_scanner.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/random.hpp"

namespace chandler::exchange {
namespace {

std::string digits(Random& random, std::uint64_t count) {
  std::string text;
  for (std::uint64_t i = 0; i < count; ++i) text += static_cast<char>('0' + random.below(10));
  return text;
}

// Lines of numbers of all lengths, so that every number comes to lie at every place of the window and across
// its end.
TEST(DigitScanner, NumbersThatFollowEachOtherAreReadLikeStrtod) {
  Random random(1);
  std::size_t taken = 0;
  for (int line = 0; line < 3000; ++line) {
    std::vector<std::string> numbers;
    std::string text;
    for (std::uint64_t i = 0; i < 40; ++i) {
      numbers.push_back(digits(random, random.below(11)));
      if (random.chance(0.7)) numbers.back() += "." + digits(random, random.below(11));
      text += numbers.back() + ';';
    }
    text += '\n' + std::string(DigitScanner::kPadding, '#');
    DigitScanner scan(text.data());
    for (const std::string& number : numbers) {
      const char* const begin = scan.at();
      double value = -1;
      if (scan.take_decimal(value)) {
        ++taken;
        ASSERT_EQ(std::string(begin, scan.at()), number);
        ASSERT_EQ(std::bit_cast<std::uint64_t>(value),
                  std::bit_cast<std::uint64_t>(std::strtod(number.c_str(), nullptr)))
            << number;
      } else {
        ASSERT_EQ(scan.at(), begin) << "what is not taken is left";
        const std::size_t point = std::min(number.find('.'), number.size());
        const std::size_t fraction = number.size() - point;
        ASSERT_TRUE(point == 0 || point > 8 || fraction == 1 || fraction > 9 || number.size() > 16) << number;
        scan.jump(begin + number.size());
      }
      ASSERT_TRUE(scan.take(';')) << number;
    }
    ASSERT_EQ(*scan.at(), '\n');
  }
  EXPECT_GT(taken, 60'000U);
}

TEST(DigitScanner, StampsOfNineToSixteenDigitsAreTakenWithAFractionOfZeros) {
  Random random(2);
  for (std::uint64_t count = 1; count <= 18; ++count) {
    for (const std::string fraction : {"", ".", ".0", ".000000"}) {
      const std::string stamp = "1" + digits(random, count - 1);
      const std::string text = stamp + fraction + ',' + std::string(DigitScanner::kPadding, '7');
      DigitScanner scan(text.data());
      std::uint64_t value = 0;
      const bool is_stamp = count >= 9 && count <= 16;
      ASSERT_EQ(scan.take_long_whole(value), is_stamp) << stamp;
      if (!is_stamp) continue;
      EXPECT_EQ(value, std::strtoull(stamp.c_str(), nullptr, 10));
      scan.take_zero_fraction();
      EXPECT_TRUE(scan.take(',')) << text;
    }
  }
}

TEST(DigitScanner, OnlyTheWantedCharacterIsTaken) {
  const std::string text = "1,2" + std::string(DigitScanner::kPadding, '\n');
  DigitScanner scan(text.data());
  double number = 0;
  ASSERT_TRUE(scan.take_decimal(number));
  EXPECT_FALSE(scan.take(';'));
  EXPECT_TRUE(scan.take(','));
  EXPECT_FALSE(scan.take(','));
  ASSERT_TRUE(scan.take_decimal(number));
  EXPECT_EQ(number, 2);
}

}  // namespace
}  // namespace chandler::exchange
