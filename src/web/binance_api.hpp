// /api/v3 as Binance answers it, over the lake: a client of the exchange reads the lake by changing its base
// URL. No weights, limits or bans.
#pragma once

#include "web/front.hpp"
#include "web/sources.hpp"

namespace chandler::web {

// ping, time, exchangeInfo, klines, uiKlines and ticker/24hr: parameters, defaults, limits, errors and number
// formats as in Binance's "REST API" documentation. Values that the lake does not know are sent as zero.
void add_binance_api(Front& front, const Sources& sources);

}  // namespace chandler::web
