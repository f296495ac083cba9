// A daily series as two columns, and the checks that every model relies on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.hpp"

namespace chandler::forecast {

// Observed days only: a filled day is not an observation and must be left out by the caller, so days may be
// missing. `day` counts days since 1970-01-01 and ascends strictly; both columns have one length. Does not
// own.
struct Series {
  std::span<const std::int32_t> day;
  std::span<const double> y;

  std::size_t size() const { return y.size(); }
  Series first(std::size_t n) const { return {day.first(n), y.first(n)}; }
};

// Lengths equal, days strictly ascending, values finite and below 1e100 in magnitude. The error names the
// first row.
Status check(Series series);

// How many leading rows are on or before `day`.
std::size_t rows_until(Series series, std::int32_t day);

}  // namespace chandler::forecast
