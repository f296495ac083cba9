// Downhill simplex in a box, for the few smoothing parameters of a model. Deterministic.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace chandler::forecast {

template <std::size_t N>
struct Box {
  std::array<double, N> low{};
  std::array<double, N> high{};
};

// Minimises f over the first `dimensions` coordinates of `start`, which stay inside the box by being clamped;
// `step` is the first simplex's edge as a share of the box. Stops when the simplex's values differ by less
// than `tolerance` (1 + |best|) and its corners by less than `least_width` of the box, or after 200
// evaluations a dimension. (Nelder and Mead, "A simplex method for function minimization", The Computer
// Journal 7(4), 1965.)
template <std::size_t N, class F>
std::array<double, N> nelder_mead(F&& f, std::array<double, N> start, const Box<N>& box,
                                  std::size_t dimensions, double step, double tolerance,
                                  double least_width = 1e-3) {
  using Point = std::array<double, N>;
  struct Corner {
    Point x;
    double value;
  };
  std::array<Corner, N + 1> simplex;
  const auto clamped = [&](Point x) {
    for (std::size_t i = 0; i < dimensions; ++i) x[i] = std::clamp(x[i], box.low[i], box.high[i]);
    return x;
  };
  const auto corner = [&](Point x) {
    x = clamped(x);
    return Corner{x, f(x)};
  };
  simplex[0] = corner(start);
  for (std::size_t i = 0; i < dimensions; ++i) {
    Point x = simplex[0].x;
    const double edge = step * (box.high[i] - box.low[i]);
    x[i] += x[i] + edge <= box.high[i] ? edge : -edge;
    simplex[i + 1] = corner(x);
  }
  const auto end = simplex.begin() + static_cast<std::ptrdiff_t>(dimensions) + 1;
  const auto by_value = [](const Corner& a, const Corner& b) { return a.value < b.value; };
  for (std::size_t evaluations = dimensions + 1; evaluations < 200 * dimensions;) {
    std::stable_sort(simplex.begin(), end, by_value);
    const Corner& best = simplex[0];
    Corner& worst = simplex[dimensions];
    double width = 0;
    for (std::size_t i = 0; i < dimensions; ++i) {
      width = std::max(width, std::abs(worst.x[i] - best.x[i]) / (box.high[i] - box.low[i]));
    }
    if (worst.value - best.value <= tolerance * (1 + std::abs(best.value)) && width < least_width) break;
    Point center{};
    for (std::size_t c = 0; c < dimensions; ++c) {
      for (std::size_t i = 0; i < dimensions; ++i)
        center[i] += simplex[c].x[i] / static_cast<double>(dimensions);
    }
    const auto along = [&](double factor) {
      Point x = start;
      for (std::size_t i = 0; i < dimensions; ++i) x[i] = center[i] + factor * (center[i] - worst.x[i]);
      return corner(x);
    };
    const Corner reflected = along(1);
    ++evaluations;
    if (reflected.value < best.value) {
      const Corner expanded = along(2);
      ++evaluations;
      worst = expanded.value < reflected.value ? expanded : reflected;
    } else if (reflected.value < simplex[dimensions - 1].value) {
      worst = reflected;
    } else {
      const Corner contracted = reflected.value < worst.value ? along(0.5) : along(-0.5);
      ++evaluations;
      if (contracted.value < std::min(reflected.value, worst.value)) {
        worst = contracted;
      } else {
        for (std::size_t c = 1; c <= dimensions; ++c) {
          Point x = simplex[c].x;
          for (std::size_t i = 0; i < dimensions; ++i)
            x[i] = simplex[0].x[i] + 0.5 * (x[i] - simplex[0].x[i]);
          simplex[c] = corner(x);
        }
        evaluations += dimensions;
      }
    }
  }
  return std::min_element(simplex.begin(), end, by_value)->x;
}

}  // namespace chandler::forecast
