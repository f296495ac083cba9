#include "python/candle_columns.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lake/kline_file.hpp"

namespace chandler::python {

std::vector<lake::Column> candle_columns(const serving::Candles& c) {
  using enum lake::ColumnType;
  auto columns = lake::kline_columns(c.rows);
  std::erase_if(columns, [](const lake::Column& column) { return column.name == "source"; });
  const std::size_t rows = c.rows.size();
  if (c.minutes.size() == rows) columns.push_back({"minutes", int32, false, std::span(c.minutes)});
  if (c.filled.size() == rows) columns.push_back({"filled", boolean, false, std::span(c.filled)});
  if (c.provisional.size() == rows)
    columns.push_back({"provisional", boolean, false, std::span(c.provisional)});
  return columns;
}

std::vector<lake::Column> pick(const std::vector<lake::Column>& columns,
                               const std::vector<std::string>& names) {
  std::vector<lake::Column> picked;
  for (const std::string& name : names) {
    const auto it = std::ranges::find(columns, name, &lake::Column::name);
    if (it != columns.end()) picked.push_back(*it);
  }
  return picked;
}

Result<candles::Interval> interval_named(const std::string& name) {
  if (const auto interval = candles::parse_interval(name)) return *interval;
  std::string known;
  for (const auto i : candles::kIntervals)
    known += fmt::format("{}{}", known.empty() ? "" : " ", candles::name(i));
  return fail(ErrorCode::usage, fmt::format("'{}' is no interval", name), {}, "one of " + known);
}

}  // namespace chandler::python
