// Names of market data streams: btcusdt@kline_1m, btcusdt@ticker, btcusdt@miniTicker, !ticker@arr,
// !miniTicker@arr.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "candles/interval.hpp"

namespace chandler::sim {

enum class StreamKind { kline, ticker, mini_ticker, all_tickers, all_mini_tickers };

struct StreamName {
  StreamKind kind = StreamKind::kline;
  std::string symbol;  // upper case; empty for all of them
  candles::Interval interval = candles::Interval::m1;
};

// Nothing for a name that no stream has. The exchange takes such a subscription too and never sends anything.
std::optional<StreamName> parse_stream_name(std::string_view text);

}  // namespace chandler::sim
