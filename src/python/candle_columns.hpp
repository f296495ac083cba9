// Candles as named columns, in the order and with the names of the command line's Parquet output.
#pragma once

#include <string>
#include <vector>

#include "candles/interval.hpp"
#include "lake/table_file.hpp"
#include "serving/candle_query.hpp"

namespace chandler::python {

// open_time, prices, volumes, trades; then minutes, filled and provisional as far as they are there.
std::vector<lake::Column> candle_columns(const serving::Candles& candles);

// The named ones, in the order of the names, which must be there.
std::vector<lake::Column> pick(const std::vector<lake::Column>& columns,
                               const std::vector<std::string>& names);

Result<candles::Interval> interval_named(const std::string& name);

}  // namespace chandler::python
