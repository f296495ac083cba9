#include "web/table_json.hpp"

#include <cmath>

namespace chandler::web {

using Json = nlohmann::ordered_json;

std::vector<ColumnInfo> columns_of(const lake::TableFile& file) {
  std::vector<ColumnInfo> columns;
  for (std::string text : file.schema()) {
    ColumnInfo column;
    column.nullable = text.ends_with('?');
    if (column.nullable) text.pop_back();
    const std::size_t space = text.rfind(' ');
    column.type = text.substr(0, space);
    column.name = text.substr(space + 1);
    columns.push_back(std::move(column));
  }
  return columns;
}

Result<nlohmann::ordered_json> values_of(lake::TableFile& file, const ColumnInfo& column, std::size_t first,
                                         std::size_t last) {
  Json list = Json::array();
  if (column.type == "timestamp" || column.type == "int64") {
    std::vector<std::int64_t> values;
    CHANDLER_TRY(file.read(column.name, values));
    for (std::size_t i = first; i < last; ++i) {
      list.push_back(values[i] == candles::kUnknownTrades ? Json(nullptr) : Json(values[i]));
    }
  } else if (column.type == "date" || column.type == "int32") {
    std::vector<std::int32_t> values;
    CHANDLER_TRY(file.read(column.name, values));
    for (std::size_t i = first; i < last; ++i) {
      list.push_back(column.type == "date" ? Json(format_day(from_day_number(values[i]))) : Json(values[i]));
    }
  } else if (column.type == "double") {
    std::vector<double> values;
    CHANDLER_TRY(file.read(column.name, values));
    for (std::size_t i = first; i < last; ++i)
      list.push_back(std::isnan(values[i]) ? Json(nullptr) : Json(values[i]));
  } else if (column.type == "boolean") {
    std::vector<std::uint8_t> values;
    CHANDLER_TRY(file.read(column.name, values));
    for (std::size_t i = first; i < last; ++i) list.push_back(values[i] != 0);
  } else {
    std::vector<candles::Source> values;
    CHANDLER_TRY(file.read(column.name, values));
    for (std::size_t i = first; i < last; ++i) list.push_back(candles::name(values[i]));
  }
  return list;
}

}  // namespace chandler::web
