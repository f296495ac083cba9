// How far off forecasts were.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "forecast/conformal.hpp"
#include "forecast/rolling_origin.hpp"

namespace chandler::forecast {

// Over origins × days. Definitions: Hyndman and Koehler, "Another look at measures of forecast accuracy", IJF
// 22(4), 2006. NaN where nothing was measured.
struct Metrics {
  std::size_t targets = 0;
  double mae = 0;
  double mse = 0;
  double rmse = 0;
  double mape = 0;   // percent
  double smape = 0;  // percent, of the mean of both magnitudes
  double mase = 0;   // absolute errors over the mean absolute daily change before the origin
  // 1 - MAE / MAE of the naive forecast: positive is better than naive.
  double skill = 0;
  std::size_t interval_targets = 0;  // targets that had an interval
  double coverage80 = 0;             // share of targets inside
  double coverage95 = 0;
  double width80 = 0;  // mean width over yhat, percent
  // Mean pinball loss over the quantiles 2.5, 10, 50, 90 and 97.5%, over the scale of MASE.
  double pinball = 0;
};

// Origins [first, last) and horizons [from, to] of point forecasts laid out as rolling.actual.
struct Slice {
  std::size_t first = 0, last = 0;
  int from = 1, to = 1;
};

struct IntervalColumns {
  std::vector<double> lower80, upper80, lower95,
      upper95;  // laid out as rolling.actual; NaN where there is none
};

// Each origin's intervals, from what was known on its day; of the origins from `first` on.
IntervalColumns rolling_intervals(const RollingOrigins& rolling, std::span<const double> point, bool relative,
                                  std::size_t first);

Metrics measure(const RollingOrigins& rolling, std::span<const double> point, std::span<const double> naive,
                const IntervalColumns& intervals, Slice slice);

// Mean scaled absolute error (MASE's numerator over its scale) of each origin of the slice; NaN where an
// origin has no target or a forecast is missing.
std::vector<double> origin_losses(const RollingOrigins& rolling, std::span<const double> point, Slice slice);

}  // namespace chandler::forecast
