// The outputs that programs read.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "forecast/forecast_result.hpp"

namespace arrow {
class Buffer;
}

namespace chandler::forecast {

// SYMBOL_forecast.parquet: a row a day ahead. ds, yhat, yhat_lower, yhat_upper (80%), yhat_lower_95,
// yhat_upper_95 of the saved model; then Prophet's view of the same days, where it took part: prophet_yhat,
// prophet_yhat_lower, prophet_yhat_upper, trend, trend_lower, trend_upper, additive_terms,
// multiplicative_terms and its components.
Result<std::shared_ptr<arrow::Buffer>> forecast_table(const SymbolForecast& forecast);

// SYMBOL_components.parquet: Prophet's fit of the history and the days ahead: ds, y (null ahead), yhat, trend
// and components. Nothing where Prophet did not take part.
Result<std::shared_ptr<arrow::Buffer>> components_table(const SymbolForecast& forecast);

// SYMBOL_actual_vs_pred.csv: the saved model on the untouched days, a row for each origin and day: ds, yhat,
// y, error (y - yhat), abs_error, pct_error (percent of y), then origin, horizon, yhat_lower, yhat_upper.
std::string actual_vs_predicted(const SymbolForecast& forecast);

// metrics.csv: a row for each symbol and candidate. The columns named as the reference pipeline's come first.
// `kind` is `forecast`, or `same_day_regressors` where what was measured is no forecast error.
std::string metrics_table(const std::vector<SymbolForecast>& forecasts);
// metrics_by_horizon.csv: the best candidate of each family, by days ahead, on the untouched days.
std::string horizon_table(const std::vector<SymbolForecast>& forecasts);

// As metrics_table's column.
const char* kind(const SymbolForecast& forecast);

}  // namespace chandler::forecast
