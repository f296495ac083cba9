// What is not there: maximal runs of missing minutes, and missing days.
#pragma once

#include <span>
#include <vector>

#include "base/range_set.hpp"

namespace chandler::candles {

// The minutes that are there, as ranges. Sorted and unique open times in ms.
RangeSet present_ranges(std::span<const std::int64_t> open_time, std::int64_t grid_ms = kMinuteMs);

// Maximal runs of `within` that are not present.
RangeSet missing_ranges(std::span<const std::int64_t> open_time, TimeRange within,
                        std::int64_t grid_ms = kMinuteMs);

// Days in [from, until) of which no minute is present.
std::vector<Day> missing_days(std::span<const std::int64_t> open_time, Day from, Day until);

}  // namespace chandler::candles
