#include "batch/derive_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/parallel.hpp"
#include "lake/month_days.hpp"

namespace chandler::batch {
namespace {

using candles::Bars;
using lake::KlineFooter;
using lake::Partition;
using lake::Table;

constexpr std::chrono::months kNextMonth{1};

// Rows [from, until) of daily bars.
Bars days_between(const Bars& days, Day from, Day until) {
  const std::size_t first = candles::lower_bound(days.rows, begin_of(from));
  const std::size_t last = candles::lower_bound(days.rows, begin_of(until));
  Bars part;
  part.rows.append(days.rows, first, last);
  part.count.assign(last - first, 0);
  return part;
}

Result<Bars> closed_known_days(const lake::Storage& storage, const lake::SymbolCatalog& catalog, Day until) {
  Bars days;
  for (const KlineFooter& footer : catalog.days) {
    CHANDLER_ASSIGN(const auto rows, lake::read_klines(storage, footer.partition));
    days.rows.append(rows);
  }
  days.count.assign(days.rows.size(), 0);
  return days_between(days, Day{std::chrono::days{0}}, until);
}

std::string inputs_of(const PlannedMonth& month, std::string_view minutes_digest) {
  const std::string days = month.known_days.size() == 0 ? "-" : lake::digest_of(month.known_days.rows);
  return fmt::format("minutes={} days={} until={} minutes_until={}", minutes_digest, days,
                     format_day(month.until), format_day(month.minutes_until));
}

Result<Bars> minute_days(const lake::Storage& storage, const PlannedMonth& month, DaysFrom from) {
  if (from == DaysFrom::footers && !month.minute_days.empty()) {
    // Days that cannot be read are named by `verify`; the minutes still have them.
    if (auto days = lake::decode_days(month.minute_days, *month.minutes, month.minute_rows)) return days;
  }
  CHANDLER_ASSIGN(const auto rows, lake::read_klines(storage, *month.minutes, lake::KlineFields::daily));
  return lake::days_of(rows);
}

Day day_or_epoch(std::optional<Timestamp> horizon) {
  return horizon ? day_of(*horizon) : Day{std::chrono::days{0}};
}

// What is stored of daily_filled, in order.
Result<std::vector<Partition>> stored_months(const lake::Storage& storage, DerivePlan& plan) {
  CHANDLER_ASSIGN(const auto files,
                  storage.list(lake::directory_of(Table::daily_filled, std::string_view(plan.symbol))));
  std::vector<Partition> stored;
  for (const lake::StoredFile& file : files) {
    auto partition = lake::parse_path(file.path);
    if (!partition) continue;
    stored.push_back(std::move(*partition));
    plan.daily_files.emplace(file.path, file.bytes);
  }
  std::ranges::sort(stored);
  return stored;
}

}  // namespace

Result<DerivePlan> plan_derivation(const lake::Storage& storage, const std::string& symbol, Extent extent) {
  DerivePlan plan;
  plan.symbol = symbol;
  lake::SymbolCatalog catalog;
  std::vector<Partition> stored;
  CHANDLER_TRY(parallel_for(2, storage.concurrency(), [&](std::size_t i) -> Status {
    if (i == 0) {
      CHANDLER_ASSIGN(catalog, lake::read_catalog(storage, symbol, lake::FooterDays::kept));
    } else {
      CHANDLER_ASSIGN(stored, stored_months(storage, plan));
    }
    return {};
  }));
  const Day minutes_until = day_or_epoch(catalog.minutes_horizon());
  const Day days_until = day_or_epoch(catalog.days_horizon());
  const Day until = std::max(minutes_until, days_until);
  CHANDLER_ASSIGN(const Bars known, closed_known_days(storage, catalog, days_until));

  std::vector<std::optional<lake::DailyFooter>> footers(stored.size());
  if (extent == Extent::what_changed) {
    CHANDLER_TRY(parallel_for(stored.size(), storage.concurrency(), [&](std::size_t i) -> Status {
      // One that cannot be read is simply derived again.
      if (auto footer = lake::read_daily_footer(storage, stored[i])) footers[i] = std::move(*footer);
      return {};
    }));
  }
  std::optional<Day> first;
  if (const auto minute = catalog.first_minute()) first = day_of(*minute);
  if (known.size() > 0) {
    const Day day = day_of(from_ms(known.rows.open_time.front()));
    first = std::min(first.value_or(day), day);
  }

  std::size_t next_minutes = 0, next_stored = 0;
  if (first && *first < until) {
    for (year_month m = month_of(*first); first_day(m) < until; m += kNextMonth) {
      PlannedMonth month;
      month.partition = lake::daily_partition(symbol, m);
      month.from = std::max(first_day(m), *first);
      month.until = std::min(first_day(m + kNextMonth), until);
      month.minutes_until = std::min(first_day(m + kNextMonth), minutes_until);
      month.known_days = days_between(known, month.from, month.until);
      std::string_view digest = "-";
      while (next_minutes < catalog.minutes.size() && catalog.minutes[next_minutes].partition.ym() < m)
        ++next_minutes;
      if (next_minutes < catalog.minutes.size() && catalog.minutes[next_minutes].partition.ym() == m &&
          catalog.minutes[next_minutes].rows > 0) {
        month.minutes = catalog.minutes[next_minutes].partition;
        month.minute_rows = catalog.minutes[next_minutes].rows;
        month.minute_days = std::move(catalog.minutes[next_minutes].days);
        digest = catalog.minutes[next_minutes].digest;
      }
      month.inputs = inputs_of(month, digest);
      while (next_stored < stored.size() && stored[next_stored] < month.partition) {
        plan.superfluous.push_back(stored[next_stored++]);
      }
      if (next_stored < stored.size() && stored[next_stored] == month.partition) {
        month.stored = std::move(footers[next_stored++]);
      }
      plan.months.push_back(std::move(month));
    }
  }
  plan.superfluous.insert(plan.superfluous.end(), stored.begin() + static_cast<std::ptrdiff_t>(next_stored),
                          stored.end());
  return plan;
}

Bars month_bars(const PlannedMonth& month, Bars minute_days) {
  const std::size_t closed = candles::lower_bound(minute_days.rows, begin_of(month.minutes_until));
  minute_days.rows.resize(closed);
  minute_days.count.resize(closed);
  return candles::minutes_before_days(minute_days, month.known_days);
}

Result<Bars> month_bars(const lake::Storage& storage, const PlannedMonth& month, DaysFrom from) {
  if (!month.minutes) return month.known_days;
  CHANDLER_ASSIGN(Bars days, minute_days(storage, month, from));
  return month_bars(month, std::move(days));
}

}  // namespace chandler::batch
