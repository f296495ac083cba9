#include "forecast/quantile.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace chandler::forecast {

double sorted_quantile(std::span<const double> ascending, double p) {
  const double position = p * static_cast<double>(ascending.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(position), ascending.size() - 1);
  const auto above = std::min(below + 1, ascending.size() - 1);
  const double part = position - static_cast<double>(below);
  return ascending[below] + part * (ascending[above] - ascending[below]);
}

double quantile(std::span<double> sample, double p) {
  const double position = p * static_cast<double>(sample.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(position), sample.size() - 1);
  const auto nth = sample.begin() + static_cast<std::ptrdiff_t>(below);
  std::ranges::nth_element(sample, nth);
  if (below + 1 == sample.size()) return *nth;
  const double next = *std::ranges::min_element(nth + 1, sample.end());
  return *nth + (position - static_cast<double>(below)) * (next - *nth);
}

double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}

double normal_pdf(double x) {
  return std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi);
}

double normal_quantile(double p) {
  // A start from the tail's leading term, then Newton's method on log p in the lower half: its log density is
  // concave, so the iteration converges from there.
  if (p > 0.5) return -normal_quantile(1 - p);
  double x = p < 0.02 ? -std::sqrt(-2 * std::log(p)) : 2.5 * (p - 0.5);
  for (int i = 0; i < 60; ++i) {
    const double cdf = normal_cdf(x);
    const double step = (std::log(cdf) - std::log(p)) * cdf / normal_pdf(x);
    x -= step;
    if (std::abs(step) < 1e-15 * (1 + std::abs(x))) break;
  }
  return x;
}

}  // namespace chandler::forecast
