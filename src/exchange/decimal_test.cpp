#include "exchange/decimal.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>
#include <string>

#include "base/random.hpp"

namespace chandler::exchange {
namespace {

// strtod is the second implementation: the C library rounds correctly too, by other means.
void expect_like_strtod(const std::string& text) {
  const double expected = std::strtod(text.c_str(), nullptr);
  const auto parsed = parse_decimal(text);
  ASSERT_TRUE(parsed) << text;
  EXPECT_EQ(std::bit_cast<std::uint64_t>(*parsed), std::bit_cast<std::uint64_t>(expected)) << text;
  const std::string padded = text + "," + std::string(swar::kPadding, '#');
  const char* at = padded.data();
  double fast = 0;
  if (swar::take_decimal(at, fast)) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(fast), std::bit_cast<std::uint64_t>(expected)) << text;
    EXPECT_EQ(at, padded.data() + text.size()) << text;
  } else {
    EXPECT_EQ(at, padded.data());
  }
}

TEST(Decimal, EveryLengthOfWholeAndFractionalPartIsRoundedLikeStrtod) {
  Random random(1);
  for (int whole = 0; whole <= 20; ++whole) {
    for (int fraction = 0; fraction <= 20; ++fraction) {
      if (whole + fraction == 0) continue;
      for (int repeat = 0; repeat < 20; ++repeat) {
        std::string text;
        for (int i = 0; i < whole; ++i) text += static_cast<char>('0' + random.below(10));
        if (fraction > 0) text += '.';
        for (int i = 0; i < fraction; ++i) text += static_cast<char>('0' + random.below(10));
        expect_like_strtod(text);
      }
    }
  }
}

TEST(Decimal, ShortestTextOfAnyDoubleComesBackBitForBit) {
  Random random(2);
  for (int i = 0; i < 20'000; ++i) {
    const double value = std::bit_cast<double>(random.next() & 0x7FFFFFFFFFFFFFFFULL);
    if (!(value < 1e300)) continue;
    const auto parsed = parse_decimal(fmt::format("{}", value));
    if (value != 0 && value < 2.3e-308) continue;  // subnormal
    ASSERT_TRUE(parsed);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(*parsed), std::bit_cast<std::uint64_t>(value));
  }
}

TEST(Decimal, FastPathTakesWhatExchangesWrite) {
  for (const std::string text :
       {"0.45558087", "42283.58000000", "1325317920", "0", "7", "0.00000001", "1471653.05613500"}) {
    const std::string padded = text + "\n" + std::string(swar::kPadding, '#');
    const char* at = padded.data();
    double value = 0;
    EXPECT_TRUE(swar::take_decimal(at, value)) << text;
    EXPECT_EQ(value, std::strtod(text.c_str(), nullptr)) << text;
  }
}

TEST(Decimal, WhatIsNoNumberIsRefused) {
  for (const char* text : {"", "+", "-", ".", "+-1", "nan", "inf", "-inf", "1,5", "1 ", " 1", "0x10", "1e",
                           "12abc", "--1", "1.2.3"}) {
    EXPECT_FALSE(parse_decimal(text)) << text;
  }
}

TEST(Decimal, WholeNumbersMayCarryAFractionOfZerosOrAnExponent) {
  EXPECT_EQ(parse_whole("1513555200.0"), 1513555200);
  EXPECT_EQ(parse_whole("1513555200."), 1513555200);
  EXPECT_EQ(parse_whole("1.5e3"), 1500);
  EXPECT_EQ(parse_whole("-12"), -12);
  EXPECT_EQ(parse_whole("9223372036854775807"), 9223372036854775807);
  EXPECT_FALSE(parse_whole("1.5"));
  EXPECT_FALSE(parse_whole("1e300"));
  EXPECT_FALSE(parse_whole("92233720368547758070"));
  EXPECT_FALSE(parse_whole(""));
}

TEST(Decimal, WhatIsNoDigitIsMarkedWhicheverByteItIs) {
  Random random(3);
  for (int other = 0; other < 256; ++other) {
    for (int repeat = 0; repeat < 50; ++repeat) {
      char text[16];
      unsigned expected = 0;
      for (unsigned i = 0; i < 16; ++i) {
        text[i] = random.chance(0.5) ? static_cast<char>(other) : static_cast<char>('0' + random.below(10));
        if (text[i] < '0' || text[i] > '9') expected |= 1U << i;
      }
      ASSERT_EQ(swar::others(text), expected) << other;
      ASSERT_EQ(swar::others_portable(text), expected) << other;
    }
  }
}

}  // namespace
}  // namespace chandler::exchange
