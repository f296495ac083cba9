// Forecasts of every candidate from any day on, using nothing that was not known on that day.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "forecast/candidate.hpp"
#include "forecast/ets.hpp"
#include "forecast/prophet.hpp"
#include "forecast/rolling_origin.hpp"
#include "forecast/theta.hpp"

namespace chandler::forecast {

// A column that Prophet may lean on, with a value on every calendar day from the series' first on. Does not
// own.
struct KnownColumn {
  std::string name;
  std::span<const double> value;
};

// One symbol.
struct SymbolInput {
  Series series;  // observed days
  std::vector<KnownColumn> regressors;
  std::vector<Holiday> holidays;
};

struct ForecastOptions {
  int horizon = 30;
  // A regressor of day t is the column's value on day t - horizon, which is known for every day that is
  // forecast. If set, it is the value on day t itself, as in the reference pipeline: that contains the
  // answer, and what is measured is then not a forecast error.
  bool same_day_regressors = false;
  std::vector<Mode> modes{Mode::additive, Mode::multiplicative};
  std::vector<double> priors{0.01, 0.05, 0.1};
  std::uint64_t seed = 1;
  int paths = 300;  // simulated at each origin, for Prophet's own interval
};

// Day h after the origin is entry h - 1; NaN where a model cannot say. `lower` and `upper` are the model's
// own 80% interval, which is shown but not published: it is not calibrated.
struct CandidateForecast {
  std::vector<double> point;
  std::vector<double> lower, upper;
};

// What a chain of origins hands on: the next fit starts from the last.
struct ChainState {
  std::vector<EtsFit> ets;
  std::optional<ThetaFit> theta;
  std::map<Mode, std::vector<ProphetFit>> prophet;  // in the order of the priors
};

// Rows of `input.series` up to and including `origin_day` are used. Results in the order of `candidates`, all
// of which are computed in one go because they share work; `own_intervals` asks for Prophet's simulation as
// well.
std::vector<CandidateForecast> forecast_from(const SymbolInput& input, const ForecastOptions& options,
                                             std::span<const Candidate> candidates, std::int32_t origin_day,
                                             bool own_intervals, ChainState& state);

// The spec and the columns that Prophet's families are fitted with up to a day.
ProphetSpec prophet_spec(const SymbolInput& input, const ForecastOptions& options, Mode mode);
// Regressor values on the given days as ForecastOptions defines them; days before the first and after the
// last known day take the nearest value.
std::vector<std::vector<double>> regressor_columns(const SymbolInput& input, const ForecastOptions& options,
                                                   std::span<const std::int32_t> day,
                                                   std::int32_t last_known_day);

}  // namespace chandler::forecast
