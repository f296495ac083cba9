// What a person should know before believing a forecast.
#pragma once

#include <string>

#include "forecast/forecast_result.hpp"

namespace chandler::forecast {

// Markdown: the verdict first; then what was fitted on what range, how it was chosen, how it was measured,
// what the figures are, and what they do not say.
std::string model_card(const SymbolForecast& forecast);

}  // namespace chandler::forecast
