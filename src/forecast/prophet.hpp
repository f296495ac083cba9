// The decomposable forecasting model of Taylor and Letham, "Forecasting at scale" (The American Statistician
// 72(1), 2018), as the Prophet package defines it: a piecewise trend, Fourier seasonality, holidays and
// regressors, fitted as the maximum of the posterior. Pure: no I/O, no clock; randomness is handed in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/random.hpp"
#include "forecast/series.hpp"

namespace chandler::forecast {

enum class Growth { linear, logistic, flat };
// additive: added to the trend. multiplicative: trend * (1 + effect).
enum class Mode { additive, multiplicative };
const char* name(Mode mode);

struct Seasonality {
  std::string name;
  double period_days = 0;
  int order = 0;  // pairs of sine and cosine
  double prior_scale = 10;
  Mode mode = Mode::additive;
};

// One effect a day of the window [lower_window, upper_window] around each of the days, shared by all of them.
struct Holiday {
  std::string name;
  std::vector<std::int32_t> days;  // past and future
  int lower_window = 0;            // <= 0
  int upper_window = 0;            // >= 0
  std::optional<double> prior_scale = {};
};

struct Regressor {
  std::string name;
  std::optional<double> prior_scale = {};  // the holidays' scale where absent, as in Prophet
  std::optional<Mode> mode = {};
  // absent: standardised unless the column is constant or holds only 0 and 1.
  std::optional<bool> standardize = {};
};

struct ProphetSpec {
  Growth growth = Growth::linear;
  int changepoints = 25;
  double changepoint_range = 0.8;
  std::optional<std::vector<std::int32_t>> changepoint_days = {};  // instead of the even grid
  double changepoint_prior_scale = 0.05;
  Mode seasonality_mode = Mode::additive;
  std::optional<Mode> holidays_mode = {};
  // Fourier order: absent chooses by the length of the history, 0 switches off.
  std::optional<int> yearly = {};
  std::optional<int> weekly = {};
  std::optional<int> daily = {};
  double seasonality_prior_scale = 10;
  double holidays_prior_scale = 10;
  std::vector<Seasonality> seasonalities = {};
  std::vector<Holiday> holidays = {};
  std::vector<Regressor> regressors = {};
  double floor = 0;  // logistic growth only
};

// Rows to fit. `regressors` has one column for each of the spec's, `cap` is for logistic growth only; all as
// long as the series. Does not own.
struct ProphetData {
  Series series;
  std::vector<std::span<const double>> regressors = {};
  std::span<const double> cap = {};
};

// Days to predict, in any order, with what is known about them.
struct ProphetFuture {
  std::span<const std::int32_t> day;
  std::vector<std::span<const double>> regressors = {};
  std::span<const double> cap = {};
};

// One column of the regression matrix.
struct Feature {
  std::string name;       // weekly_3, halving_+2, ma7
  std::string component;  // weekly, halving, ma7
  double prior_scale = 10;
  Mode mode = Mode::additive;
};

// The maximum of the posterior, in Prophet's own scaling: t runs from 0 to 1 over the history, y is divided
// by y_scale, regressors are standardised.
struct ProphetFit {
  ProphetSpec spec;
  std::int32_t first_day = 0;
  std::int32_t last_day = 0;
  double y_scale = 1;
  std::vector<double> regressor_mean, regressor_scale;
  std::vector<Seasonality> seasonalities;  // the custom ones, then those that were switched on
  std::vector<double> changepoint;         // scaled times
  std::vector<Feature> features;
  double k = 0;               // growth rate
  double m = 0;               // offset
  double sigma = 1;           // observation noise
  std::vector<double> delta;  // rate change at each changepoint
  std::vector<double> beta;   // coefficient of each feature
  double log_posterior = 0;   // see log_posterior()
  int iterations = 0;
  bool converged = false;
};

// Fits. Errors: fewer than 2 rows, columns that differ in length, a spec that contradicts itself.
Result<ProphetFit> fit_prophet(const ProphetSpec& spec, const ProphetData& data);

// The same history under several changepoint priors: the design is built once and each fit starts from the
// one before. Results are in the order of `priors` and equal those of fit_prophet within its tolerance.
Result<std::vector<ProphetFit>> fit_prophet_priors(const ProphetSpec& spec, const ProphetData& data,
                                                   std::span<const double> priors,
                                                   std::span<const ProphetFit> near = {});

// The logarithm of the posterior density at the fit's parameters, without the terms that do not depend on
// them, as Stan's optimiser reports it for Prophet's model:
//   -T log(sigma) - |y - yhat|^2 / (2 sigma^2) - k^2/50 - m^2/50 - sum|delta|/tau - 2 sigma^2 - sum beta^2/(2
//   scale^2)
// `data` must be what was fitted.
Result<double> log_posterior(const ProphetFit& fit, const ProphetData& data);

// Effects on the scale of y for additive components, as a factor's deviation from 1 for multiplicative ones.
struct ProphetComponent {
  std::string name;
  Mode mode = Mode::additive;
  std::vector<double> effect;
};

struct ProphetPrediction {
  std::vector<double> yhat;
  std::vector<double> trend;
  std::vector<double> additive_terms;
  std::vector<double> multiplicative_terms;
  std::vector<ProphetComponent> components;  // each seasonality, `holidays`, each holiday, each regressor
};

Result<ProphetPrediction> predict_prophet(const ProphetFit& fit, const ProphetFuture& future);

// Quantiles of simulated paths: new changepoints arrive in the future at the rate of the past ones, their
// sizes Laplace with the mean absolute size of the past ones; observation noise is added to yhat. For days of
// the history the trend is certain.
struct ProphetInterval {
  std::vector<double> yhat_lower, yhat_upper;
  std::vector<double> trend_lower, trend_upper;
};
Result<ProphetInterval> simulate_prophet(const ProphetFit& fit, const ProphetFuture& future, double level,
                                         int paths, Random random);

// The Bitcoin halvings of 2016-07-09, 2020-05-11 and 2024-04-20 with seven days before and after. The block
// of a future halving has no day yet; it comes from the configuration.
Holiday bitcoin_halvings();

}  // namespace chandler::forecast
