#include "lake/salvage.hpp"

#include <arrow/buffer.h>
#include <gtest/gtest.h>

#include "lake/test_lake.hpp"

namespace chandler::lake {
namespace {

using testing::at;
using testing::value;

class Salvage : public ::testing::Test {
 protected:
  static std::string bytes_of(const candles::Klines& rows, const RangeSet& asked) {
    return value(kline_file(kMay, rows, asked)).bytes->ToString();
  }
  static const inline Partition kMay = minutes_partition("X", std::chrono::year{2024} / 5);
};

TEST_F(Salvage, AnyOneFlippedByteLeavesTheAskedRangesKnown) {
  Random random(1);
  const auto rows = candles::testing::random_history(random, at("2024-05-03"), 400);
  for (const RangeSet& asked :
       {RangeSet{{at("2024-05-03"), at("2024-06-01")}},
        RangeSet{{at("2017-01-01"), at("2024-05-02")}, {at("2024-05-03"), at("2024-05-09T12:31")}},
        RangeSet{{at("2024-05-01"), at("2024-05-02")},
                 {at("2024-05-03"), at("2024-05-04")},
                 {at("2024-05-05"), at("2024-05-06")},
                 {at("2024-05-07"), at("2024-05-08")},
                 {at("2024-05-09"), at("2024-05-11")},
                 {at("2024-05-12"), at("2024-05-13")}}}) {
    const std::string whole = bytes_of(rows, asked);
    EXPECT_EQ(salvage(whole, kMay).asked, asked);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << random.below(8)));
      ASSERT_EQ(salvage(damaged, kMay).asked, asked)
          << "byte " << i << " of " << whole.size() << ": " << damaged.substr(i - 20, 40);
    }
  }
}

TEST_F(Salvage, ImportedRowsAreNamedWhereTheirColumnsAreWhole) {
  Random random(2);
  auto rows = candles::testing::random_history(random, at("2024-05-03"), 10, 0);
  for (std::size_t i = 0; i < 4; ++i) rows.source[i] = candles::Source::import;
  const std::string whole = bytes_of(rows, {});
  const Salvaged salvaged = salvage(whole, kMay);
  EXPECT_EQ(salvaged.rows, rows.open_time);
  EXPECT_EQ(salvaged.imported, std::vector(rows.open_time.begin(), rows.open_time.begin() + 4));
  EXPECT_EQ(salvaged.asked, RangeSet{});
}

TEST_F(Salvage, AnyBytesGiveSomeAnswer) {
  Random random(3);
  const std::string whole = bytes_of(candles::testing::random_history(random, at("2024-05-03"), 50),
                                     {{at("2024-05-03"), at("2024-05-04")}});
  for (int round = 0; round < 300; ++round) {
    std::string damaged = whole.substr(0, random.below(whole.size() + 1));
    for (int i = 0; i < 20 && !damaged.empty(); ++i)
      damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
    (void)salvage(damaged, kMay);
  }
  EXPECT_FALSE(salvage("", kMay).asked);
}

}  // namespace
}  // namespace chandler::lake
