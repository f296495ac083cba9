// What a backfill did, for people and as JSON. Shared by `backfill` and `demo`.
#pragma once

#include "batch/backfill.hpp"
#include "cli/command.hpp"

namespace chandler::cli {

Json to_json(const batch::BackfillReport& report, candles::Interval interval);
// A table per symbol and what is worth knowing beside it, on stdout; what failed, on stderr.
void print_report(const batch::BackfillReport& report, candles::Interval interval, bool colour);
// 0 complete, 1 in part, 3 if nothing could be had from the exchange at all, 130 interrupted.
int exit_code_of(const batch::BackfillReport& report);

}  // namespace chandler::cli
