#include "lake/metadata.hpp"

#include <gtest/gtest.h>

#include <set>

#include "candles/test_klines.hpp"

namespace chandler::lake {
namespace {

// XXH3-128 of nothing, from the reference implementation's own test vectors (seed 0).
TEST(Digest, IsXxh3) {
  EXPECT_EQ(Digest().hex(), "99aa06d3014798d86001c324468d497f");
}

TEST(Digest, SeesWhereOneColumnEndsAndTheNextBegins) {
  Digest a, b;
  a.add(std::string_view("ab"));
  a.add(std::string_view("c"));
  b.add(std::string_view("a"));
  b.add(std::string_view("bc"));
  EXPECT_NE(a.hex(), b.hex());
}

TEST(Digest, EveryValueOfEveryColumnCounts) {
  Random random(1);
  const candles::Klines rows = candles::testing::random_history(random, from_ms(0), 50, 0);
  std::set<std::string> digests = {digest_of(rows)};
  std::size_t changes = 0;
  candles::for_each_column([&](auto column) {
    for (const std::size_t row : {0UL, 25UL, 49UL}) {
      candles::Klines changed = rows;
      auto& cell = (changed.*column)[row];
      using Cell = std::remove_reference_t<decltype(cell)>;
      cell = static_cast<Cell>(cell == Cell{} ? Cell{1} : Cell{});
      digests.insert(digest_of(changed));
      ++changes;
    }
  });
  EXPECT_EQ(digests.size(), changes + 1);
}

TEST(Carry, RoundTripsToTheBit) {
  Random random(2);
  for (int round = 0; round < 200; ++round) {
    candles::Carry carry;
    const std::size_t count = random.below(candles::kCarriedCloses + 1);
    for (std::size_t i = 0; i < count; ++i) {
      carry.closes.push_back(std::ldexp(random.uniform() + 1e-3, static_cast<int>(random.below(60)) - 30));
    }
    const auto back = decode_carry(encode(carry));
    ASSERT_TRUE(back) << to_text(back.error());
    EXPECT_EQ(*back, carry);
  }
}

TEST(Carry, DamagedTextIsAnError) {
  for (const char* text : {"x", "0x1p", "0x1p+0;0x1p+0", "0x1p+0,,0x1p+0", ",", "1e999999x", "0x"}) {
    EXPECT_FALSE(decode_carry(text)) << text;
  }
  candles::Carry most{std::vector<double>(candles::kCarriedCloses, 1.5)};
  EXPECT_TRUE(decode_carry(encode(most)));
  EXPECT_FALSE(decode_carry(encode(most) + ",0x1p+0"));
}

// Found by fuzzing: such closes were read, and could not be read again once they were written.
TEST(Carry, AClosingPriceIsAPositiveNumber) {
  for (const char* text : {"-0", "0", "-4706", "-0x1p+0", "inf", "nan", "0x1p+0,-0,0x1p+0"}) {
    EXPECT_FALSE(decode_carry(text)) << text;
  }
}

TEST(Seal, CoversEveryKeyAndValueButItself) {
  const Metadata metadata = {{"a", "1"}, {"b", "2"}};
  Metadata sealed = metadata;
  sealed[kSealKey] = seal_of(metadata);
  EXPECT_EQ(seal_of(sealed), seal_of(metadata));
  EXPECT_NE(seal_of({{"a", "1"}, {"b", "3"}}), seal_of(metadata));
  EXPECT_NE(seal_of({{"a", "1"}, {"c", "2"}}), seal_of(metadata));
  EXPECT_NE(seal_of({{"a", "1b2"}}), seal_of(metadata));
}

}  // namespace
}  // namespace chandler::lake
