#include "batch/report_charts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/parallel.hpp"
#include "plot/chart.hpp"

namespace chandler::batch {
namespace {

constexpr std::size_t kRecentDays = 90;
// More lines than this can't be told apart.
constexpr std::size_t kMostCompared = 8;

std::vector<double> numbers(std::span<const std::int32_t> dates) {
  return {dates.begin(), dates.end()};
}

plot::Chart history_chart(const SymbolHistory& history, std::size_t first, std::string title) {
  const auto& d = history.days;
  const auto from = [first](const auto& column) {
    return std::vector<double>(column.begin() + static_cast<std::ptrdiff_t>(first), column.end());
  };
  const std::vector<double> x = from(d.date);
  std::vector<double> close = from(d.close), volume = from(d.volume);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (d.filled[first + i] == 0) continue;
    close[i] = candles::kUnknown;
    volume[i] = candles::kUnknown;
  }
  plot::Chart chart;
  chart.title = std::move(title);
  chart.subtitle = fmt::format("{} to {}, UTC days", format_day(from_day_number(d.date[first])),
                               format_day(from_day_number(d.date.back())));
  plot::Panel price{.y_title = "close", .weight = 3};
  price.lines.push_back({.label = "close", .x = x, .y = std::move(close), .color = plot::palette(0)});
  price.lines.push_back({.label = "MA7", .x = x, .y = from(d.ma7), .color = plot::palette(1), .width = 1});
  price.lines.push_back({.label = "MA30", .x = x, .y = from(d.ma30), .color = plot::palette(2), .width = 1});
  plot::Panel traded{.y_title = "volume"};
  traded.bars.push_back({.x = x, .y = std::move(volume), .color = plot::faded(plot::palette(7), 0.7)});
  chart.panels = {std::move(price), std::move(traded)};
  return chart;
}

// The first day on which all of them have a row; daily_filled has no missing days, so the latest first day is
// it.
std::optional<std::int32_t> common_first_day(const std::vector<const SymbolHistory*>& histories) {
  std::int32_t first = 0, last = std::numeric_limits<std::int32_t>::max();
  for (const auto* h : histories) {
    first = std::max(first, h->days.date.front());
    last = std::min(last, h->days.date.back());
  }
  if (first > last) return std::nullopt;
  return first;
}

// `of` is how many symbols there are, of which `histories` are shown.
plot::Chart comparison_chart(const std::vector<const SymbolHistory*>& histories, std::size_t of) {
  const auto common = common_first_day(histories);
  plot::Chart chart;
  chart.title = "Comparison";
  chart.subtitle = common ? fmt::format("close, 100 on {}", format_day(from_day_number(*common)))
                          : "close, 100 on each one's first day";
  if (histories.size() < of)
    chart.subtitle += fmt::format("; the {} longest histories of {}", histories.size(), of);
  plot::Panel panel{.y_title = "close, common scale", .log_scale = true};
  for (std::size_t i = 0; i < histories.size(); ++i) {
    const auto& d = histories[i]->days;
    const std::size_t base = common ? static_cast<std::size_t>(*common - d.date.front()) : 0;
    std::vector<double> y(d.close);
    for (std::size_t row = 0; row < y.size(); ++row) {
      y[row] = d.filled[row] != 0 ? candles::kUnknown : d.close[row] / d.close[base] * 100;
    }
    panel.lines.push_back(
        {.label = histories[i]->symbol, .x = numbers(d.date), .y = std::move(y), .color = plot::palette(i)});
  }
  chart.panels.push_back(std::move(panel));
  return chart;
}

struct Planned {
  ReportPlot plot;
  std::function<plot::Chart()> chart;
};

Status draw(Planned& planned, const KeepPicture& keep) {
  const plot::Chart chart = planned.chart();
  ReportPlot& plot = planned.plot;
  CHANDLER_ASSIGN(std::string png, plot::to_png(chart));
  CHANDLER_TRY(keep(plot.name + ".png", std::move(png)));
  CHANDLER_ASSIGN(std::string svg, plot::to_svg(chart));
  if (plot.on_page) plot.svg = svg;
  return keep(plot.name + ".svg", std::move(svg));
}

}  // namespace

Result<std::vector<ReportPlot>> report_plots(const std::vector<SymbolHistory>& histories,
                                             const KeepPicture& keep, Progress& progress,
                                             std::stop_token stop) {
  std::vector<Planned> planned;
  std::vector<const SymbolHistory*> drawn;
  for (const SymbolHistory& h : histories) {
    if (h.days.size() == 0) continue;
    drawn.push_back(&h);
    planned.push_back({{h.symbol + "_history", h.symbol, true, {}},
                       [&h] { return history_chart(h, 0, h.symbol + ": whole history"); }});
    const std::size_t first = h.days.size() - std::min(h.days.size(), kRecentDays);
    const bool same = first == 0;  // a page need not show it twice
    planned.push_back({{h.symbol + "_last_90_days", h.symbol, !same, {}},
                       [&h, first] { return history_chart(h, first, h.symbol + ": last 90 days"); }});
  }
  if (drawn.size() > 1) {
    // The longest histories say most; among many they are the ones that are shown.
    std::ranges::stable_sort(drawn, std::ranges::greater{}, [](const auto* h) { return h->days.size(); });
    const std::size_t all = drawn.size();
    drawn.resize(std::min(all, kMostCompared));
    planned.push_back({{"comparison", {}, true, {}}, [&drawn, all] { return comparison_chart(drawn, all); }});
    for (Planned& p : planned) {
      p.plot.on_page &= p.plot.symbol.empty() ||
                        std::ranges::any_of(drawn, [&](const auto* h) { return h->symbol == p.plot.symbol; });
    }
  }
  progress.begin("drawing", planned.size(), "pictures");
  CHANDLER_TRY(parallel_for(planned.size(), core_count(), [&](std::size_t i) -> Status {
    if (stop.stop_requested())
      return fail(ErrorCode::interrupted, "interrupted; the report's tables and page were not written");
    if (Status status = draw(planned[i], keep); !status) return status;
    progress.advance(1);
    return {};
  }));
  progress.end();
  std::vector<ReportPlot> plots;
  for (Planned& p : planned) plots.push_back(std::move(p.plot));
  return plots;
}

}  // namespace chandler::batch
