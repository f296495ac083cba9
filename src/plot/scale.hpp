// From values to points on the page. Inside the module only.
#pragma once

#include <cmath>
#include <limits>

#include "plot/chart.hpp"

namespace chandler::plot {

// One axis: [low, high] in values onto [from, to] in points.
struct Axis {
  double low = 0;
  double high = 1;
  double from = 0;
  double to = 1;
  bool log = false;

  bool shows(double value) const { return std::isfinite(value) && (!log || value > 0); }
  double at(double value) const {
    const double share = log ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
    return from + share * (to - from);
  }
};

// The smallest and largest value seen; nothing where there was none.
struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void add(double value);
  bool empty() const { return low > high; }
};

Extent x_extent(const Chart& chart);
// With a margin above and below; from zero where there are bars; an interval of positive length in any case.
Extent y_extent(const Panel& panel);

Status check(const Chart& chart);

}  // namespace chandler::plot
