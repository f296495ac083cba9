// The charts of a forecast.
#pragma once

#include <optional>

#include "forecast/forecast_result.hpp"
#include "plot/chart.hpp"

namespace chandler::forecast {

// The last year and the days ahead, with both intervals.
plot::Chart forecast_chart(const SymbolForecast& forecast);

// The untouched days: closes, and what was forecast for them a week and a whole horizon before, with the
// interval.
plot::Chart test_chart(const SymbolForecast& forecast);

// Prophet's fit, trend, and one panel a component; nothing where Prophet did not take part.
std::optional<plot::Chart> components_chart(const SymbolForecast& forecast);

}  // namespace chandler::forecast
