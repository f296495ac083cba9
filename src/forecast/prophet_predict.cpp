#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/time.hpp"
#include "forecast/prophet_design.hpp"
#include "forecast/quantile.hpp"

namespace chandler::forecast {
namespace {

using Eigen::Index;
using Eigen::VectorXd;

double logistic(double z) {
  return z >= 0 ? 1 / (1 + std::exp(-z)) : std::exp(z) / (1 + std::exp(z));
}

struct RateChange {
  double t = 0;
  double delta = 0;
};

// Trends on the scale of y for any order of days.
class TrendCurve {
 public:
  TrendCurve(const ProphetFit& fit, const VectorXd& t, std::span<const double> cap)
      : fit_(fit), t_(t), cap_(cap) {
    base_.resize(t.size());
    for (Index i = 0; i < t.size(); ++i) {
      double z = fit.spec.growth == Growth::logistic ? fit.k * (t[i] - fit.m) : fit.k * t[i] + fit.m;
      for (std::size_t j = 0; j < fit.delta.size(); ++j)
        z += fit.delta[j] * std::max(0.0, t[i] - fit.changepoint[j]);
      base_[i] = fit.spec.growth == Growth::flat ? fit.m : z;
    }
  }

  // `changes`: those of the future, on top of the fit's.
  double at(Index row, std::span<const RateChange> changes = {}) const {
    double z = base_[row];
    for (const RateChange& change : changes) z += change.delta * std::max(0.0, t_[row] - change.t);
    if (fit_.spec.growth != Growth::logistic) return z * fit_.y_scale;
    const double floor = fit_.spec.floor;
    return floor + (cap_[static_cast<std::size_t>(row)] - floor) * logistic(z);
  }

