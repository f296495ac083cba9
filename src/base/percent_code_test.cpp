#include "base/percent_code.hpp"

#include <gtest/gtest.h>

namespace chandler {
namespace {

TEST(PercentCode, OnlyUnreservedAndKeptCharactersStay) {
  EXPECT_EQ(percent_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(percent_encode("a b/&=%"), "a%20b%2F%26%3D%25");
  EXPECT_EQ(percent_encode("a/b=c~", "/"), "a/b%3Dc~");
  EXPECT_EQ(percent_encode("\xE2\x82\xAC"), "%E2%82%AC");  // the euro sign, as in RFC 3986's time on the web
}

TEST(PercentCode, DecodingUndoesEncodingForEveryByteButNul) {
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(percent_decode(percent_encode(all), false), all);
  EXPECT_EQ(percent_decode(percent_encode(all), true), all);
}

TEST(PercentCode, APlusIsASpaceOnlyInForms) {
  EXPECT_EQ(percent_decode("a+b%2b", true), "a b+");
  EXPECT_EQ(percent_decode("a+b%2B", false), "a+b+");
}

TEST(PercentCode, HalfEscapesAndNulAreRefused) {
  for (const char* text : {"%", "%4", "a%4", "%4g", "%g4", "%%41", "%00"})
    EXPECT_EQ(percent_decode(text, false), std::nullopt) << text;
}

}  // namespace
}  // namespace chandler
