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
  // What is stored ends long ago, and the exchange has nothing from here on.
  std::optional<Timestamp> nothing_from;
  SymbolBackfill report;
};

struct Surveys {
  std::vector<Survey> symbols;        // in order of name
  std::vector<std::string> left_out;  // as in BackfillReport
};

// `now` is the exchange's clock. Asks the exchange for its list of symbols only where a symbol is new to the
// lake or a quote asset was named.
Result<Surveys> survey(const BackfillEnvironment& environment, const BackfillOptions& options, Timestamp now);

}  // namespace chandler::batch
