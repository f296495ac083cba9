#include "forecast/series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/time.hpp"

namespace chandler::forecast {

Status check(Series series) {
  if (series.day.size() != series.y.size()) {
    return fail(ErrorCode::internal, "the day and value columns of a series differ in length");
  }
  for (std::size_t i = 0; i < series.size(); ++i) {
    const auto where = [&] {
      return fmt::format("row {}, day {}", i, format_day(from_day_number(series.day[i])));
    };
    if (i > 0 && series.day[i] <= series.day[i - 1]) {
      return fail(ErrorCode::invalid_data, "the days of a series do not ascend", where(),
                  "sort the rows by day and keep one row a day");
    }
    if (!std::isfinite(series.y[i]) || std::abs(series.y[i]) > 1e100) {
      return fail(ErrorCode::invalid_data, fmt::format("the value {} cannot be modelled", series.y[i]),
                  where(), "run `chandler verify` on the lake and repair the day it names");
    }
  }
  return {};
}

std::size_t rows_until(Series series, std::int32_t day) {
  return static_cast<std::size_t>(std::ranges::upper_bound(series.day, day) - series.day.begin());
}

}  // namespace chandler::forecast
