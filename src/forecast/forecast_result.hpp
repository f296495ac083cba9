// Everything that is known about one symbol's forecast; what the outputs are made from.
#pragma once

#include <string>
#include <vector>

#include "forecast/evaluation.hpp"
#include "forecast/forecast_input.hpp"

namespace chandler::forecast {

// One candidate's figures.
struct CandidateResult {
  Candidate candidate;
  bool finalist = false;  // the best of its family on the training origins
  Metrics training, test;
  double own_coverage80 = 0;  // of the model's own interval, on the test origins; NaN if it has none
  std::vector<Metrics> test_by_horizon;  // finalists only
};

// Prophet's best configuration on the whole history, with its components, for every observed day and the
// horizon.
struct ProphetView {
  Candidate candidate;
  ProphetFit fit;
  std::vector<std::int32_t> day;
  ProphetPrediction prediction;
  ProphetInterval future;  // of the horizon's days only
};

struct SymbolForecast {
  SymbolData data;
  RollingOriginOptions rolling_options;
  ForecastOptions options;
  Evaluation evaluation;
  Choice choice;
  std::vector<CandidateResult> candidates;  // as evaluation.candidates
  Published best;
  IntervalColumns best_intervals;  // of the saved candidate at the test origins
  std::optional<ProphetView> prophet;

  const Candidate& saved() const { return evaluation.candidates[choice.saved]; }
  // The one sentence a reader must not miss: which model is saved, and whether naive won.
  std::string verdict() const;
};

// Chooses, measures, refits on everything and forecasts, after every block of the evaluation has run. Errors
// are those of the last fits.
Result<SymbolForecast> conclude(SymbolData data, const RollingOriginOptions& rolling_options,
                                const ForecastOptions& options, Evaluation evaluation);

}  // namespace chandler::forecast
