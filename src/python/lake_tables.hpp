// The lake's smaller tables, whole in memory.
#pragma once

#include "lake/storage.hpp"
#include "python/table.hpp"

namespace chandler::python {

// All symbols where none is named; not_found for one that is not there.
Result<Batches> status_table(const lake::Storage& storage, const std::vector<std::string>& symbols);
Result<Batches> gaps_table(const lake::Storage& storage, const std::vector<std::string>& symbols,
                           std::int64_t min_minutes);

// The run that forecasts/latest.json names. not_found if there is none.
Result<std::string> latest_run(const lake::Storage& storage);
// SYMBOL_forecast.parquet of a run as it is.
Result<Batches> forecast_table(const lake::Storage& storage, const std::string& run,
                               const std::string& symbol);
// metrics.csv of a run; all symbols if `symbol` is empty.
Result<Batches> metrics_table(const lake::Storage& storage, const std::string& run,
                              const std::string& symbol);

}  // namespace chandler::python
