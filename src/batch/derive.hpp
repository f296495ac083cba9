// The derived tables, daily_filled and prophet_input, from klines_1m and klines_1d. What `backfill` runs for
// what has changed and `build` for everything: both leave the same bytes, since a month is a function of its
// inputs and of the carry from the month before, and both are recorded in its file.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "batch/derive_plan.hpp"
#include "lake/catalog.hpp"
#include "lake/derived_file.hpp"

namespace chandler::batch {

struct Derived {
  std::string symbol;
  std::size_t days = 0;            // rows of daily_filled
  std::size_t filled = 0;          // of these, filled ones
  std::optional<Day> first, last;  // days of daily_filled
  std::size_t months_computed = 0;
  std::size_t minutes_read = 0;  // that the months were computed from, through their footers or one by one
  std::size_t files_written = 0;
  std::size_t files_removed = 0;
};

// Symbols without klines lose their derived files. Results in the order of `symbols`. The caller holds the
// lake's lock. Memory is bounded by a group of symbols' daily rows, not by the length of their histories.
// `stopped` is asked often, from several threads: interrupted, and what was derived of whole groups of
// symbols stays.
Result<std::vector<Derived>> derive(lake::Storage& storage, const std::vector<std::string>& symbols,
                                    Extent extent, Progress& progress, DaysFrom from = DaysFrom::footers,
                                    const std::function<bool()>& stopped = {});

// One symbol from days that have been rolled up elsewhere, in other processes: those of every month of its
// klines_1m, in order, the last day's as far as it goes. Writes and removes the files that `derive` with
// Extent::everything would. incomplete: the days are not those of the minutes that the lake has now.
Result<Derived> derive_from_days(lake::Storage& storage, const std::string& symbol,
                                 const candles::Bars& minute_days);

// One symbol's daily_filled months as its minutes give them: what `verify` compares with what is stored.
struct DerivedMonth {
  lake::Partition partition;
  candles::DailyRows rows;
  lake::Provenance provenance;
  candles::Carry carry_out;
};
Result<std::vector<DerivedMonth>> derive_in_memory(const lake::Storage& storage, const std::string& symbol);

// What prophet_input records as its inputs: the provenance of every month, in order.
std::string prophet_inputs(std::span<const lake::Provenance> months);

}  // namespace chandler::batch
