// Lines over days or instants as SVG, by the drawing code of reports and forecasts.
#include "plot/chart.hpp"

#include <fmt/format.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "python/arrow_border.hpp"
#include "python/errors.hpp"
#include "python/kline_input.hpp"
#include "python/modules.hpp"

namespace nb = nanobind;

namespace chandler::python {
namespace {

// Days since 1970, fractions included, from the first column of the batch that is a time.
Result<std::vector<double>> times_of(const arrow::RecordBatch& batch) {
  for (const char* name : {"open_time", "date", "ds", "start"}) {
    const auto column = find_column(batch, name);
    if (column == nullptr) continue;
    CHANDLER_ASSIGN(const auto view, instants(*column, name));
    std::vector<double> x;
    x.reserve(view.values.size());
    for (const std::int64_t ms : view.values)
      x.push_back(static_cast<double>(ms) / static_cast<double>(kDayMs));
    return x;
  }
  return fail(ErrorCode::invalid_data, "there is no column of times", {},
              "open_time, date, ds or start is one");
}

Result<std::vector<plot::Line>> lines_of(arrow::RecordBatchReader& reader,
                                         const std::vector<std::string>& names) {
  std::vector<plot::Line> lines(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    lines[i].label = names[i];
    lines[i].color = plot::palette(i);
  }
  for (;;) {
    CHANDLER_ASSIGN(const auto batch, next_batch(reader));
    if (batch == nullptr) return lines;
    CHANDLER_ASSIGN(const auto x, times_of(*batch));
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto column = find_column(*batch, names[i]);
      if (column == nullptr)
        return fail(ErrorCode::invalid_data, fmt::format("column '{}' is missing", names[i]));
      CHANDLER_ASSIGN(const auto y, numbers(*column, names[i]));
      lines[i].x.insert(lines[i].x.end(), x.begin(), x.end());
      lines[i].y.insert(lines[i].y.end(), y.values.begin(), y.values.end());
    }
  }
}

std::string plot_lines(nb::handle data, const std::vector<std::string>& columns, const std::string& title,
                       bool log, int width, int height) {
  const auto reader = batches_of(data);
  return without_gil([&]() -> Result<std::string> {
    plot::Chart chart;
    chart.title = title;
    chart.width = width;
    chart.height = height;
    plot::Panel& panel = chart.panels.emplace_back();
    panel.log_scale = log;
    CHANDLER_ASSIGN(panel.lines, lines_of(*reader, columns));
    return plot::to_svg(chart);
  });
}

}  // namespace

void bind_chart(nb::module_& module) {
  module.def("plot_lines", &plot_lines, nb::arg("data"), nb::arg("columns"), nb::arg("title"), nb::arg("log"),
             nb::arg("width"), nb::arg("height"));
}

}  // namespace chandler::python
