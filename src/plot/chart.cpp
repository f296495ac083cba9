#include "plot/chart.hpp"

#include <cairo-svg.h>
#include <cairo.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "plot/png.hpp"
#include "plot/scale.hpp"
#include "plot/ticks.hpp"

namespace chandler::plot {
namespace {

constexpr double kFont = 11;
constexpr double kTitleFont = 15;
constexpr double kEdge = 8;  // that no label comes nearer to the right edge than
constexpr Color kText{0.15, 0.15, 0.18, 1};
constexpr Color kFaint{0.45, 0.45, 0.5, 1};
constexpr Color kGrid{0.88, 0.88, 0.9, 1};

struct SurfaceDeleter {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};
struct ContextDeleter {
  void operator()(cairo_t* context) const { cairo_destroy(context); }
};
using Surface = std::unique_ptr<cairo_surface_t, SurfaceDeleter>;
using Context = std::unique_ptr<cairo_t, ContextDeleter>;

enum class Anchor { left, center, right };

class Painter {
 public:
  explicit Painter(cairo_t* cairo) : cairo_(cairo) {
    cairo_select_font_face(cairo_, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  }

  void draw(const Chart& chart) {
    color({1, 1, 1, 1});
    cairo_paint(cairo_);
    double top = 12;
    if (!chart.title.empty()) {
      top += kTitleFont;
      text(chart.title, 14, top, kTitleFont, Anchor::left, kText);
      top += 6;
    }
    if (!chart.subtitle.empty()) {
      top += kFont;
      text(chart.subtitle, 14, top, kFont, Anchor::left, kFaint);
      top += 6;
    }
    top += legend(chart, top);

    const double bottom = chart.height - 26;
    const double gap = 10;
    double weights = 0;
    double left = 0;
    for (const Panel& panel : chart.panels) {
      weights += panel.weight;
      left = std::max(left, label_width(panel));
    }
    left += 14;
    const double right = chart.width - 16;
    const Extent x = x_extent(chart);
    const Axis x_axis{x.low, x.high, left, right, false};
    const double space = bottom - top - gap * static_cast<double>(chart.panels.size() - 1);
    const auto ticks_of = [&](const Axis& axis) {
      const int wanted = static_cast<int>((axis.to - axis.from) / 90);
      return chart.x_is_days ? day_ticks(static_cast<std::int32_t>(std::ceil(axis.low)),
                                         static_cast<std::int32_t>(std::floor(axis.high)), wanted)
                             : number_ticks(axis.low, axis.high, wanted);
    };
    const auto label_ticks = [&](const std::vector<Tick>& ticks, const Axis& axis, double y) {
      for (const Tick& tick : ticks) {
        const double last = chart.width - kEdge - width_of(tick.label, kFont) / 2;
        text(tick.label, std::min(axis.at(tick.at), last), y, kFont, Anchor::center, kFaint);
      }
    };
    const std::vector<Tick> x_ticks = ticks_of(x_axis);
    for (const Panel& panel : chart.panels) {
      const bool own = panel.x_low && panel.x_high;
      const double height = space * panel.weight / weights;
      const double base = top + height - (own ? kFont + 5 : 0);
      const Extent y = y_extent(panel);
      const Axis y_axis{y.low, y.high, base, top + (is_above(panel) ? kFont + 5 : 0), panel.log_scale};
      if (own) {
        const Axis axis{*panel.x_low, *panel.x_high, left, right, false};
        draw_panel(panel, axis, y_axis, ticks_of(axis));
        label_ticks(ticks_of(axis), axis, base + 13);
      } else {
        draw_panel(panel, x_axis, y_axis, x_ticks);
      }
      top += height + gap;
    }
    label_ticks(x_ticks, x_axis, bottom + 15);
  }

 private:
  // Bars would stand behind a title inside of the panel.
  static bool is_above(const Panel& panel) { return !panel.y_title.empty() && !panel.bars.empty(); }

  void color(Color c) { cairo_set_source_rgba(cairo_, c.red, c.green, c.blue, c.alpha); }

  double width_of(const std::string& label, double size) {
    cairo_set_font_size(cairo_, size);
    cairo_text_extents_t extents;
    cairo_text_extents(cairo_, label.c_str(), &extents);
    return extents.x_advance;
  }

  void text(const std::string& label, double x, double y, double size, Anchor anchor, Color c) {
    const double width = width_of(label, size);
    color(c);
    cairo_move_to(cairo_, x - (anchor == Anchor::left ? 0 : anchor == Anchor::center ? width / 2 : width), y);
    cairo_show_text(cairo_, label.c_str());
  }

  std::vector<Tick> y_ticks(const Panel& panel, const Extent& y) {
    return panel.log_scale ? log_ticks(y.low, y.high, 6)
                           : number_ticks(y.low, y.high, panel.weight < 1 ? 3 : 5);
  }

  double label_width(const Panel& panel) {
    double width = 0;
    for (const Tick& tick : y_ticks(panel, y_extent(panel)))
      width = std::max(width, width_of(tick.label, kFont));
    return width;
  }

  // Returns its height.
  double legend(const Chart& chart, double top) {
    struct Entry {
      const std::string* label;
      Color color;
      bool wide;
    };
    std::vector<Entry> entries;
    for (const Panel& panel : chart.panels) {
      for (const Line& line : panel.lines) entries.push_back({&line.label, line.color, false});
      for (const Dots& dots : panel.dots) entries.push_back({&dots.label, dots.color, true});
      for (const Band& band : panel.bands) entries.push_back({&band.label, band.color, true});
      for (const Bars& bars : panel.bars) entries.push_back({&bars.label, bars.color, true});
    }
    std::erase_if(entries, [](const Entry& e) { return e.label->empty(); });
    if (entries.empty()) return 0;
    double x = 14;
    double used = kFont + 10;
    for (const Entry& entry : entries) {
      const double width = width_of(*entry.label, kFont) + 34;
      if (x + width > chart.width - 14 && x > 14) {
        x = 14;
        used += kFont + 6;
      }
      const double y = top + used - 10;
      color(entry.color);
      cairo_rectangle(cairo_, x, y - (entry.wide ? 8 : 5), 16, entry.wide ? 9 : 2.5);
      cairo_fill(cairo_);
      text(*entry.label, x + 20, y, kFont, Anchor::left, kText);
      x += width;
    }
    return used;
  }

  void draw_panel(const Panel& panel, const Axis& x, const Axis& y, const std::vector<Tick>& x_ticks) {
    cairo_set_line_width(cairo_, 0.6);
    color(kGrid);
    for (const Tick& tick : y_ticks(panel, {y.low, y.high})) {
      cairo_move_to(cairo_, x.from, y.at(tick.at));
      cairo_line_to(cairo_, x.to, y.at(tick.at));
    }
    for (const Tick& tick : x_ticks) {
      cairo_move_to(cairo_, x.at(tick.at), y.from);
      cairo_line_to(cairo_, x.at(tick.at), y.to);
    }
    cairo_stroke(cairo_);
    for (const Tick& tick : y_ticks(panel, {y.low, y.high})) {
      text(tick.label, x.from - 6, y.at(tick.at) + 4, kFont, Anchor::right, kFaint);
    }
    cairo_save(cairo_);
    cairo_rectangle(cairo_, x.from, y.to, x.to - x.from, y.from - y.to);
    cairo_clip(cairo_);
    for (const Band& band : panel.bands) draw_band(band, x, y);
    for (const Bars& bars : panel.bars) draw_bars(bars, x, y);
    for (const Line& line : panel.lines) draw_line(line, x, y);
    for (const Dots& dots : panel.dots) draw_dots(dots, x, y);
    for (const Mark& mark : panel.marks) draw_mark(mark, x, y);
    cairo_restore(cairo_);
    if (panel.y_title.empty()) return;
    const double baseline = is_above(panel) ? y.to - 4 : y.to + 14;
    text(panel.y_title, x.from + 6, baseline, kFont, Anchor::left, kFaint);
  }

  // Fills each run of rows that has both bounds.
  void draw_band(const Band& band, const Axis& x, const Axis& y) {
    color(band.color);
    const auto shown = [&](std::size_t i) { return y.shows(band.lower[i]) && y.shows(band.upper[i]); };
    for (std::size_t begin = 0; begin < band.x.size();) {
      if (!shown(begin)) {
        ++begin;
        continue;
      }
      std::size_t end = begin;
      while (end < band.x.size() && shown(end)) ++end;
      for (std::size_t i = begin; i < end; ++i) cairo_line_to(cairo_, x.at(band.x[i]), y.at(band.upper[i]));
      for (std::size_t i = end; i-- > begin;) cairo_line_to(cairo_, x.at(band.x[i]), y.at(band.lower[i]));
      cairo_close_path(cairo_);
      cairo_fill(cairo_);
      begin = end;
    }
  }

  void draw_bars(const Bars& bars, const Axis& x, const Axis& y) {
    color(bars.color);
    const double base = y.log ? y.from : y.at(std::clamp(0.0, y.low, y.high));
    for (std::size_t i = 0; i < bars.x.size(); ++i) {
      if (!y.shows(bars.y[i])) continue;
      const double left = x.at(bars.x[i] - bars.width / 2);
      const double width = std::max(x.at(bars.x[i] + bars.width / 2) - left, 0.3);
      const double end = y.at(bars.y[i]);
      cairo_rectangle(cairo_, left, std::min(base, end), width, std::abs(base - end));
    }
    cairo_fill(cairo_);
  }

  void draw_line(const Line& line, const Axis& x, const Axis& y) {
    color(line.color);
    cairo_set_line_width(cairo_, line.width);
    cairo_set_line_join(cairo_, CAIRO_LINE_JOIN_ROUND);
    const double dash[] = {4, 3};
    cairo_set_dash(cairo_, dash, line.dashed ? 2 : 0, 0);
    Dots lone{.label = {}, .x = {}, .y = {}, .color = line.color, .radius = std::max(1.5, line.width)};
    const auto shows = [&](std::size_t i) { return i < line.x.size() && y.shows(line.y[i]); };
    bool open = false;
    for (std::size_t i = 0; i < line.x.size(); ++i) {
      if (!shows(i)) {
        open = false;
        continue;
      }
      if (open) {
        cairo_line_to(cairo_, x.at(line.x[i]), y.at(line.y[i]));
      } else {
        cairo_move_to(cairo_, x.at(line.x[i]), y.at(line.y[i]));
      }
      if (!open && !shows(i + 1)) {  // a line of one point has no length
        lone.x.push_back(line.x[i]);
        lone.y.push_back(line.y[i]);
      }
      open = true;
    }
    cairo_stroke(cairo_);
    cairo_set_dash(cairo_, nullptr, 0, 0);
    draw_dots(lone, x, y);
  }

  void draw_dots(const Dots& dots, const Axis& x, const Axis& y) {
    color(dots.color);
    for (std::size_t i = 0; i < dots.x.size(); ++i) {
      if (!y.shows(dots.y[i])) continue;
      const double px = x.at(dots.x[i]);
      const double py = y.at(dots.y[i]);
      // A square costs an SVG a tenth of a circle's bytes, and at this size nobody can tell.
      cairo_rectangle(cairo_, px - dots.radius, py - dots.radius, 2 * dots.radius, 2 * dots.radius);
    }
    cairo_fill(cairo_);
  }

  void draw_mark(const Mark& mark, const Axis& x, const Axis& y) {
    const double at = x.at(mark.x);
    const double dash[] = {2, 3};
    color(kFaint);
    cairo_set_line_width(cairo_, 1);
    cairo_set_dash(cairo_, dash, 2, 0);
    cairo_move_to(cairo_, at, y.from);
    cairo_line_to(cairo_, at, y.to);
    cairo_stroke(cairo_);
    cairo_set_dash(cairo_, nullptr, 0, 0);
    const bool room = at + 6 + width_of(mark.label, kFont) < x.to;
    text(mark.label, room ? at + 4 : at - 4, y.to + 14, kFont, room ? Anchor::left : Anchor::right, kFaint);
  }

  cairo_t* cairo_;
};

cairo_status_t append(void* target, const unsigned char* data, unsigned int length) {
  static_cast<std::string*>(target)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

Status cairo_error(cairo_status_t status) {
  if (status == CAIRO_STATUS_SUCCESS) return {};
  return fail(ErrorCode::internal,
              fmt::format("Cairo cannot draw the chart ({})", cairo_status_to_string(status)));
}

// Cairo numbers its surfaces in a counter of the whole process and writes that number into the file.
void forget_surface_numbers(std::string& svg) {
  static constexpr std::string_view kPrefix = "\"surface";
  for (std::size_t at = svg.find(kPrefix); at != std::string::npos; at = svg.find(kPrefix, at + 1)) {
    const std::size_t digits = at + kPrefix.size();
    std::size_t end = digits;
    while (end < svg.size() && svg[end] >= '0' && svg[end] <= '9') ++end;
    svg.replace(digits, end - digits, "1");
  }
}

}  // namespace

Color palette(std::size_t index) {
  static constexpr Color kColors[] = {{0.00, 0.45, 0.70, 1}, {0.90, 0.62, 0.00, 1}, {0.00, 0.62, 0.45, 1},
                                      {0.84, 0.37, 0.00, 1}, {0.80, 0.47, 0.65, 1}, {0.34, 0.71, 0.91, 1},
                                      {0.94, 0.89, 0.26, 1}, {0.40, 0.40, 0.44, 1}};
  return kColors[index % std::size(kColors)];
}

Color faded(Color color, double alpha) {
  color.alpha = alpha;
  return color;
}

Result<std::string> to_svg(const Chart& chart) {
  CHANDLER_TRY(check(chart));
  std::string bytes;
  const Surface surface(cairo_svg_surface_create_for_stream(&append, &bytes, chart.width, chart.height));
  {
    const Context context(cairo_create(surface.get()));
    Painter(context.get()).draw(chart);
    CHANDLER_TRY(cairo_error(cairo_status(context.get())));
  }
  cairo_surface_finish(surface.get());
  CHANDLER_TRY(cairo_error(cairo_surface_status(surface.get())));
  forget_surface_numbers(bytes);
  return bytes;
}

Result<std::string> to_png(const Chart& chart) {
  CHANDLER_TRY(check(chart));
  const Surface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24,
                                                   static_cast<int>(chart.png_scale * chart.width),
                                                   static_cast<int>(chart.png_scale * chart.height)));
  const Context context(cairo_create(surface.get()));
  cairo_scale(context.get(), chart.png_scale, chart.png_scale);
  Painter(context.get()).draw(chart);
  CHANDLER_TRY(cairo_error(cairo_status(context.get())));
  cairo_surface_flush(surface.get());
  const int width = cairo_image_surface_get_width(surface.get());
  const int height = cairo_image_surface_get_height(surface.get());
  const int stride = cairo_image_surface_get_stride(surface.get());
  const std::size_t bytes = static_cast<std::size_t>(stride) * static_cast<std::size_t>(height);
  return encode_png({cairo_image_surface_get_data(surface.get()), bytes}, width, height, stride);
}

}  // namespace chandler::plot
