// Charts of daily series, drawn by Cairo: one drawing for SVG and PNG. Used by forecasts and reports alike:
//   Chart chart{.title = "BTCUSDT"};
//   Panel& price = chart.panels.emplace_back(Panel{.y_title = "close", .weight = 3});
//   price.lines.push_back({.label = "close", .x = days, .y = close, .color = palette(0)});
//   Panel& volume = chart.panels.emplace_back(Panel{.y_title = "volume"});
//   volume.bars.push_back({.label = "", .x = days, .y = volumes, .color = faded(palette(7), 0.6)});
//   Result<std::string> svg = to_svg(chart);
// Panels are stacked over one x axis. Several symbols on a common scale: divide each by its first value and
// set Panel::log_scale. Values that are NaN are gaps. The same chart gives the same bytes, whatever was drawn
// before and on whatever thread; text is drawn with the system's sans-serif font, so that another machine's
// glyphs may differ.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace chandler::plot {

// Each in [0, 1].
struct Color {
  double red = 0;
  double green = 0;
  double blue = 0;
  double alpha = 1;
};

// Eight colours that stay apart for the colour-blind (Okabe and Ito, "Color universal design", 2008); wraps
// around. 0 blue, 1 orange, 2 green, 3 vermilion, 4 purple, 5 sky, 6 yellow, 7 grey.
Color palette(std::size_t index);
Color faded(Color color, double alpha);

// x of all of them: days since 1970-01-01, or plain numbers, ascending; x and y of one length. Labels go into
// the legend; an empty one does not.
struct Line {
  std::string label = {};
  std::vector<double> x = {}, y = {};
  Color color = {};
  double width = 1.2;  // points
  bool dashed = false;
};
struct Band {
  std::string label = {};
  std::vector<double> x = {}, lower = {}, upper = {};
  Color color = {};
};
struct Bars {
  std::string label = {};
  std::vector<double> x = {}, y = {};  // from zero
  Color color = {};
  double width = 0.8;  // in units of x
};
struct Dots {
  std::string label = {};
  std::vector<double> x = {}, y = {};
  Color color = {};
  double radius = 1.5;  // points
};
// A vertical line with a note at its top.
struct Mark {
  double x = 0;
  std::string label = {};
};

struct Panel {
  std::string y_title = {};
  double weight = 1;                              // share of the height
  bool log_scale = false;                         // values that are not positive are gaps
  std::optional<double> y_low = {}, y_high = {};  // instead of what the data need
  // Instead of the axis that all panels share; labels of its own are then drawn below the panel.
  std::optional<double> x_low = {}, x_high = {};
  std::vector<Band> bands = {};
  std::vector<Bars> bars = {};
  std::vector<Line> lines = {};
  std::vector<Dots> dots = {};
  std::vector<Mark> marks = {};
};

struct Chart {
  std::string title = {};
  std::string subtitle = {};
  bool x_is_days = true;
  int width = 1000;  // points in SVG
  int height = 500;
  double png_scale = 2;  // pixels of a PNG for each point
  std::vector<Panel> panels = {};
};

// The bytes of the file. An error where columns differ in length, the size is absurd, or Cairo fails.
Result<std::string> to_svg(const Chart& chart);
Result<std::string> to_png(const Chart& chart);

}  // namespace chandler::plot
