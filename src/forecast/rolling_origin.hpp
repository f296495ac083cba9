// When a series is cut to see what would have been forecast, and what came then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/error.hpp"
#include "forecast/series.hpp"

namespace chandler::forecast {

struct RollingOriginOptions {
  int horizon = 30;         // days ahead
  int period = 15;          // days from one origin to the next
  int initial = 0;          // days before the first origin; 0: half of the training part, at least 180
  double test_share = 0.2;  // of the days, the last; untouched by any choice
};

// The last day that is known, and how many rows are known then.
struct Origin {
  std::size_t rows = 0;
  std::int32_t day = 0;
};

// Training origins end with all their targets inside the training part; the first test origin is the training
// part's last day. Origins × horizon targets, by day: entry o * horizon + h - 1 is the value h days after
// origin o, NaN where that day was not observed.
struct RollingOrigins {
  int horizon = 0;
  std::vector<Origin> origins;  // ascending; training first
  std::size_t training = 0;     // how many of them are training origins
  std::int32_t last_training_day = 0;
  std::vector<double> actual;
  // Mean absolute change from one row to the next before each origin: what MASE divides by.
  std::vector<double> scale;
  // The deviation of daily changes (of logarithms, if the series is positive) as seen at each origin, see
  // recent_deviation().
  std::vector<double> deviation;

  std::size_t test() const { return origins.size() - training; }
  std::size_t steps() const { return static_cast<std::size_t>(horizon); }
};

// An error of code invalid_data says how many days are missing where the series is too short for one training
// and one test origin.
Result<RollingOrigins> roll_origins(Series series, const RollingOriginOptions& options);

// The least length in days that roll_origins accepts.
int least_days(const RollingOriginOptions& options);

// The square root of the exponentially weighted mean of squared daily changes up to the last row, with the
// weight 0.97 that RiskMetrics uses for horizons of a month (J.P. Morgan, "RiskMetrics technical document",
// 1996, section 5.3.2). Changes over missing days are divided by the root of their length. Of logarithms if
// `logs`.
double recent_deviation(Series series, bool logs);

// True if every value is positive: then changes are relative.
bool positive(Series series);

}  // namespace chandler::forecast
