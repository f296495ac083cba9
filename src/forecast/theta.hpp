// The Theta method (Assimakopoulos and Nikolopoulos, International Journal of Forecasting 16(4), 2000) in the
// state-space form of Fiorucci, Pellegrini, Louzada, Petropoulos, Koehler, "Models for optimising the theta
// method and their relationship to state space models", IJF 32(4), 2016: exponential smoothing plus a share
// of the linear trend.
#pragma once

#include <span>

#include "base/error.hpp"
#include "forecast/point_forecast.hpp"

namespace chandler::forecast {

enum class ThetaKind {
  standard,  // theta = 2: half of the linear trend
  optimised  // theta >= 1 minimises the squared errors as well
};

struct ThetaFit {
  double alpha = 0;
  double theta = 2;
  double initial_level = 0;
  double level = 0;      // after the last observation
  double intercept = 0;  // of the least squares line over t = 1 … n
  double slope = 0;
  double variance = 0;  // of the one-step errors
  double squares = 0;
  std::size_t observations = 0;
};

// At least 5 observations. `near`: a fit of almost the same series to start from, or null.
Result<ThetaFit> fit_theta(std::span<const double> y, ThetaKind kind, const ThetaFit* near = nullptr);

PointForecast forecast_theta(const ThetaFit& fit, int horizon);

}  // namespace chandler::forecast
