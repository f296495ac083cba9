#include "forecast/metrics.hpp"

#include <cmath>
#include <limits>

namespace chandler::forecast {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

double pinball(double y, double quantile, double p) {
  return y >= quantile ? p * (y - quantile) : (1 - p) * (quantile - y);
}

struct Mean {
  double sum = 0;
  std::size_t count = 0;
  void add(double value) {
    sum += value;
    ++count;
  }
  double value() const { return count == 0 ? kNothing : sum / static_cast<double>(count); }
};

}  // namespace

IntervalColumns rolling_intervals(const RollingOrigins& rolling, std::span<const double> point, bool relative,
                                  std::size_t first) {
  constexpr double kLevels[] = {0.8, 0.95};
  const Conformal conformal(rolling, point, relative);
  IntervalColumns columns;
  for (auto* column : {&columns.lower80, &columns.upper80, &columns.lower95, &columns.upper95}) {
    column->assign(point.size(), kNothing);
  }
  for (std::size_t o = first; o < rolling.origins.size(); ++o) {
    for (std::size_t h = 0; h < rolling.steps(); ++h) {
      const std::size_t i = o * rolling.steps() + h;
      const auto scores = conformal.scores(static_cast<int>(h) + 1, kLevels, rolling.origins[o].day);
      const auto fill = [&](std::optional<double> score, double& lower, double& upper) {
        const auto interval = conformal.interval(point[i], score, rolling.deviation[o]);
        if (!interval) return;
        lower = interval->lower;
        upper = interval->upper;
      };
      fill(scores[0], columns.lower80[i], columns.upper80[i]);
      fill(scores[1], columns.lower95[i], columns.upper95[i]);
    }
  }
  return columns;
}

Metrics measure(const RollingOrigins& rolling, std::span<const double> point, std::span<const double> naive,
                const IntervalColumns& intervals, Slice slice) {
  Mean absolute, squared, percent, symmetric, scaled, naive_absolute, inside80, inside95, width, loss;
  for (std::size_t o = slice.first; o < slice.last; ++o) {
    for (int h = slice.from; h <= slice.to; ++h) {
      const std::size_t i = o * rolling.steps() + static_cast<std::size_t>(h - 1);
      const double y = rolling.actual[i];
      if (!std::isfinite(y) || !std::isfinite(point[i])) continue;
      const double error = std::abs(y - point[i]);
      absolute.add(error);
      squared.add(error * error);
      if (y != 0) percent.add(100 * error / std::abs(y));
      if (std::abs(y) + std::abs(point[i]) > 0)
        symmetric.add(200 * error / (std::abs(y) + std::abs(point[i])));
      if (rolling.scale[o] > 0) scaled.add(error / rolling.scale[o]);
      naive_absolute.add(std::abs(y - naive[i]));
      if (!std::isfinite(intervals.lower95[i]) || !std::isfinite(intervals.lower80[i])) continue;
      inside80.add(intervals.lower80[i] <= y && y <= intervals.upper80[i] ? 1 : 0);
      inside95.add(intervals.lower95[i] <= y && y <= intervals.upper95[i] ? 1 : 0);
      if (point[i] != 0) width.add(100 * (intervals.upper80[i] - intervals.lower80[i]) / std::abs(point[i]));
      if (rolling.scale[o] > 0) {
        const double sum = pinball(y, intervals.lower95[i], 0.025) + pinball(y, intervals.lower80[i], 0.1) +
                           pinball(y, point[i], 0.5) + pinball(y, intervals.upper80[i], 0.9) +
                           pinball(y, intervals.upper95[i], 0.975);
        loss.add(sum / 5 / rolling.scale[o]);
      }
    }
  }
  Metrics m;
  m.targets = absolute.count;
  m.mae = absolute.value();
  m.mse = squared.value();
  m.rmse = std::sqrt(m.mse);
  m.mape = percent.value();
  m.smape = symmetric.value();
  m.mase = scaled.value();
  m.skill = naive_absolute.value() > 0 ? 1 - m.mae / naive_absolute.value() : kNothing;
  m.interval_targets = inside80.count;
  m.coverage80 = inside80.value();
  m.coverage95 = inside95.value();
  m.width80 = width.value();
  m.pinball = loss.value();
  return m;
}

std::vector<double> origin_losses(const RollingOrigins& rolling, std::span<const double> point, Slice slice) {
  std::vector<double> losses;
  for (std::size_t o = slice.first; o < slice.last; ++o) {
    Mean loss;
    bool whole = rolling.scale[o] > 0;
    for (int h = slice.from; h <= slice.to; ++h) {
      const std::size_t i = o * rolling.steps() + static_cast<std::size_t>(h - 1);
      whole = whole && std::isfinite(point[i]);
      if (std::isfinite(rolling.actual[i]))
        loss.add(std::abs(rolling.actual[i] - point[i]) / rolling.scale[o]);
    }
    losses.push_back(whole ? loss.value() : kNothing);
  }
  return losses;
}

}  // namespace chandler::forecast