 private:
  const ProphetFit& fit_;
  const VectorXd& t_;
  std::span<const double> cap_;
  VectorXd base_;  // the piecewise linear function beneath
};

// Knuth's product method in pieces, so that a long horizon does not underflow it.
int poisson(double mean, Random& random) {
  int count = 0;
  while (mean > 0) {
    const double part = std::min(mean, 30.0);
    mean -= part;
    const double limit = std::exp(-part);
    for (double product = random.uniform(); product > limit; product *= random.uniform()) ++count;
  }
  return count;
}

double laplace(double scale, Random& random) {
  const double u = random.uniform() - 0.5;
  return -scale * (u < 0 ? -1 : 1) * std::log1p(-2 * std::abs(u));
}

std::vector<RateChange> future_changes(const ProphetFit& fit, double last_t, Random& random) {
  std::vector<RateChange> changes;
  // Prophet keeps one dummy changepoint where there is none, with a rate change of zero.
  const double rate = static_cast<double>(std::max<std::size_t>(fit.delta.size(), 1));
  double size = 0;
  for (const double delta : fit.delta) size += std::abs(delta);
  const double scale = size / rate + 1e-8;
  if (last_t <= 1 || fit.spec.growth == Growth::flat) return changes;
  for (int n = poisson(rate * (last_t - 1), random); n > 0; --n) {
    changes.push_back({1 + random.uniform() * (last_t - 1), 0});
  }
  for (RateChange& change : changes) change.delta = laplace(scale, random);
  return changes;
}

}  // namespace

const char* name(Mode mode) {
  return mode == Mode::additive ? "additive" : "multiplicative";
}

Result<ProphetPrediction> predict_prophet(const ProphetFit& fit, const ProphetFuture& future) {
  CHANDLER_TRY(check_columns(fit.spec, future.day.size(), future.regressors, future.cap));
  const std::size_t rows = future.day.size();
  const VectorXd t = scaled_time(fit, future.day);
  const FeatureMatrix x = make_features(fit, future.day, future.regressors);
  ProphetPrediction result;
  const TrendCurve trend(fit, t, future.cap);
  for (std::size_t i = 0; i < rows; ++i) {
    result.trend.push_back(trend.at(static_cast<Index>(i)));
  }
  result.additive_terms.assign(rows, 0);
  result.multiplicative_terms.assign(rows, 0);

  const Mode holidays_mode = fit.spec.holidays_mode.value_or(fit.spec.seasonality_mode);
  for (const Seasonality& s : fit.seasonalities)
    result.components.push_back({s.name, s.mode, std::vector<double>(rows)});
  if (!fit.spec.holidays.empty())
    result.components.push_back({"holidays", holidays_mode, std::vector<double>(rows)});
  for (const Holiday& h : fit.spec.holidays)
    result.components.push_back({h.name, holidays_mode, std::vector<double>(rows)});
  for (const Regressor& r : fit.spec.regressors) {
    result.components.push_back(
        {r.name, r.mode.value_or(fit.spec.seasonality_mode), std::vector<double>(rows)});
  }
  const auto component = [&](const std::string& wanted) -> ProphetComponent& {
    return *std::ranges::find(result.components, wanted, &ProphetComponent::name);
  };
  const auto coefficient = [&](const Feature& f, std::size_t feature) {
    return fit.beta[feature] * (f.mode == Mode::additive ? fit.y_scale : 1);
  };
  const auto terms = [&](const Feature& f) -> std::vector<double>& {
    return f.mode == Mode::additive ? result.additive_terms : result.multiplicative_terms;
  };
  for (Index c = 0; c < x.dense.cols(); ++c) {
    const auto feature = static_cast<std::size_t>(x.dense_feature[static_cast<std::size_t>(c)]);
    const Feature& f = fit.features[feature];
    std::vector<double>& effect = component(f.component).effect;
    std::vector<double>& sum = terms(f);
    for (std::size_t i = 0; i < rows; ++i) {
      const double value = x.dense(static_cast<Index>(i), c) * coefficient(f, feature);
      effect[i] += value;
      sum[i] += value;
    }
  }
  for (const SparseFeature& sparse : x.sparse) {
    const auto feature = static_cast<std::size_t>(sparse.feature);
    const Feature& f = fit.features[feature];
    for (const Index row : sparse.rows) {
      const auto i = static_cast<std::size_t>(row);
      component(f.component).effect[i] += coefficient(f, feature);
      component("holidays").effect[i] += coefficient(f, feature);
      terms(f)[i] += coefficient(f, feature);
    }
  }
  for (std::size_t i = 0; i < rows; ++i) {
    result.yhat.push_back(result.trend[i] * (1 + result.multiplicative_terms[i]) + result.additive_terms[i]);
  }
  return result;
}

Result<ProphetInterval> simulate_prophet(const ProphetFit& fit, const ProphetFuture& future, double level,
                                         int paths, Random random) {
  if (!(level > 0 && level < 1) || paths < 1) {
    return fail(ErrorCode::usage, "an interval needs a level between 0 and 1 and at least one path");
  }
  CHANDLER_ASSIGN(const ProphetPrediction point, predict_prophet(fit, future));
  const std::size_t rows = future.day.size();
  const VectorXd t = scaled_time(fit, future.day);
  const double last_t = rows == 0 ? 0 : t.maxCoeff();
  const TrendCurve curve(fit, t, future.cap);
  const auto count = static_cast<std::size_t>(paths);
  std::vector<double> trend(rows * count);  // row-major by day
  std::vector<double> yhat(rows * count);
  for (std::size_t p = 0; p < count; ++p) {
    const std::vector<RateChange> changes = future_changes(fit, last_t, random);
    for (std::size_t i = 0; i < rows; ++i) {
      const double path_trend = curve.at(static_cast<Index>(i), changes);
      trend[i * count + p] = path_trend;
      yhat[i * count + p] = path_trend * (1 + point.multiplicative_terms[i]) + point.additive_terms[i] +
                            fit.sigma * fit.y_scale * random.normal();
    }
  }
  const auto tails = [&](std::span<double> sample) {
    const double low = quantile(sample, (1 - level) / 2);
    return std::pair{low, quantile(sample, (1 + level) / 2)};
  };
  double lower = 0;
  double upper = 0;
  ProphetInterval interval;
  for (std::size_t i = 0; i < rows; ++i) {
    const std::span<double> y(yhat.data() + i * count, count);
    const std::span<double> g(trend.data() + i * count, count);
    std::tie(lower, upper) = tails(y);
    interval.yhat_lower.push_back(lower);
    interval.yhat_upper.push_back(upper);
    std::tie(lower, upper) = tails(g);
    interval.trend_lower.push_back(lower);
    interval.trend_upper.push_back(upper);
  }
  return interval;
}

Holiday bitcoin_halvings() {
  using namespace std::chrono;
  return {"halving",
          {to_day_number(Day{2016y / July / 9}), to_day_number(Day{2020y / May / 11}),
           to_day_number(Day{2024y / April / 20})},
          -7,
          7,
          {}};
}

}  // namespace chandler::forecast
