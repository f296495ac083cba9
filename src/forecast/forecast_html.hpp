// A page that a person can explore without a server: zoom, pan, and read every value under the pointer.
#pragma once

#include <string>

#include "forecast/forecast_result.hpp"

namespace chandler::forecast {

// One self-contained document; it loads nothing.
std::string forecast_html(const SymbolForecast& forecast);

}  // namespace chandler::forecast
