// What has to be asked for, cut into pieces that are stored as one file each.
#pragma once

#include <vector>

#include "base/range_set.hpp"
#include "candles/interval.hpp"
#include "lake/layout.hpp"

namespace chandler::batch {

// What is known of a symbol before asking.
struct Known {
  RangeSet present;  // candles that are stored
  RangeSet asked;    // ranges the exchange has answered for
};

struct Wanted {
  std::optional<Timestamp> since;  // nullopt: from what is known first
  Timestamp until;                 // exclusive, on the grid; nothing open lies before it
  bool refetch = false;
};

// The ranges to ask for: from `since` (or the first known instant) to `until`, without what is present or has
// been asked. nullopt: nothing is known and `since` is not given, so the exchange's first candle has to be
// found first.
std::optional<RangeSet> missing_ranges(const Known& known, const Wanted& wanted);

// Ranges on the grid, cut at the borders of the table's partitions (klines_1m: months, klines_1d: years) and,
// inside these, into pages of at most `page_rows` candles. In order of time.
struct PlannedPartition {
  lake::Partition partition;
  std::vector<TimeRange> pages;
};
std::vector<PlannedPartition> cut_into_pages(const RangeSet& ranges, const std::string& symbol,
                                             candles::Interval interval, std::int64_t page_rows);

// The klines_1m or klines_1d partition that holds an instant.
lake::Partition partition_at(const std::string& symbol, candles::Interval interval, Timestamp t);

constexpr std::int64_t grid_of(candles::Interval interval) {
  return interval == candles::Interval::d1 ? kDayMs : kMinuteMs;
}

}  // namespace chandler::batch
