#include "forecast/forecaster.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "forecast/baselines.hpp"
#include "forecast/quantile.hpp"

namespace chandler::forecast {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
constexpr int kWeek = 7;

CandidateForecast nothing(int horizon) {
  const std::vector<double> column(static_cast<std::size_t>(horizon), kNothing);
  return {column, column, column};
}

// The known rows, on the scale that is modelled.
struct Known {
  std::vector<double> y;  // logarithms where `logs`
  bool logs = false;
  int late = 0;  // days between the last row and the origin

  double back(double value) const { return logs ? std::exp(value) : value; }
};

// From steps after the last row to days after the origin, and back to prices. The exponential of a forecast
// of logarithms is the median, which is what absolute errors ask for.
CandidateForecast in_days(const Known& known, const PointForecast& forecast, int horizon) {
  const double reach = normal_quantile(0.9);
  CandidateForecast result;
  for (int h = 0; h < horizon; ++h) {
    const auto i = static_cast<std::size_t>(h + known.late);
    result.point.push_back(known.back(forecast.mean[i]));
    result.lower.push_back(known.back(forecast.mean[i] - reach * forecast.deviation[i]));
    result.upper.push_back(known.back(forecast.mean[i] + reach * forecast.deviation[i]));
  }
  return result;
}

std::optional<PointForecast> univariate(const Known& known, Family family, int steps, ChainState& state) {
  const auto value = [](Result<PointForecast> result) {
    return result ? std::optional(std::move(*result)) : std::nullopt;
  };
  static constexpr EtsModel kModels[] = {{EtsError::additive, EtsTrend::none, 1},
                                         {EtsError::additive, EtsTrend::additive, 1},
                                         {EtsError::additive, EtsTrend::damped, 1}};
  switch (family) {
    case Family::naive:
      return value(forecast_naive(known.y, steps));
    case Family::drift:
      return value(forecast_drift(known.y, steps));
    case Family::seasonal_naive:
      return value(forecast_seasonal_naive(known.y, kWeek, steps));
    case Family::ets: {
      const auto fit = select_ets(known.y, kModels, &state.ets);
      return fit ? std::optional(forecast_ets(*fit, steps)) : std::nullopt;
    }
    case Family::theta: {
      const auto fit = fit_theta(known.y, ThetaKind::standard, state.theta ? &*state.theta : nullptr);
      if (!fit) return std::nullopt;
      state.theta = *fit;
      return forecast_theta(*fit, steps);
    }
    default:
      return std::nullopt;
  }
}

std::optional<PointForecast> combined(const std::map<Family, PointForecast>& parts) {
  PointForecast sum;
  for (const Family family : {Family::drift, Family::ets, Family::theta}) {
    const auto part = parts.find(family);
    if (part == parts.end()) return std::nullopt;
    sum.mean.resize(part->second.mean.size(), 0);
    sum.deviation.resize(part->second.mean.size(), 0);
    for (std::size_t i = 0; i < sum.mean.size(); ++i) {
      sum.mean[i] += part->second.mean[i] / 3;
      // As if the three erred together, which they nearly do.
      sum.deviation[i] += part->second.deviation[i] / 3;
    }
  }
  return sum;
}

class ProphetForecaster {
 public:
  ProphetForecaster(const SymbolInput& input, const ForecastOptions& options, std::int32_t origin_day)
      : input_(input), options_(options), known_(input.series.first(rows_until(input.series, origin_day))) {
    // The origin itself comes first: the anchored forecast is counted from there.
    days_.resize(static_cast<std::size_t>(options.horizon) + 1);
    std::iota(days_.begin(), days_.end(), origin_day);
    past_ = regressor_columns(input, options, known_.day, origin_day);
    future_ = regressor_columns(input, options, days_, origin_day);
    data_.series = known_;
    for (const auto& column : past_) data_.regressors.push_back(column);
    ahead_.day = days_;
    for (const auto& column : future_) ahead_.regressors.push_back(column);
  }

  const std::vector<ProphetFit>* fits(Mode mode, ChainState& state) {
    const auto done = fitted_.find(mode);
    if (done != fitted_.end()) return &done->second;
    auto fits =
        fit_prophet_priors(prophet_spec(input_, options_, mode), data_, options_.priors, state.prophet[mode]);
    if (!fits) return nullptr;
    state.prophet[mode] = *fits;
    return &(fitted_[mode] = std::move(*fits));
  }

