#include "candles/gaps.hpp"

namespace chandler::candles {

RangeSet present_ranges(std::span<const std::int64_t> open_time, std::int64_t grid_ms) {
  RangeSet present;
  std::size_t first = 0;
  for (std::size_t i = 1; i <= open_time.size(); ++i) {
    if (i < open_time.size() && open_time[i] - open_time[i - 1] == grid_ms) continue;
    present.add({from_ms(open_time[first]), from_ms(open_time[i - 1] + grid_ms)});
    first = i;
  }
  return present;
}

RangeSet missing_ranges(std::span<const std::int64_t> open_time, TimeRange within, std::int64_t grid_ms) {
  RangeSet missing{within};
  missing.subtract(present_ranges(open_time, grid_ms));
  return missing;
}

std::vector<Day> missing_days(std::span<const std::int64_t> open_time, Day from, Day until) {
  std::vector<Day> missing;
  std::size_t next = 0;
  for (Day day = from; day < until; day += std::chrono::days{1}) {
    const std::int64_t begin = to_ms(begin_of(day)), end = to_ms(end_of(day));
    while (next < open_time.size() && open_time[next] < begin) ++next;
    if (next == open_time.size() || open_time[next] >= end) missing.push_back(day);
  }
  return missing;
}

}  // namespace chandler::candles
