// The forecasts that every other model has to beat. Formulas of the errors' deviation: Hyndman and
// Athanasopoulos, "Forecasting: principles and practice", 3rd edition, table 5.2.
#pragma once

#include <span>

#include "base/error.hpp"
#include "forecast/point_forecast.hpp"

namespace chandler::forecast {

// The last value. At least 2 observations.
Result<PointForecast> forecast_naive(std::span<const double> y, int horizon);

// The last value plus the mean change. At least 3 observations.
Result<PointForecast> forecast_drift(std::span<const double> y, int horizon);

// The value one season ago. More than `season` observations.
Result<PointForecast> forecast_seasonal_naive(std::span<const double> y, int season, int horizon);

}  // namespace chandler::forecast
