// Candles of any interval, as the CLI, the API and the dashboard show them.
#pragma once

#include <functional>

#include "serving/symbol_series.hpp"

namespace chandler::serving {

// Hands over the candles in order, piece by piece (a month of minutes at a time), so that a history of any
// length passes in bounded memory; an error of the sink ends the work and is returned. Intervals below a day
// are rolled up from minutes, longer ones from days, whatever the days come from: so every path gives the
// same values.
Status serve(const SymbolSeries& series, const CandleQuery& query,
             const std::function<Status(Candles&&)>& sink);

// All at once.
Result<Candles> read_candles(const SymbolSeries& series, const CandleQuery& query);

// The newest `count` candles that the query allows; reads no more of the history than it takes.
Result<Candles> read_last(const SymbolSeries& series, CandleQuery query, std::size_t count);

}  // namespace chandler::serving
