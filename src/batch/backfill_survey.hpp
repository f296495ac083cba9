// Before anything is fetched: which symbols, what each has, what each misses.
#pragma once

#include "batch/backfill.hpp"
#include "batch/backfill_plan.hpp"

namespace chandler::batch {

// What one symbol needs. `report` has an error instead of a plan if it cannot be worked on.
struct Survey {
  std::vector<PlannedPartition> partitions;
  TimeRange
      silent_before{};  // the exchange has said that it has nothing here; belongs to the first partition
  SymbolBackfill report;
};

// One per symbol, in order of name. `now` is the exchange's clock. Asks the exchange for its list of symbols
// only where a symbol is new to the lake or a quote asset was named.
Result<std::vector<Survey>> survey(const BackfillEnvironment& environment, const BackfillOptions& options,
                                   Timestamp now);

}  // namespace chandler::batch
