#include "batch/report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/parallel.hpp"
#include "candles/day_statistics.hpp"
#include "lake/derived_file.hpp"

namespace chandler::batch {
namespace {

using candles::DailyRows;
using Histories = std::vector<SymbolHistory>;

constexpr std::int32_t kMinutesOfDay = 1440;

ReportCell cell(double value) {
  return std::isnan(value) ? ReportCell{} : ReportCell{value};
}
ReportCell cell(Day day) {
  return format_day(day);
}
ReportCell cell(std::size_t count) {
  return static_cast<std::int64_t>(count);
}

std::vector<ReportGap> gaps_in(const RangeSet& missing, const RangeSet& asked) {
  RangeSet not_asked = missing;
  not_asked.subtract(asked);
  RangeSet own = missing;
  own.subtract(not_asked);
  std::vector<ReportGap> gaps;
  for (const TimeRange& range : own) gaps.push_back({range, true});
  for (const TimeRange& range : not_asked) gaps.push_back({range, false});
  std::ranges::sort(gaps, {}, [](const ReportGap& g) { return g.range.begin; });
  return gaps;
}

// Of hundreds of symbols for years, the rest would be the larger part of the memory.
void keep_only_what_is_shown(DailyRows& days) {
  for (auto* unused : {&days.high, &days.low, &days.vwap}) *unused = std::vector<double>();
  days.trades = std::vector<std::int64_t>();
  days.date.shrink_to_fit();
  days.count.shrink_to_fit();
  days.filled.shrink_to_fit();
  for (auto* kept : {&days.open, &days.close, &days.volume, &days.ma7, &days.ma30, &days.quote_volume})
    kept->shrink_to_fit();
}

Status read_history(const lake::Storage& storage, SymbolHistory& history) {
  CHANDLER_ASSIGN(history.days, lake::read_daily(storage, history.symbol));
  keep_only_what_is_shown(history.days);
  CHANDLER_ASSIGN(const auto catalog, lake::read_catalog(storage, history.symbol));
  const auto first = catalog.first_minute(), last = catalog.last_minute();
  if (!first) return {};
  CHANDLER_ASSIGN(const RangeSet present, lake::present_in(storage, catalog.minutes));
  RangeSet missing{{*first, *last + kMinute}};
  missing.subtract(present);
  history.gaps = gaps_in(missing, catalog.asked_minutes());
  return {};
}

ReportTable per_day_counts(const Histories& histories) {
  ReportTable table{
      "per_day_counts", "Minutes present per day", {"symbol", "date", "cnt", "missing", "filled"}, {}};
  std::vector<std::size_t> ends;  // of each symbol's rows
  for (const SymbolHistory& h : histories) ends.push_back((ends.empty() ? 0 : ends.back()) + h.days.size());
  const std::size_t rows = ends.empty() ? 0 : ends.back();
  table.rows = ReportRows(rows, [&histories, ends = std::move(ends)](std::size_t number) {
    const auto end = std::ranges::upper_bound(ends, number);
    const SymbolHistory& h = histories[static_cast<std::size_t>(end - ends.begin())];
    const std::size_t i = h.days.size() - (*end - number);
    const std::int64_t count = h.days.count[i];
    return ReportRow{h.symbol, cell(from_day_number(h.days.date[i])), count, kMinutesOfDay - count,
                     h.days.filled[i] != 0};
  });
  return table;
}

ReportTable large_gaps(const Histories& histories, std::int64_t min_minutes) {
  ReportTable table{
      "large_gaps", "Gaps in the minutes, longest first", {"symbol", "start", "end", "minutes", "asked"}, {}};
  std::vector<std::pair<const SymbolHistory*, const ReportGap*>> all;
  for (const SymbolHistory& h : histories) {
    for (const ReportGap& gap : h.gaps) {
      if (gap.range.length() >= kMinute * min_minutes) all.emplace_back(&h, &gap);
    }
  }
  std::ranges::stable_sort(all, std::ranges::greater{},
                           [](const auto& entry) { return entry.second->range.length(); });
  for (const auto& [history, gap] : all) {
    table.rows.push_back({history->symbol, format_minute(gap->range.begin), format_minute(gap->range.end),
                          gap->range.length().count() / kMinuteMs, gap->asked});
  }
  return table;
}

ReportTable missing_days(const Histories& histories) {
  ReportTable table{"missing_days", "Days without any candle, which were filled", {"symbol", "date"}, {}};
  for (const SymbolHistory& h : histories) {
    for (std::size_t i = 0; i < h.days.size(); ++i) {
      if (h.days.filled[i] != 0) table.rows.push_back({h.symbol, cell(from_day_number(h.days.date[i]))});
    }
  }
  return table;
}

// The rows that each symbol's days give, one symbol after the other.
template <class OfDays, class Cells>
ReportTable of_each_symbol(ReportTable table, const Histories& histories, OfDays of_days, Cells cells) {
  for (const SymbolHistory& h : histories) {
    for (const auto& entry : of_days(h.days)) {
      ReportRow row = cells(entry);
      row.insert(row.begin(), h.symbol);
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

ReportTable price_changes(const Histories& histories, std::size_t top) {
  return of_each_symbol(
      {"top_price_change_days",
       "Days with the largest change of price",
       {"symbol", "date", "daily_open", "daily_close", "change", "change_pct"}},
      histories, [top](const DailyRows& days) { return candles::top_price_change_days(days, top); },
      [](const auto& d) {
        return ReportRow{cell(d.date), d.open, d.close, d.change, d.percent};
      });
}

ReportTable volumes(const Histories& histories, std::size_t top) {
  return of_each_symbol(
      {"top_volume_days",
       "Days with the largest volume",
       {"symbol", "date", "daily_volume", "daily_quote_volume", "daily_close"}},
      histories, [top](const DailyRows& days) { return candles::top_volume_days(days, top); },
      [](const auto& d) {
        return ReportRow{cell(d.date), d.volume, cell(d.quote_volume), d.close};
      });
}

ReportTable volume_per_month(const Histories& histories) {
  return of_each_symbol(
      {"avg_volume_per_month",
       "Average daily volume of each month",
       {"symbol", "year", "month", "avg_volume", "days"}},
      histories, candles::avg_volume_per_month, [](const auto& m) {
        return ReportRow{std::int64_t{m.year}, std::int64_t{m.month}, m.average, cell(m.days)};
      });
}

ReportTable return_per_year(const Histories& histories) {
  return of_each_symbol(
      {"avg_return_per_year",
       "Average daily return of each year",
       {"symbol", "year", "avg_return_pct", "total_return_pct", "days"}},
      histories, candles::avg_return_per_year, [](const auto& y) {
        return ReportRow{std::int64_t{y.year}, cell(y.average * 100), y.total * 100, cell(y.days)};
      });
}

}  // namespace

Result<Histories> read_histories(const lake::Storage& storage, const std::vector<std::string>& symbols,
                                 std::stop_token stop) {
  Histories histories(symbols.size());
  CHANDLER_TRY(parallel_for(symbols.size(), core_count(), [&](std::size_t i) -> Status {
    if (stop.stop_requested()) return fail(ErrorCode::interrupted, "interrupted; no report was written");
    histories[i].symbol = symbols[i];
    return read_history(storage, histories[i]);
  }));
  return histories;
}

std::vector<ReportTable> report_tables(const Histories& histories, const ReportOptions& options) {
  return {per_day_counts(histories),       large_gaps(histories, options.min_gap_minutes),
          missing_days(histories),         price_changes(histories, options.top),
          volumes(histories, options.top), volume_per_month(histories),
          return_per_year(histories)};
}

ReportTable report_summary(const Histories& histories) {
  ReportTable table{"summary",
                    "Coverage",
                    {"symbol", "first_day", "last_day", "days", "whole", "partial", "day_only", "missing",
                     "gaps", "missing_minutes"},
                    {}};
  for (const SymbolHistory& h : histories) {
    std::int64_t whole = 0, partial = 0, day_only = 0, missing = 0, missing_minutes = 0;
    for (std::size_t i = 0; i < h.days.size(); ++i) {
      if (h.days.filled[i] != 0)
        ++missing;
      else if (h.days.count[i] == 0)
        ++day_only;
      else
        ++(h.days.count[i] == kMinutesOfDay ? whole : partial);
    }
    for (const ReportGap& gap : h.gaps) missing_minutes += gap.range.length().count() / kMinuteMs;
    const bool any = h.days.size() > 0;
    table.rows.push_back({h.symbol, any ? cell(from_day_number(h.days.date.front())) : ReportCell{},
                          any ? cell(from_day_number(h.days.date.back())) : ReportCell{}, cell(h.days.size()),
                          whole, partial, day_only, missing, cell(h.gaps.size()), missing_minutes});
  }
  return table;
}

}  // namespace chandler::batch
