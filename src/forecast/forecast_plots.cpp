#include "forecast/forecast_plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace chandler::forecast {
namespace {

using plot::Band;
using plot::Chart;
using plot::faded;
using plot::Line;
using plot::palette;
using plot::Panel;

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

std::vector<double> as_x(std::span<const std::int32_t> day) {
  return {day.begin(), day.end()};
}

// A missing day breaks the line.
Line closes(const SymbolForecast& forecast, std::int32_t from) {
  Line line{.label = "close", .color = palette(7), .width = 1};
  for (std::size_t i = 0; i < forecast.data.day.size(); ++i) {
    if (forecast.data.day[i] < from) continue;
    if (!line.x.empty() && forecast.data.day[i] > line.x.back() + 1) {
      line.x.push_back(line.x.back() + 0.5);
      line.y.push_back(kNothing);
    }
    line.x.push_back(forecast.data.day[i]);
    line.y.push_back(forecast.data.close[i]);
  }
  return line;
}

std::string warning(const SymbolForecast& forecast) {
  return forecast.options.same_day_regressors ? " · same-day regressors: NOT a forecast error" : "";
}

}  // namespace

Chart forecast_chart(const SymbolForecast& forecast) {
  const Published& best = forecast.best;
  Chart chart{.title = fmt::format("{}: the next {} days", forecast.data.symbol, best.day.size()),
              .subtitle = fmt::format("{}, intervals from {} measured origins", label(forecast.saved()),
                                      forecast.evaluation.rolling.origins.size()) +
                          warning(forecast)};
  Panel& panel = chart.panels.emplace_back(Panel{.y_title = "close"});
  const std::vector<double> x = as_x(best.day);
  panel.bands.push_back({.label = "95%",
                         .x = x,
                         .lower = best.lower95,
                         .upper = best.upper95,
                         .color = faded(palette(0), 0.12)});
  panel.bands.push_back({.label = "80%",
                         .x = x,
                         .lower = best.lower80,
                         .upper = best.upper80,
                         .color = faded(palette(0), 0.25)});
  panel.lines.push_back(closes(forecast, best.day.front() - 366));
  panel.lines.push_back(
      {.label = label(forecast.saved()), .x = x, .y = best.yhat, .color = palette(0), .width = 1.8});
  if (forecast.prophet) {
    const std::vector<double>& yhat = forecast.prophet->prediction.yhat;
    panel.lines.push_back({.label = label(forecast.prophet->candidate),
                           .x = x,
                           .y = {yhat.end() - static_cast<std::ptrdiff_t>(x.size()), yhat.end()},
                           .color = palette(1),
                           .dashed = true});
  }
  return chart;
}

Chart test_chart(const SymbolForecast& forecast) {
  const RollingOrigins& rolling = forecast.evaluation.rolling;
  const CandidateResult& saved = forecast.candidates[forecast.choice.saved];
  Chart chart{.title = fmt::format("{}: forecasts of the untouched days", forecast.data.symbol),
              .subtitle = fmt::format("{}: MASE {:.2f}, MAPE {:.2f}%, 80% interval covered {:.0f}%",
                                      label(forecast.saved()), saved.test.mase, saved.test.mape,
                                      100 * saved.test.coverage80) +
                          warning(forecast)};
  Panel& panel = chart.panels.emplace_back(Panel{.y_title = "close"});
  panel.lines.push_back(closes(forecast, rolling.last_training_day - 60));
  const std::vector<double>& point = forecast.evaluation.forecasts[forecast.choice.saved].point;
  for (std::size_t o = rolling.training; o < rolling.origins.size(); ++o) {
    // Every other horizon would overlap: forecasts that begin where the last one ended.
    const std::size_t stride = std::max<std::size_t>(
        1, static_cast<std::size_t>((rolling.horizon + forecast.rolling_options.period - 1) /
                                    forecast.rolling_options.period));
    if ((o - rolling.training) % stride != 0) continue;
    const bool first = o == rolling.training;
    Line line{.label = first ? "forecast from each origin" : "", .color = palette(0), .width = 1.6};
    Band band{.label = first ? "80%" : "", .color = faded(palette(0), 0.2)};
    for (int h = 1; h <= rolling.horizon; ++h) {
      const std::size_t i = o * rolling.steps() + static_cast<std::size_t>(h - 1);
      line.x.push_back(rolling.origins[o].day + h);
      line.y.push_back(point[i]);
      band.lower.push_back(forecast.best_intervals.lower80[i]);
      band.upper.push_back(forecast.best_intervals.upper80[i]);
    }
    band.x = line.x;
    panel.bands.push_back(std::move(band));
    panel.lines.push_back(std::move(line));
  }
  panel.marks.push_back({static_cast<double>(rolling.last_training_day), "untouched from here"});
  return chart;
}

std::optional<Chart> components_chart(const SymbolForecast& forecast) {
  if (!forecast.prophet) return std::nullopt;
  const ProphetView& view = *forecast.prophet;
  Chart chart{.title = fmt::format("{}: Prophet's components", forecast.data.symbol),
              .subtitle = label(view.candidate) + ", fitted to the whole history"};
  const std::vector<double> x = as_x(view.day);
  Panel& fit = chart.panels.emplace_back(Panel{.y_title = "fit and trend", .weight = 2});
  fit.dots.push_back({.label = "close",
                      .x = {x.begin(), x.begin() + static_cast<std::ptrdiff_t>(forecast.data.close.size())},
                      .y = forecast.data.close,
                      .color = faded(palette(7), 0.6),
                      .radius = 0.8});
  fit.lines.push_back({.label = "fit", .x = x, .y = view.prediction.yhat, .color = palette(0)});
  fit.lines.push_back(
      {.label = "trend", .x = x, .y = view.prediction.trend, .color = palette(1), .width = 1.8});
  std::size_t color = 2;
  for (const ProphetComponent& component : view.prediction.components) {
    // One holiday alone is the same as all of them together.
    if (component.name == "holidays" && forecast.data.holidays.size() == 1) continue;
    Panel& panel = chart.panels.emplace_back(Panel{
        .y_title = component.name + (component.mode == Mode::multiplicative ? ", share of the trend" : ""),
        .weight = 1});
    // A week's pattern repeats: the last eight show it, on an axis of their own.
    if (component.name == "weekly") {
      panel.x_low = x.back() - 55;
      panel.x_high = x.back();
      panel.weight = 1.15;
    }
    panel.lines.push_back(
        {.label = "", .x = x, .y = component.effect, .color = palette(color++), .width = 0.8});
  }
  chart.height = 260 + 110 * static_cast<int>(chart.panels.size());
  return chart;
}

}  // namespace chandler::forecast
