// Binance's JSON, parsed. Pure: bytes in, values out, never a crash whatever the bytes. An error says
// invalid_data with "byte N" as its place. Shapes: Binance spot REST documentation, "Market data endpoints"
// and "General endpoints", and recorded payloads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "candles/interval.hpp"
#include "candles/klines.hpp"

namespace chandler::exchange {

struct KlinePage {
  candles::Klines rows;                  // as received: not yet cleaned; every row's source is Source::rest
  std::vector<std::int64_t> close_time;  // ms, one per row; the last millisecond inside the candle
};

// An array of arrays of at least 11 fields (the twelfth is unused). Prices and volumes may be strings or
// numbers and become the nearest double; times may be in s, ms, µs or ns, told apart by magnitude. Values
// that are not finite and times that are not whole are errors.
Result<KlinePage> parse_klines(std::string_view json);

// Rows whose close time is not the end of their candle: the exchange truncates it around outages. The open
// time names the candle, so nothing else has to change.
std::size_t count_truncated(const KlinePage& page, candles::Interval interval);

// {"serverTime": 1499827319559}
Result<Timestamp> parse_server_time(std::string_view json);

struct SymbolInfo {
  std::string symbol;  // BTCUSDT
  std::string base;    // BTC
  std::string quote;   // USDT
  std::string status;  // TRADING, BREAK, HALT, …
  bool trading() const { return status == "TRADING"; }
};

struct ExchangeInfo {
  std::vector<SymbolInfo> symbols;
  int weight_per_minute =
      0;  // limit of REQUEST_WEIGHT, scaled to one minute; 0 where the exchange names none
};

Result<ExchangeInfo> parse_exchange_info(std::string_view json);

struct ApiError {
  int code = 0;     // negative, e.g. -1121
  std::string msg;  // "Invalid symbol."
};

// {"code": -1121, "msg": "Invalid symbol."}; an error where the body is something else.
Result<ApiError> parse_error(std::string_view json);

}  // namespace chandler::exchange
