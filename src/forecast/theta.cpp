#include "forecast/theta.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "forecast/nelder_mead.hpp"

namespace chandler::forecast {
namespace {

struct Line {
  double intercept = 0;
  double slope = 0;
};

// Least squares over t = 1 … n.
Line line_of(std::span<const double> y) {
  const auto n = static_cast<double>(y.size());
  const double middle = (n + 1) / 2;
  double mean = 0;
  for (const double v : y) mean += v / n;
  double cross = 0;
  for (std::size_t i = 0; i < y.size(); ++i) cross += (static_cast<double>(i + 1) - middle) * (y[i] - mean);
  const double slope = cross / (n * (n * n - 1) / 12);
  return {mean - slope * middle, slope};
}

struct Solution {
  double squares = std::numeric_limits<double>::infinity();
  double level = 0;    // initial
  double share = 0.5;  // 1 - 1/theta
};

// One-step errors are linear in the first level and in the share of the line; given alpha both follow from
// least squares. e_t = y_t - level_{t-1} - share * trend_{t-1}, trend_t = (1-a)^t A + (1 - (1-a)^(t+1)) / a
// B.
Solution solve(std::span<const double> y, const Line& line, double alpha, bool free_share) {
  const double origin = y.front();
  const double keep = 1 - alpha;
  double level = 0;     // smoothing from zero
  double by_level = 1;  // its derivative in the first level
  double power = 1;
  double aa = 0, a1 = 0, a2 = 0, d11 = 0, d12 = 0, d22 = 0;
  for (const double value : y) {
    // Its other part, (1-a)^t A, cannot be told from the first level, which takes it in.
    const double trend = (1 - power * keep) / alpha * line.slope;
    const double e = value - origin - level;
    const double e1 = -by_level;
    const double e2 = -trend;
    aa += e * e;
    a1 += e * e1;
    a2 += e * e2;
    d11 += e1 * e1;
    d12 += e1 * e2;
    d22 += e2 * e2;
    // The level smooths the series itself; the trend's share is added to its forecast only.
    level += alpha * e;
    by_level *= keep;
    power *= keep;
  }
  Solution s;
  if (free_share) {
    const double determinant = d11 * d22 - d12 * d12;
    if (determinant > 1e-12 * d11 * d22) s.share = (d12 * a1 - d11 * a2) / determinant;
    s.share = std::clamp(s.share, 0.0, 1 - 1e-9);
  }
  s.level = -(a1 + d12 * s.share) / d11;
  s.squares = std::max(0.0, aa + 2 * (a1 * s.level + a2 * s.share) + d11 * s.level * s.level +
                                2 * d12 * s.level * s.share + d22 * s.share * s.share);
  return s;
}

}  // namespace

Result<ThetaFit> fit_theta(std::span<const double> y, ThetaKind kind, const ThetaFit* near) {
  if (y.size() < 5) {
    return fail(ErrorCode::invalid_data,
                fmt::format("{} observations are too few for the Theta method", y.size()));
  }
  const Line line = line_of(y);
  const bool free_share = kind == ThetaKind::optimised;
  const auto cost = [&](const std::array<double, 1>& x) {
    return std::log(solve(y, line, x[0], free_share).squares + 1e-300);
  };
  const Box<1> box{{1e-4}, {0.9999}};
  std::array<double, 1> best{};
  if (near != nullptr) {
    best = nelder_mead(cost, {near->alpha}, box, 1, 0.02, 1e-7, 5e-3);
  } else {
    best = nelder_mead(cost, {0.9}, box, 1, 0.1, 1e-10);
    const auto other = nelder_mead(cost, {0.2}, box, 1, 0.1, 1e-10);
    if (cost(other) < cost(best)) best = other;
  }
  const Solution solution = solve(y, line, best[0], free_share);
  ThetaFit fit;
  fit.alpha = best[0];
  fit.theta = 1 / (1 - solution.share);
  fit.initial_level = y.front() + solution.level - solution.share * line.intercept;
  fit.intercept = line.intercept;
  fit.slope = line.slope;
  fit.squares = solution.squares;
  fit.observations = y.size();
  fit.variance = solution.squares / static_cast<double>(y.size() - (free_share ? 3 : 2));
  fit.level = fit.initial_level;
  for (const double value : y) fit.level += fit.alpha * (value - fit.level);
  return fit;
}

PointForecast forecast_theta(const ThetaFit& fit, int horizon) {
  PointForecast forecast;
  const double share = 1 - 1 / fit.theta;
  const double keep = std::pow(1 - fit.alpha, static_cast<double>(fit.observations));
  for (int h = 1; h <= horizon; ++h) {
    const double trend =
        keep * fit.intercept + ((1 - keep * (1 - fit.alpha)) / fit.alpha + h - 1) * fit.slope;
    forecast.mean.push_back(fit.level + share * trend);
    forecast.deviation.push_back(std::sqrt(fit.variance * (1 + (h - 1) * fit.alpha * fit.alpha)));
  }
  return forecast;
}

}  // namespace chandler::forecast
