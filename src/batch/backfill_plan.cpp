#include "batch/backfill_plan.hpp"

#include <algorithm>
#include <iterator>

#include "exchange/rest_client.hpp"

namespace chandler::batch {
namespace {

Timestamp floor_to(Timestamp t, std::int64_t grid) {
  const std::int64_t ms = to_ms(t);
  const std::int64_t rest = ((ms % grid) + grid) % grid;
  return from_ms(ms - rest);
}

Timestamp ceil_to(Timestamp t, std::int64_t grid) {
  const Timestamp floor = floor_to(t, grid);
  return floor == t ? t : floor + Millis{grid};
}

// A monthly file is 3 MB, a daily one 100 kB: from this much on the month costs less time.
constexpr Millis kWorthAMonth = 8 * kDay;

std::vector<Piece> plan_months(const RangeSet& missing, candles::Interval interval, KlineSource source,
                               Timestamp now) {
  std::vector<Piece> pieces;
  std::optional<year_month> planned;
  for (const TimeRange& range : missing) {
    for (year_month m = month_of(range.begin); begin_of(m) < range.end; m += std::chrono::months{1}) {
      if (planned == m) continue;
      planned = m;
      const TimeRange span{begin_of(m), end_of(m)};
      RangeSet wanted = missing.intersected(span);
      if (span.end <= now && wanted.length() >= kWorthAMonth) {
        pieces.push_back({Piece::Origin::archive_month, span, std::move(wanted)});
      } else {
        std::ranges::move(plan_days(wanted, interval, source, now), std::back_inserter(pieces));
      }
    }
  }
  return pieces;
}

}  // namespace

std::optional<RangeSet> missing_ranges(const Known& known, const Wanted& wanted) {
  std::optional<Timestamp> begin = wanted.since;
  if (!begin) {
    for (const RangeSet* set : {&known.present, &known.asked}) {
      if (!set->empty()) begin = std::min(begin.value_or(set->begin()->begin), set->begin()->begin);
    }
  }
  if (!begin) return std::nullopt;
  RangeSet missing;
  missing.add({*begin, wanted.until});
  if (!wanted.refetch) {
    missing.subtract(known.asked);
    missing.subtract(known.present);
  }
  return missing;
}

lake::Partition partition_at(const std::string& symbol, candles::Interval interval, Timestamp t) {
  const year_month m = month_of(t);
  return interval == candles::Interval::d1 ? lake::days_partition(symbol, year_number(m))
                                           : lake::minutes_partition(symbol, m);
}

std::vector<Piece> plan_pages(const RangeSet& missing, candles::Interval interval) {
  const Millis grid{grid_of(interval)};
  const Millis page = grid * exchange::kMaxKlinesPerPage;
  std::vector<Piece> pages;
  for (const TimeRange& range : missing) {
    Timestamp at = floor_to(range.begin, grid.count());
    const Timestamp end = ceil_to(range.end, grid.count());
    while (at < end) {
      if (pages.empty() || at >= pages.back().span.begin + page)
        pages.push_back({Piece::Origin::rest, {at, at}, {}});
      Piece& last = pages.back();
      const Timestamp stop = std::min(end, last.span.begin + page);
      last.span.end = stop;
      last.wanted.add({at, stop});
      at = stop;
    }
  }
  return pages;
}

std::vector<Piece> plan_days(const RangeSet& missing, candles::Interval interval, KlineSource source,
                             Timestamp now) {
  std::vector<Piece> days;
  RangeSet rest;
  for (const TimeRange& range : missing) {
    for (Day day = day_of(range.begin); begin_of(day) < range.end; day += std::chrono::days{1}) {
      const TimeRange span{begin_of(day), end_of(day)};
      RangeSet wanted = missing.intersected(span);
      const bool whole = wanted.contains(span);
      if (span.end > now || source == KlineSource::rest || (!whole && source == KlineSource::automatic)) {
        rest.add(wanted);
      } else if (days.empty() || days.back().span != span) {
        days.push_back({Piece::Origin::archive_day, span, std::move(wanted)});
      }
    }
  }
  if (source != KlineSource::archive) std::ranges::move(plan_pages(rest, interval), std::back_inserter(days));
  std::ranges::stable_sort(days, {}, [](const Piece& p) { return p.span.begin; });
  return days;
}

std::vector<PlannedPartition> plan_pieces(const RangeSet& missing, const std::string& symbol,
                                          candles::Interval interval, KlineSource source, Timestamp now) {
  std::vector<PlannedPartition> planned;
  const bool use_archive = source == KlineSource::archive ||
                           (source == KlineSource::automatic && interval == candles::Interval::m1);
  for (const TimeRange& range : missing) {
    Timestamp at = range.begin;
    while (at < range.end) {
      const lake::Partition partition = partition_at(symbol, interval, at);
      at = partition.range().end;
      if (!planned.empty() && planned.back().partition == partition) continue;
      const RangeSet wanted = missing.intersected(partition.range());
      planned.push_back({partition, use_archive ? plan_months(wanted, interval, source, now)
                                                : plan_pages(wanted, interval)});
    }
  }
  return planned;
}

}  // namespace chandler::batch
