// What a forecast counts as it goes, for whoever watches from another thread. The result has the final word.
#pragma once

#include <atomic>
#include <cstdint>

namespace chandler::forecast {

struct ForecastFigures {
  using Count = std::atomic<std::uint64_t>;
  Count symbols{0}, symbols_done{0};  // done: its files are written, or there is an error
  Count symbol_errors{0};             // symbols that could not be forecast
  Count forecasts{0};                 // of one model from one origin
};

}  // namespace chandler::forecast
