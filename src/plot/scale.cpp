#include "plot/scale.hpp"

#include <algorithm>

namespace chandler::plot {
namespace {

void add(Extent& extent, const std::vector<double>& values, bool positive) {
  for (const double v : values) {
    if (!positive || v > 0) extent.add(v);
  }
}

}  // namespace

void Extent::add(double value) {
  if (!std::isfinite(value)) return;
  low = std::min(low, value);
  high = std::max(high, value);
}

Extent x_extent(const Chart& chart) {
  Extent extent;
  for (const Panel& panel : chart.panels) {
    for (const Band& band : panel.bands) add(extent, band.x, false);
    for (const Line& line : panel.lines) add(extent, line.x, false);
    for (const Dots& dots : panel.dots) add(extent, dots.x, false);
    for (const Bars& bars : panel.bars) {
      for (const double x : bars.x) {
        extent.add(x - bars.width / 2);
        extent.add(x + bars.width / 2);
      }
    }
  }
  if (extent.empty()) return {0, 1};
  if (extent.low == extent.high) return {extent.low - 1, extent.high + 1};
  return extent;
}

Extent y_extent(const Panel& panel) {
  Extent extent;
  for (const Band& band : panel.bands) {
    add(extent, band.lower, panel.log_scale);
    add(extent, band.upper, panel.log_scale);
  }
  for (const Line& line : panel.lines) add(extent, line.y, panel.log_scale);
  for (const Dots& dots : panel.dots) add(extent, dots.y, panel.log_scale);
  for (const Bars& bars : panel.bars) {
    add(extent, bars.y, panel.log_scale);
    if (!panel.log_scale) extent.add(0);
  }
  if (extent.empty()) extent = panel.log_scale ? Extent{1, 10} : Extent{0, 1};
  if (panel.log_scale) {
    const double margin = std::max(std::pow(extent.high / extent.low, 0.05), 1.01);
    extent = {extent.low / margin, extent.high * margin};
  } else {
    // One value gets an axis on which it can be read.
    const double least =
        extent.low < extent.high ? 1e-9 * std::abs(extent.high) : 0.2 * std::abs(extent.high);
    const double size = std::max({extent.high - extent.low, least, 1e-300});
    const bool from_zero = !panel.bars.empty() && extent.low == 0;
    extent = {from_zero ? 0 : extent.low - 0.05 * size, extent.high + 0.05 * size};
  }
  if (panel.y_low) extent.low = *panel.y_low;
  if (panel.y_high) extent.high = *panel.y_high;
  return extent;
}

Status check(const Chart& chart) {
  if (chart.width < 100 || chart.height < 80 || chart.width > 10000 || chart.height > 10000) {
    return fail(ErrorCode::usage, "a chart must be 100 × 80 to 10,000 × 10,000 points");
  }
  if (!(chart.png_scale >= 0.25 && chart.png_scale <= 4)) {
    return fail(ErrorCode::usage, "a PNG has a quarter to four pixels for each point");
  }
  if (chart.panels.empty()) return fail(ErrorCode::internal, "a chart has no panel");
  const auto same = [](std::size_t a, std::size_t b) -> Status {
    if (a != b) return fail(ErrorCode::internal, "the columns of a chart differ in length");
    return {};
  };
  for (const Panel& panel : chart.panels) {
    if (panel.x_low && panel.x_high && !(*panel.x_low < *panel.x_high)) {
      return fail(ErrorCode::internal, "a panel's x axis is empty");
    }
    if (!(panel.weight > 0)) return fail(ErrorCode::internal, "a panel has no height");
    const Extent y = y_extent(panel);
    if (!(y.low < y.high) || (panel.log_scale && !(y.low > 0))) {
      return fail(ErrorCode::internal, "a panel's y axis is empty");
    }
    for (const Line& line : panel.lines) CHANDLER_TRY(same(line.x.size(), line.y.size()));
    for (const Dots& dots : panel.dots) CHANDLER_TRY(same(dots.x.size(), dots.y.size()));
    for (const Bars& bars : panel.bars) CHANDLER_TRY(same(bars.x.size(), bars.y.size()));
    for (const Band& band : panel.bands) {
      CHANDLER_TRY(same(band.x.size(), band.lower.size()));
      CHANDLER_TRY(same(band.x.size(), band.upper.size()));
    }
  }
  return {};
}

}  // namespace chandler::plot
