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

std::vector<std::optional<double>> Conformal::scores(int h, std::span<const double> levels,
                                                     std::int32_t day) const {
  std::vector<double> known;
  const int last = static_cast<int>(scores_.size());
  for (int near = std::max(1, h - kNeighbours); near <= std::min(last, h + kNeighbours); ++near) {
    const double scaling = std::sqrt(static_cast<double>(h) / near);
    for (const Known& entry : scores_[static_cast<std::size_t>(near - 1)]) {
      if (entry.day > day) break;  // ascending
      known.push_back(entry.score * scaling);
    }
  }
  std::vector<std::optional<double>> result(levels.size());
  auto end = known.end();
  // From the highest level down: each selection leaves the lower ones in front of it.
  for (std::size_t i = levels.size(); i-- > 0;) {
    const auto rank =
        static_cast<std::ptrdiff_t>(std::ceil(static_cast<double>(known.size() + 1) * levels[i]));
    if (rank < 1 || rank > std::ssize(known)) continue;
    const auto nth = known.begin() + rank - 1;
    if (nth < end) std::nth_element(known.begin(), nth, end);
    result[i] = *nth;
    end = nth + 1;
  }
  return result;
}

std::optional<double> Conformal::score(int h, double level, std::int32_t day) const {
  return scores(h, {&level, 1}, day).front();
}

std::optional<Interval> Conformal::interval(double yhat, std::optional<double> score,
                                            double deviation) const {
  if (!score || !std::isfinite(yhat) || (relative_ && !(yhat > 0))) return std::nullopt;
  const double half = *score * deviation;
  if (relative_) return Interval{yhat * std::exp(-half), yhat * std::exp(half)};
  return Interval{yhat - half, yhat + half};
}

}  // namespace chandler::forecast
