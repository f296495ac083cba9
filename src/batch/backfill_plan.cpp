#include "batch/backfill_plan.hpp"

#include <algorithm>

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

std::vector<PlannedPartition> cut_into_pages(const RangeSet& ranges, const std::string& symbol,
                                             candles::Interval interval, std::int64_t page_rows) {
  const std::int64_t grid = grid_of(interval);
  const Millis page{grid * page_rows};
  std::vector<PlannedPartition> planned;
  for (const TimeRange& range : ranges) {
    Timestamp at = floor_to(range.begin, grid);
    const Timestamp end = ceil_to(range.end, grid);
    while (at < end) {
      const lake::Partition partition = partition_at(symbol, interval, at);
      if (planned.empty() || planned.back().partition != partition) planned.push_back({partition, {}});
      const Timestamp page_end = std::min({at + page, end, partition.range().end});
      planned.back().pages.push_back({at, page_end});
      at = page_end;
    }
  }
  return planned;
}

}  // namespace chandler::batch
