// What a lake's history amounts to: coverage, gaps and the statistics of its days, as tables.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "batch/report_table.hpp"
#include "candles/daily.hpp"
#include "lake/catalog.hpp"

namespace chandler::batch {

struct ReportOptions {
  std::size_t top = 10;              // rows of the "top" tables, per symbol
  std::int64_t min_gap_minutes = 1;  // shorter gaps are left out of large_gaps
};

// A maximal run of missing minutes, cut where what is known about it changes.
struct ReportGap {
  TimeRange range;
  bool asked = false;  // the exchange has been asked for it and has none: its own hole
};

struct SymbolHistory {
  std::string symbol;
  candles::DailyRows days;      // daily_filled
  std::vector<ReportGap> gaps;  // between the first and the last stored minute, in order of time
};

// Reads daily_filled (without what a report shows nothing of: high, low, trades, vwap) and the minutes'
// timestamps. Symbols as select_symbols gives them, results in that
// order; on all cores.
Result<std::vector<SymbolHistory>> read_histories(const lake::Storage& storage,
                                                  const std::vector<std::string>& symbols,
                                                  std::stop_token stop = {});

// per_day_counts, large_gaps, missing_days, top_price_change_days, top_volume_days, avg_volume_per_month and
// avg_return_per_year, in this order. The histories must outlive them: rows of per_day_counts are made when
// they are looked at. Pure.
std::vector<ReportTable> report_tables(const std::vector<SymbolHistory>& histories,
                                       const ReportOptions& options);

// One row a symbol: first and last day, days whole, partial, known as days only, missing. Pure.
ReportTable report_summary(const std::vector<SymbolHistory>& histories);

}  // namespace chandler::batch
