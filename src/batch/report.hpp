// What a lake's history amounts to: coverage, gaps and the statistics of its days, as tables that a terminal,
// a CSV file, a JSON document and a web page show alike.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "candles/daily.hpp"
#include "lake/catalog.hpp"

namespace chandler::batch {

// Empty: unknown.
using ReportCell = std::variant<std::monostate, std::string, std::int64_t, double, bool>;

struct ReportTable {
  std::string name;   // of the CSV file, without its ending; a fixed word
  std::string title;  // for people
  std::vector<std::string> columns;
  std::vector<std::vector<ReportCell>> rows;  // as many cells as columns
};

// A cell as people read it: digits grouped, as many as the eye wants; years and months as they are; "" for
// unknown.
std::string cell_text(std::string_view column, const ReportCell& cell);
bool is_numeric(const ReportTable& table, std::size_t column);

// Worst first, for the eye; the CSV files keep the order of symbol and time. per_day_counts: days that lack
// minutes, those that lack most first, before whole ones and before days that are known as days only; and
// summary: what lacks most minutes. Other tables stay as they are.
ReportTable worst_first(ReportTable table);

// CSV with a header; numbers as short as gives them back, unknown as nothing.
std::string to_csv(const ReportTable& table);

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

// Reads daily_filled and the minutes' timestamps. Symbols as select_symbols gives them, results in that
// order; on all cores.
Result<std::vector<SymbolHistory>> read_histories(const lake::Storage& storage,
                                                  const std::vector<std::string>& symbols,
                                                  std::stop_token stop = {});

// per_day_counts, large_gaps, missing_days, top_price_change_days, top_volume_days, avg_volume_per_month and
// avg_return_per_year, in this order. Pure.
std::vector<ReportTable> report_tables(const std::vector<SymbolHistory>& histories,
                                       const ReportOptions& options);

// One row a symbol: first and last day, days whole, partial, known as days only, missing. Pure.
ReportTable report_summary(const std::vector<SymbolHistory>& histories);

}  // namespace chandler::batch
