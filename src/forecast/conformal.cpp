#include "forecast/conformal.hpp"

#include <algorithm>
#include <cmath>

namespace chandler::forecast {
namespace {

// Neighbouring horizons whose errors are taken in, each way.
constexpr int kNeighbours = 2;

}  // namespace

Conformal::Conformal(const RollingOrigins& rolling, std::span<const double> point, bool relative)
    : relative_(relative), scores_(rolling.steps()) {
  for (std::size_t o = 0; o < rolling.origins.size(); ++o) {
    for (std::size_t h = 0; h < rolling.steps(); ++h) {
      const double actual = rolling.actual[o * rolling.steps() + h];
      const double yhat = point[o * rolling.steps() + h];
      if (!(rolling.deviation[o] > 0) || !std::isfinite(actual) || !std::isfinite(yhat)) continue;
      if (relative && !(yhat > 0)) continue;
      const double error = relative ? std::log(actual / yhat) : actual - yhat;
      scores_[h].push_back({rolling.origins[o].day + static_cast<std::int32_t>(h) + 1,
                            std::abs(error) / rolling.deviation[o]});
    }
  }
}

std::optional<double> Conformal::score(int h, double level, std::int32_t day) const {
  std::vector<double> known;
  const int last = static_cast<int>(scores_.size());
  for (int near = std::max(1, h - kNeighbours); near <= std::min(last, h + kNeighbours); ++near) {
    const double scaling = std::sqrt(static_cast<double>(h) / near);
    for (const Known& entry : scores_[static_cast<std::size_t>(near - 1)]) {
      if (entry.day > day) break;  // ascending
      known.push_back(entry.score * scaling);
    }
  }
  const auto rank = static_cast<std::size_t>(std::ceil(static_cast<double>(known.size() + 1) * level));
  if (known.empty() || rank > known.size()) return std::nullopt;
  const auto nth = known.begin() + static_cast<std::ptrdiff_t>(rank) - 1;
  std::ranges::nth_element(known, nth);
  return *nth;
}

std::optional<Interval> Conformal::interval(double yhat, int h, double level, std::int32_t day,
                                            double deviation) const {
  const auto reach = score(h, level, day);
  if (!reach || !std::isfinite(yhat) || (relative_ && !(yhat > 0))) return std::nullopt;
  const double half = *reach * deviation;
  if (relative_) return Interval{yhat * std::exp(-half), yhat * std::exp(half)};
  return Interval{yhat - half, yhat + half};
}

}  // namespace chandler::forecast
