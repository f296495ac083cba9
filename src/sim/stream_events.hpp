// What a stream says between two instants. Pure. Format and cadence: Binance's "WebSocket Streams"
// documentation and recorded messages.
#pragma once

#include <string>
#include <vector>

#include "sim/market.hpp"
#include "sim/stream_name.hpp"

namespace chandler::sim {

struct StreamEvent {
  Timestamp time;       // "E"
  std::string json;     // without the envelope of combined streams
  bool closes = false;  // a candle's last word
};

struct StreamCadence {
  Millis klines{2000};
  Millis tickers{1000};
};

// Events in (from, to], oldest first: every candle that closed (of a very long span the latest 1500 only),
// and of the updates in between the latest, because each says all that the ones before it said.
std::vector<StreamEvent> stream_events(const Market& market, const StreamName& stream,
                                       const StreamCadence& cadence, Timestamp from, Timestamp to);

// No event of the stream lies in (after, result): the next instant at which there may be one.
Timestamp next_stream_event(const StreamName& stream, const StreamCadence& cadence, Timestamp after);

}  // namespace chandler::sim
