// Why a message is put aside: counted, named in the log and shown, whoever received it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "exchange/stream_event.hpp"

namespace chandler::speed {

enum class Rejection : std::uint8_t {
  too_large,
  not_json,
  wrong_shape,
  bad_number,
  bad_symbol,
  other_interval,
  bad_time,  // does not go with its candle, or lies in the future
  other_event,
  key_differs,     // the message's key is not the event's symbol
  unknown_symbol,  // not one of those that were asked for
};
inline constexpr std::size_t kRejections = 10;
std::string_view name(Rejection rejection);      // too_large: the label of the metric
std::string_view describe(Rejection rejection);  // a clause for people

// Of what the parser made of a message where an event of the kind `wanted` was expected; nullopt: it is one.
std::optional<Rejection> rejection_of(const exchange::StreamEventParser& parser, exchange::EventKind kind,
                                      exchange::EventKind wanted);

// Names rejected messages in the log: the first ones, since a broken source sends them by the thousand.
class RejectionLog {
 public:
  // source: where it came from, e.g. "klines/0 offset 17".
  void name(std::string_view source, std::string_view payload, Rejection why);

 private:
  std::uint64_t named_ = 0;
};

}  // namespace chandler::speed
