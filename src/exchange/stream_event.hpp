// Binance's WebSocket messages, parsed. Pure: bytes in, values out, never a crash whatever the bytes. Shapes:
// Binance spot "WebSocket Streams" documentation (kline and individual-symbol ticker payloads, raw and
// combined streams) and recorded messages.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/time.hpp"
#include "candles/klines.hpp"

namespace chandler::exchange {

// A 1m kline event. `symbol` points into the parser and is good until its next call.
struct KlineEvent {
  std::string_view symbol;
  Timestamp event_time;
  bool closed = false;
  candles::Kline kline;  // source: stream
};

// A 24-hour ticker event; prices of the rolling window that ends at close_time.
struct TickerEvent {
  std::string_view symbol;
  Timestamp event_time;
  Timestamp close_time;
  double price = 0, open = 0, high = 0, low = 0, volume = 0, quote_volume = 0;
  double price_change = 0, price_change_percent = 0;
  std::int64_t trades = 0;
};

enum class EventKind : std::uint8_t {
  kline,    // a 1m kline
  ticker,   // a 24-hour ticker
  answer,   // to SUBSCRIBE and the like: {"result":null,"id":1}
  other,    // a well-formed event of another stream
  refused,  // see fault()
};

// Why a message is not an event that can be used.
enum class EventFault : std::uint8_t {
  too_large,       // more bytes than any event has
  not_json,        //
  wrong_shape,     // a field is missing or has the wrong type
  bad_number,      // a number that no candle can have: not finite, off the grid, high below low, …
  bad_symbol,      // not a name that a symbol can have
  other_interval,  // a kline, but not of one minute
  bad_time,        // the event's time does not go with its candle's
};
inline constexpr std::size_t kEventFaults = 7;
std::string_view describe(EventFault fault);

// Bytes beyond which a message is not looked at: events are some hundred bytes long.
inline constexpr std::size_t kMaxEventBytes = 16 * 1024;

// Keeps its buffers from call to call: nothing is allocated per message. Not thread safe.
class StreamEventParser {
 public:
  StreamEventParser();
  StreamEventParser(StreamEventParser&&) noexcept;
  StreamEventParser& operator=(StreamEventParser&&) noexcept;
  ~StreamEventParser();

  // A raw event, or one wrapped by a combined stream: {"stream":"btcusdt@kline_1m","data":{…}}.
  EventKind parse(std::string_view message);

  const KlineEvent& kline() const;    // after EventKind::kline
  const TickerEvent& ticker() const;  // after EventKind::ticker
  EventFault fault() const;           // after EventKind::refused
  // The event itself without a combined stream's wrapping; good until the next call.
  std::string_view event_json() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The exchange's JSON of a closed candle: what its stream would have said, for minutes that had to be fetched
// by REST. The event time is the end of the candle. Parses back to the same values.
std::string kline_event_json(std::string_view symbol, const candles::Kline& kline);

}  // namespace chandler::exchange
