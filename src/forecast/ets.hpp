// Exponential smoothing in state-space form (Hyndman, Koehler, Ord, Snyder: "Forecasting with Exponential
// Smoothing", Springer 2008), chosen by the corrected Akaike criterion.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "forecast/point_forecast.hpp"

namespace chandler::forecast {

enum class EtsError { additive, multiplicative };
enum class EtsTrend { none, additive, damped };

// season 1: none; else additive seasonal terms of that many observations. Multiplicative errors are for
// positive series without a season.
struct EtsModel {
  EtsError error = EtsError::additive;
  EtsTrend trend = EtsTrend::none;
  int season = 1;
};
// As in the literature: ANN, AAN, AAdN, MNN, AAdA …
std::string name(const EtsModel& model);

struct EtsFit {
  EtsModel model;
  double alpha = 0;  // level, in [1e-4, 0.9999]
  double beta = 0;   // trend, in [1e-4 alpha, 0.9999 alpha]
  double phi = 1;    // damping, in [0.8, 0.98]
  double gamma = 0;  // season, in [0, 1 - alpha]
  // States after the last observation; seasonal[0] is that of the next one.
  double level = 0;
  double slope = 0;
  std::vector<double> seasonal;
  double variance = 0;  // of the (relative, for multiplicative) one-step errors
  // n log(sum e^2) + 2 sum log|yhat| for multiplicative errors: -2 log likelihood up to a constant of n.
  double minus_twice_log_likelihood = 0;
  double aic = 0;
  double aicc = 0;
};

// `near`: a fit of almost the same series to start from, or null. At least as many observations as parameters
// plus 3.
Result<EtsFit> fit_ets(std::span<const double> y, const EtsModel& model, const EtsFit* near = nullptr);

// The candidate of the lowest aicc; those the series is too short for, or not positive for, are passed over.
// An error where none is left. `near`: the fits of the candidates to a neighbouring series, or empty;
// replaced by those to y.
Result<EtsFit> select_ets(std::span<const double> y, std::span<const EtsModel> candidates,
                          std::vector<EtsFit>* near = nullptr);

PointForecast forecast_ets(const EtsFit& fit, int horizon);

}  // namespace chandler::forecast
