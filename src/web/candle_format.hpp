// Candles as JSON columns, CSV and an Arrow IPC stream.
#pragma once

#include <string>

#include "candles/interval.hpp"
#include "serving/candle_query.hpp"

namespace chandler::web {

// {"symbol", "interval", "open_time": [ms…], "open": […], …, "filled": [0|1…], "provisional": [0|1…]};
// unknown is null.
std::string candles_json(std::string_view symbol, candles::Interval interval,
                         const serving::Candles& candles);
// With the header that `chandler candles --format csv` writes.
std::string candles_csv(const serving::Candles& candles);
// One schema, one record batch: open_time timestamp[ms, UTC], the numbers, minutes, filled, provisional.
Result<std::string> candles_arrow(const serving::Candles& candles);

}  // namespace chandler::web
