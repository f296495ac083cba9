#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>

#include "batch/derive.hpp"
#include "lake/test_lake.hpp"

namespace chandler::batch {
namespace {

using lake::Table;
using lake::testing::derived_files;
using lake::testing::store;
using lake::testing::TemporaryLake;
using lake::testing::value;

using Files = std::map<std::string, std::string>;

// Forty days over two months.
candles::Klines minutes_with_holes(Random& random) {
  constexpr std::int64_t kFirst = 1'704'844'800'000;  // 2024-01-10
  return candles::testing::random_history(random, from_ms(kFirst), 40 * 1440, 0.01);
}

TEST(Derive, AStopAnywhereLeavesWhatTheNextRunFinishes) {
  const TemporaryLake lake;
  Random random(6);
  std::vector<std::string> symbols;
  for (int i = 0; i < 34; ++i) {  // more than one group of symbols
    symbols.push_back(fmt::format("S{:02}", i));
    store(lake.storage(), Table::klines_1m, symbols.back(), minutes_with_holes(random));
  }
  NoProgress progress;
  value(derive(lake.storage(), symbols, Extent::everything, progress));
  const Files whole = derived_files(lake);
  int stops = 0, kept = 0;
  for (int questions = 0;; questions += 7) {
    std::filesystem::remove_all(lake.file("daily_filled"));
    std::filesystem::remove_all(lake.file("prophet_input"));
    std::atomic<int> asked{0};
    const auto stopped = derive(lake.storage(), symbols, Extent::what_changed, progress, DaysFrom::footers,
                                [&] { return asked.fetch_add(1) >= questions; });
    const Files after = derived_files(lake);
    for (const auto& [path, bytes] : after)
      EXPECT_TRUE(whole.contains(path) && whole.at(path) == bytes) << path;
    if (stopped) {
      EXPECT_TRUE(after == whole);
      break;
    }
    EXPECT_EQ(stopped.error().code, ErrorCode::interrupted);
    ++stops;
    kept += after.empty() ? 0 : 1;
    value(derive(lake.storage(), symbols, Extent::what_changed, progress));
    ASSERT_TRUE(derived_files(lake) == whole) << "after a stop at question " << questions;
  }
  EXPECT_GT(stops, 10);
  EXPECT_GT(kept, 0);  // the first group of symbols
}

}  // namespace
}  // namespace chandler::batch
