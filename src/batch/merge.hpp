// The job of `chandler merge`: what the speed layer has collected becomes part of the batch layer.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "batch/derive.hpp"
#include "candles/merge.hpp"

namespace chandler::batch {

// Differences that are kept by value in a report; all are counted.
inline constexpr std::size_t kKeptDifferences = 20;

struct SymbolMerge {
  std::string symbol;
  std::size_t added = 0;      // minutes that batch lacked
  std::size_t covered = 0;    // minutes that batch had
  std::size_t different = 0;  // of these, with other values; batch's stay
  std::vector<candles::Difference> differences;
  std::size_t files_removed = 0;
  std::size_t files_kept = 0;  // written by the speed layer meanwhile: the next merge's
};

struct MergeReport {
  std::vector<SymbolMerge> symbols;  // those with speed files
  std::vector<Derived> derived;      // of the symbols that got minutes
};

// Whether two rows of one minute contradict each other in a field that both know.
bool contradict(const candles::Kline& a, const candles::Kline& b);

// Minutes of speed_1m that klines_1m lacks go there with source stream; a value that batch has always stays.
// Then the derived tables follow, and last the speed files go, if they still are what was read. A kill at any
// instant leaves minutes in one of the tables or in both, never in none, and merging again ends what was
// begun. The caller holds the batch lock; the speed layer may go on writing. interrupted between two symbols
// when stopped.
Result<MergeReport> merge_speed(lake::Storage& storage, const std::vector<std::string>& symbols,
                                Progress& progress, std::stop_token stop);

}  // namespace chandler::batch
