// What has to be asked for, whom to ask for it, and in which pieces.
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

enum class KlineSource {
  automatic,  // whole past months and days from the archive, the rest by REST
  archive,    // only the archive
  rest        // only REST
};

// One thing to ask for.
struct Piece {
  enum class Origin { archive_month, archive_day, rest };
  Origin origin = Origin::rest;
  TimeRange span;   // the month, the day, or a page of at most kMaxKlinesPerPage candles
  RangeSet wanted;  // what of it is missing
};

struct PlannedPartition {
  lake::Partition partition;
  std::vector<Piece> pieces;  // in order of time
};

// `missing` on the grid, cut at the borders of the table's partitions (klines_1m: months, klines_1d: years),
// and these into pieces. A month that has ended before `now` is one file of the archive if much of it is
// missing; a day that has ended is one if all of it is; the rest are pages of REST. Days (1d) are cheaper by
// REST, a thousand to a page, and come from the archive only where nothing else is allowed.
std::vector<PlannedPartition> plan_pieces(const RangeSet& missing, const std::string& symbol,
                                          candles::Interval interval, KlineSource source, Timestamp now);

// The days of `missing` from the archive's daily files (whole ones; all that are past if only the archive may
// be used), the rest by REST.
std::vector<Piece> plan_days(const RangeSet& missing, candles::Interval interval, KlineSource source,
                             Timestamp now);

// Pages of REST that cover the ranges. Ranges that fit into one page together share it, so that many small
// holes cost few requests.
std::vector<Piece> plan_pages(const RangeSet& missing, candles::Interval interval);

// The klines_1m or klines_1d partition that holds an instant.
lake::Partition partition_at(const std::string& symbol, candles::Interval interval, Timestamp t);

constexpr std::int64_t grid_of(candles::Interval interval) {
  return interval == candles::Interval::d1 ? kDayMs : kMinuteMs;
}

}  // namespace chandler::batch