  CandidateForecast forecast(const Candidate& candidate, bool own_interval, ChainState& state) {
    CandidateForecast result = nothing(options_.horizon);
    const auto* all = fits(candidate.mode, state);
    if (all == nullptr) return result;
    const auto prior = std::ranges::find(options_.priors, candidate.prior) - options_.priors.begin();
    if (prior == std::ssize(options_.priors)) return result;
    const ProphetFit& fit = (*all)[static_cast<std::size_t>(prior)];
    const auto prediction = predict_prophet(fit, ahead_);
    if (!prediction) return result;
    const bool anchored = candidate.family == Family::prophet_anchored;
    const double last = known_.y.back();
    const double fitted = prediction->yhat.front();
    const bool relative = last > 0 && std::ranges::all_of(prediction->yhat, [](double v) { return v > 0; });
    for (std::size_t h = 0; h < result.point.size(); ++h) {
      const double yhat = prediction->yhat[h + 1];
      result.point[h] = !anchored ? yhat : relative ? last * yhat / fitted : last + yhat - fitted;
    }
    if (own_interval && !anchored) {
      Random random(options_.seed ^ (static_cast<std::uint64_t>(days_.front()) << 8) ^
                    static_cast<std::uint64_t>(prior * 2 + (candidate.mode == Mode::additive ? 0 : 1)));
      const auto interval = simulate_prophet(fit, ahead_, 0.8, options_.paths, random.split());
      if (!interval) return result;
      result.lower.assign(interval->yhat_lower.begin() + 1, interval->yhat_lower.end());
      result.upper.assign(interval->yhat_upper.begin() + 1, interval->yhat_upper.end());
    }
    return result;
  }

 private:
  const SymbolInput& input_;
  const ForecastOptions& options_;
  Series known_;
  std::vector<std::int32_t> days_;
  std::vector<std::vector<double>> past_, future_;
  ProphetData data_;
  ProphetFuture ahead_;
  std::map<Mode, std::vector<ProphetFit>> fitted_;
};

}  // namespace

ProphetSpec prophet_spec(const SymbolInput& input, const ForecastOptions&, Mode mode) {
  ProphetSpec spec;
  spec.seasonality_mode = mode;
  spec.holidays = input.holidays;
  for (const KnownColumn& column : input.regressors) spec.regressors.push_back({column.name, {}, {}, {}});
  return spec;
}

std::vector<std::vector<double>> regressor_columns(const SymbolInput& input, const ForecastOptions& options,
                                                   std::span<const std::int32_t> day,
                                                   std::int32_t last_known_day) {
  std::vector<std::vector<double>> columns;
  const std::int32_t lag = options.same_day_regressors ? 0 : options.horizon;
  for (const KnownColumn& known : input.regressors) {
    std::vector<double>& column = columns.emplace_back();
    for (const std::int32_t d : day) {
      std::int32_t source = d - lag;
      if (!options.same_day_regressors) source = std::min(source, last_known_day);
      const std::int32_t first = input.series.day.front();
      const std::int32_t last = first + static_cast<std::int32_t>(known.value.size()) - 1;
      column.push_back(known.value[static_cast<std::size_t>(std::clamp(source, first, last) - first)]);
    }
  }
  return columns;
}

std::vector<CandidateForecast> forecast_from(const SymbolInput& input, const ForecastOptions& options,
                                             std::span<const Candidate> candidates, std::int32_t origin_day,
                                             bool own_intervals, ChainState& state) {
  const Series rows = input.series.first(rows_until(input.series, origin_day));
  std::vector<CandidateForecast> results;
  if (rows.size() == 0) {
    results.assign(candidates.size(), nothing(options.horizon));
    return results;
  }
  Known known;
  known.logs = positive(rows);
  known.late = origin_day - rows.day.back();
  for (const double y : rows.y) known.y.push_back(known.logs ? std::log(y) : y);
  const int steps = options.horizon + known.late;

  std::map<Family, PointForecast> parts;
  const auto part = [&](Family family) -> const PointForecast* {
    if (const auto done = parts.find(family); done != parts.end()) return &done->second;
    auto forecast = univariate(known, family, steps, state);
    return forecast ? &(parts[family] = std::move(*forecast)) : nullptr;
  };
  std::optional<ProphetForecaster> prophet;
  for (const Candidate& candidate : candidates) {
    if (is_prophet(candidate.family)) {
      if (!prophet) prophet.emplace(input, options, origin_day);
      results.push_back(prophet->forecast(candidate, own_intervals, state));
      continue;
    }
    std::optional<PointForecast> forecast;
    if (candidate.family == Family::combination) {
      for (const Family family : {Family::drift, Family::ets, Family::theta}) part(family);
      forecast = combined(parts);
    } else if (const PointForecast* one = part(candidate.family)) {
      forecast = *one;
    }
    results.push_back(forecast ? in_days(known, *forecast, options.horizon) : nothing(options.horizon));
  }
  return results;
}

}  // namespace chandler::forecast
