// Damaged files out of the way, and what they held named, so that it can be fetched again.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "base/range_set.hpp"
#include "batch/verify_file.hpp"

namespace chandler::batch {

// Nothing that is set aside is ever removed. No reader of Hive partitions looks here: the folder's name
// begins with '_', and no file's name ends in .parquet.
inline constexpr std::string_view kQuarantine = "_quarantine/";

struct SetAside {
  std::string file;  // where it was
  std::string what;  // was wrong with it
  std::string now;   // where it is
};

struct HealPlan {
  std::vector<SetAside> files;  // by this call
  std::vector<Violation> left;  // that setting aside would not heal
  // By symbol, what all files that were ever set aside and are still there held: backfill subtracts what the
  // lake has again, so that a heal that was stopped goes on.
  std::map<std::string, RangeSet> minutes, days;
};

// Verifies, and moves every damaged file of the tables aside. The caller holds the batch lock; the one of the
// speed layer is taken where one of its files is damaged. All symbols if `symbols` is empty; a symbol that
// has no file but in quarantine may be named.
Result<HealPlan> set_damaged_aside(lake::Storage& storage, const std::vector<std::string>& symbols,
                                   Progress& progress, std::stop_token stop = {});

// Imported candles of a file in quarantine that the lake does not have now; no exchange gives them back.
struct LostImports {
  std::string file;  // in quarantine
  std::string symbol;
  std::optional<std::size_t> candles;  // nullopt: it held some, or may have, and how many cannot be told
};
Result<std::vector<LostImports>> lost_imports(const lake::Storage& storage,
                                              const std::vector<std::string>& symbols);

}  // namespace chandler::batch
