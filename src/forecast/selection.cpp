#include "forecast/selection.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace chandler::forecast {

Comparison compare(std::span<const double> first, std::span<const double> second, std::size_t overlap) {
  std::vector<double> difference;
  for (std::size_t o = 0; o < first.size(); ++o) {
    if (std::isfinite(first[o]) && std::isfinite(second[o])) difference.push_back(first[o] - second[o]);
  }
  Comparison result;
  result.origins = difference.size();
  if (difference.empty()) return result;
  const auto n = static_cast<double>(difference.size());
  for (const double d : difference) result.advantage += d / n;
  // A few lags beyond the overlap: errors of one model in one regime of the market resemble each other.
  const std::size_t lags = std::min(difference.size() - 1, 2 * overlap + 1);
  double variance = 0;
  for (std::size_t lag = 0; lag <= lags; ++lag) {
    double covariance = 0;
    for (std::size_t i = lag; i < difference.size(); ++i) {
      covariance += (difference[i] - result.advantage) * (difference[i - lag] - result.advantage) / n;
    }
    const double weight = 1 - static_cast<double>(lag) / static_cast<double>(lags + 1);
    variance += (lag == 0 ? 1 : 2 * weight) * covariance;
  }
  const double error = std::sqrt(std::max(0.0, variance) / n);
  // Under 8 origins nothing is sure.
  if (difference.size() >= 8 && error > 0) result.t = result.advantage / error;
  return result;
}

std::size_t choose(std::span<const std::vector<double>> losses, std::size_t naive, std::size_t overlap) {
  std::size_t best = naive;
  double largest = 0;
  for (std::size_t c = 0; c < losses.size(); ++c) {
    if (c == naive) continue;
    const Comparison against = compare(losses[naive], losses[c], overlap);
    const auto whole = static_cast<double>(losses[naive].size());
    if (static_cast<double>(against.origins) < 0.9 * whole || against.t < kSure) continue;
    if (against.advantage > largest) {
      largest = against.advantage;
      best = c;
    }
  }
  return best;
}

std::size_t least_loss(std::span<const std::vector<double>> losses, std::span<const std::size_t> rows) {
  std::size_t best = rows.front();
  double least = std::numeric_limits<double>::infinity();
  for (const std::size_t row : rows) {
    double sum = 0;
    for (std::size_t o = 0; o < losses[row].size(); ++o) {
      const bool whole =
          std::ranges::all_of(rows, [&](std::size_t r) { return std::isfinite(losses[r][o]); });
      if (whole) sum += losses[row][o];
    }
    if (sum < least) {
      least = sum;
      best = row;
    }
  }
  return best;
}

}  // namespace chandler::forecast
