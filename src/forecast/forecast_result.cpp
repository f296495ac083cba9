#include "forecast/forecast_result.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace chandler::forecast {
namespace {

double own_coverage(const Evaluation& evaluation, const CandidateForecast& forecast, Slice slice) {
  std::size_t inside = 0;
  std::size_t count = 0;
  for (std::size_t i = slice.first * evaluation.rolling.steps(); i < slice.last * evaluation.rolling.steps();
       ++i) {
    const double y = evaluation.rolling.actual[i];
    if (!std::isfinite(y) || !std::isfinite(forecast.lower[i])) continue;
    ++count;
    if (forecast.lower[i] <= y && y <= forecast.upper[i]) ++inside;
  }
  if (count == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(inside) / static_cast<double>(count);
}

std::vector<CandidateResult> measure_all(const Evaluation& evaluation, const Choice& choice,
                                         IntervalColumns& saved_intervals) {
  std::vector<CandidateResult> results;
  const Slice training = training_slice(evaluation);
  const Slice test = test_slice(evaluation);
  const std::vector<double>& naive = evaluation.forecasts.front().point;
  for (std::size_t c = 0; c < evaluation.candidates.size(); ++c) {
    const CandidateForecast& forecast = evaluation.forecasts[c];
    CandidateResult result;
    result.candidate = evaluation.candidates[c];
    result.finalist = std::ranges::find(choice.finalists, c) != choice.finalists.end();
    IntervalColumns intervals =
        rolling_intervals(evaluation.rolling, forecast.point, evaluation.relative, training.last);
    result.training = measure(evaluation.rolling, forecast.point, naive, intervals, training);
    result.test = measure(evaluation.rolling, forecast.point, naive, intervals, test);
    result.own_coverage80 = own_coverage(evaluation, forecast, test);
    for (int h = 1; result.finalist && h <= evaluation.rolling.horizon; ++h) {
      result.test_by_horizon.push_back(
          measure(evaluation.rolling, forecast.point, naive, intervals, {test.first, test.last, h, h}));
    }
    results.push_back(std::move(result));
    if (c == choice.saved) saved_intervals = std::move(intervals);
  }
  return results;
}

// The configuration of plain Prophet that was best on the training origins; nothing if it did not take part.
std::optional<Candidate> best_prophet(const Evaluation& evaluation, const Choice& choice) {
  for (const Family family : {Family::prophet, Family::prophet_anchored}) {
    for (const std::size_t row : choice.finalists) {
      if (evaluation.candidates[row].family == family) return evaluation.candidates[row];
    }
  }
  return std::nullopt;
}

Result<ProphetView> view_prophet(const SymbolInput& input, const ForecastOptions& options,
                                 const Candidate& candidate) {
  ProphetView view;
  view.candidate = candidate;
  const std::int32_t last = input.series.day.back();
  view.day.assign(input.series.day.begin(), input.series.day.end());
  view.day.resize(input.series.size() + static_cast<std::size_t>(options.horizon));
  std::iota(view.day.begin() + static_cast<std::ptrdiff_t>(input.series.size()), view.day.end(), last + 1);
  const auto columns = regressor_columns(input, options, view.day, last);
  ProphetData data{input.series, {}, {}};
  ProphetFuture all{view.day, {}, {}};
  ProphetFuture future{std::span<const std::int32_t>(view.day).subspan(input.series.size()), {}, {}};
  for (const auto& column : columns) {
    data.regressors.push_back(std::span(column).first(input.series.size()));
    all.regressors.push_back(column);
    future.regressors.push_back(std::span(column).subspan(input.series.size()));
  }
  ProphetSpec spec = prophet_spec(input, options, candidate.mode);
  spec.changepoint_prior_scale = candidate.prior;
  CHANDLER_ASSIGN(view.fit, fit_prophet(spec, data));
  CHANDLER_ASSIGN(view.prediction, predict_prophet(view.fit, all));
  CHANDLER_ASSIGN(view.future, simulate_prophet(view.fit, future, 0.8, 1000, Random(options.seed)));
  return view;
}

}  // namespace

std::string SymbolForecast::verdict() const {
  const CandidateResult& naive = candidates.front();
  const CandidateResult& rival = candidates[choice.rival];
  if (choice.naive_wins && choice.chosen != 0) {
    return fmt::format(
        "Naive wins: {} was chosen on the training part, but on the untouched days its MASE is {:.3f} "
        "against {:.3f} of "
        "the last close. The naive forecast is what is saved.",
        label(rival.candidate), rival.test.mase, naive.test.mase);
  }
  if (choice.naive_wins && choice.rival == 0) return "Naive wins: no other model took part.";
  if (choice.naive_wins) {
    return fmt::format(
        "Naive wins: no model beat the last close on the training part by more than chance; the nearest, {}, "
        "had a MASE "
        "of {:.3f} against {:.3f}. The naive forecast is what is saved.",
        label(rival.candidate), rival.training.mase, naive.training.mase);
  }
  return fmt::format(
      "{} wins: MASE {:.3f} against {:.3f} of the naive forecast on the untouched days ({} origins), after "
      "it had been "
      "better on the training part by more than chance.",
      label(saved()), rival.test.mase, naive.test.mase, evaluation.rolling.test());
}

Result<SymbolForecast> conclude(SymbolData data, const RollingOriginOptions& rolling_options,
                                const ForecastOptions& options, Evaluation evaluation) {
  SymbolForecast result;
  result.data = std::move(data);
  result.rolling_options = rolling_options;
  result.options = options;
  result.evaluation = std::move(evaluation);
  result.choice = make_choice(result.evaluation, rolling_options.period);
  result.candidates = measure_all(result.evaluation, result.choice, result.best_intervals);
  const SymbolInput input = result.data.input();
  result.best = publish(input, options, result.evaluation, result.choice.saved);
  if (const auto candidate = best_prophet(result.evaluation, result.choice)) {
    CHANDLER_ASSIGN(result.prophet, view_prophet(input, options, *candidate));
  }
  return result;
}

}  // namespace chandler::forecast
