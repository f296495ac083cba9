// Columns of any Parquet file of the lake as JSON values.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "lake/table_file.hpp"

namespace chandler::web {

struct ColumnInfo {
  std::string type;  // timestamp, date, int32, int64, double, boolean, string
  std::string name;
  bool nullable = false;
};

std::vector<ColumnInfo> columns_of(const lake::TableFile& file);
// A column's rows [first, last), by its type: instants as ms, days as text, unknown as null. `last` is at
// most rows().
Result<nlohmann::ordered_json> values_of(lake::TableFile& file, const ColumnInfo& column, std::size_t first,
                                         std::size_t last);

}  // namespace chandler::web
