#include "batch/report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/number_text.hpp"
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

Status read_history(const lake::Storage& storage, SymbolHistory& history) {
  CHANDLER_ASSIGN(history.days, lake::read_daily(storage, history.symbol));
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
  for (const SymbolHistory& h : histories) {
    for (std::size_t i = 0; i < h.days.size(); ++i) {
      const std::int64_t count = h.days.count[i];
      table.rows.push_back({h.symbol, cell(from_day_number(h.days.date[i])), count, kMinutesOfDay - count,
                            h.days.filled[i] != 0});
    }
  }
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

ReportTable price_changes(const Histories& histories, std::size_t top) {
  ReportTable table{"top_price_change_days",
                    "Days with the largest change of price",
                    {"symbol", "date", "daily_open", "daily_close", "change", "change_pct"},
                    {}};
  for (const SymbolHistory& h : histories) {
    for (const auto& d : candles::top_price_change_days(h.days, top)) {
      table.rows.push_back({h.symbol, cell(d.date), d.open, d.close, d.change, d.percent});
    }
  }
  return table;
}

ReportTable volumes(const Histories& histories, std::size_t top) {
  ReportTable table{"top_volume_days",
                    "Days with the largest volume",
                    {"symbol", "date", "daily_volume", "daily_quote_volume", "daily_close"},
                    {}};
  for (const SymbolHistory& h : histories) {
    for (const auto& d : candles::top_volume_days(h.days, top)) {
      table.rows.push_back({h.symbol, cell(d.date), d.volume, cell(d.quote_volume), d.close});
    }
  }
  return table;
}

ReportTable volume_per_month(const Histories& histories) {
  ReportTable table{"avg_volume_per_month",
                    "Average daily volume of each month",
                    {"symbol", "year", "month", "avg_volume", "days"},
                    {}};
  for (const SymbolHistory& h : histories) {
    for (const auto& m : candles::avg_volume_per_month(h.days)) {
      table.rows.push_back({h.symbol, std::int64_t{m.year}, std::int64_t{m.month}, m.average, cell(m.days)});
    }
  }
  return table;
}

ReportTable return_per_year(const Histories& histories) {
  ReportTable table{"avg_return_per_year",
                    "Average daily return of each year",
                    {"symbol", "year", "avg_return_pct", "total_return_pct", "days"},
                    {}};
  for (const SymbolHistory& h : histories) {
    for (const auto& y : candles::avg_return_per_year(h.days)) {
      table.rows.push_back(
          {h.symbol, std::int64_t{y.year}, cell(y.average * 100), y.total * 100, cell(y.days)});
    }
  }
  return table;
}

std::string quoted_if_needed(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    out += c;
    if (c == '"') out += c;
  }
  return out + '"';
}

std::string csv_field(const ReportCell& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return quoted_if_needed(*text);
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *whole);
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  return {};
}

}  // namespace

namespace {

std::string shown(std::string_view column, double value) {
  if (column.ends_with("_pct")) return group_digits(fmt::format("{:.4f}", value));
  const double size = std::abs(value);
  if (size >= 1e6) return group_digits(fmt::format("{:.0f}", value));
  if (size >= 1e-4 || size == 0) return group_digits(fmt::format("{:.8g}", value));
  std::string digits = fmt::format("{:.14f}", value);  // a price like 0.00001234, without an exponent
  digits.erase(digits.find_last_not_of('0') + 1);
  return digits;
}

std::size_t column_of(const ReportTable& table, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(table.columns, name) - table.columns.begin());
}

}  // namespace

std::string cell_text(std::string_view column, const ReportCell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* whole = std::get_if<std::int64_t>(&cell))
    return column == "year" ? std::to_string(*whole) : group_digits(*whole);
  if (const auto* number = std::get_if<double>(&cell)) return shown(column, *number);
  if (const auto* flag = std::get_if<bool>(&cell)) return *flag ? "yes" : "no";
  return {};
}

bool is_numeric(const ReportTable& table, std::size_t column) {
  return std::ranges::any_of(table.rows, [column](const auto& row) {
    return std::holds_alternative<std::int64_t>(row[column]) || std::holds_alternative<double>(row[column]);
  });
}

ReportTable worst_first(ReportTable table) {
  const auto sort_by = [&](auto&& key) { std::ranges::stable_sort(table.rows, std::ranges::greater{}, key); };
  if (table.name == "summary") {
    const std::size_t missing = column_of(table, "missing_minutes");
    sort_by([=](const auto& row) { return std::get<std::int64_t>(row[missing]); });
  } else if (table.name == "per_day_counts") {
    const std::size_t count = column_of(table, "cnt"), missing = column_of(table, "missing"),
                      filled = column_of(table, "filled");
    sort_by([=](const auto& row) {
      const bool day_only = std::get<std::int64_t>(row[count]) == 0 && !std::get<bool>(row[filled]);
      return day_only ? std::int64_t{0} : std::get<std::int64_t>(row[missing]);
    });
  }
  return table;
}

std::string to_csv(const ReportTable& table) {
  std::string out = fmt::format("{}\n", fmt::join(table.columns, ","));
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += ',';
      out += csv_field(row[i]);
    }
    out += '\n';
  }
  return out;
}

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
