#include "speed/rejection.hpp"

#include <array>
#include <string>

#include "base/log.hpp"

namespace chandler::speed {
namespace {

constexpr std::uint64_t kNamed = 20;
constexpr std::size_t kExcerpt = 120;

struct Text {
  std::string_view name, clause;
};
constexpr std::array<Text, kRejections> kTexts = {{
    {"too_large", "the message is far too long"},
    {"not_json", "the message is not JSON"},
    {"wrong_shape", "a field is missing or has the wrong type"},
    {"bad_number", "no candle can have these numbers"},
    {"bad_symbol", "the symbol is not one"},
    {"other_interval", "the candle is not of one minute"},
    {"bad_time", "the event's time does not go with its candle or lies in the future"},
    {"other_event", "the event is of another kind"},
    {"key_differs", "the message's key is not the event's symbol"},
    {"unknown_symbol", "the symbol is not one of those asked for"},
}};

Rejection rejection_of(exchange::EventFault fault) {
  using enum exchange::EventFault;
  switch (fault) {
    case too_large:
      return Rejection::too_large;
    case not_json:
      return Rejection::not_json;
    case wrong_shape:
      return Rejection::wrong_shape;
    case bad_number:
      return Rejection::bad_number;
    case bad_symbol:
      return Rejection::bad_symbol;
    case other_interval:
      return Rejection::other_interval;
    case bad_time:
      return Rejection::bad_time;
  }
  return Rejection::wrong_shape;
}

// What a terminal can show of a foreign message.
std::string excerpt(std::string_view payload) {
  std::string text;
  for (const char c : payload.substr(0, kExcerpt)) text += c >= ' ' && c < 0x7f ? c : '?';
  return payload.size() > kExcerpt ? text + "…" : text;
}

}  // namespace

std::string_view name(Rejection rejection) {
  return kTexts[static_cast<std::size_t>(rejection)].name;
}
std::string_view describe(Rejection rejection) {
  return kTexts[static_cast<std::size_t>(rejection)].clause;
}

std::optional<Rejection> rejection_of(const exchange::StreamEventParser& parser, exchange::EventKind kind,
                                      exchange::EventKind wanted) {
  if (kind == wanted) return std::nullopt;
  return kind == exchange::EventKind::refused ? rejection_of(parser.fault()) : Rejection::other_event;
}

void RejectionLog::name(std::string_view source, std::string_view payload, Rejection why) {
  if (++named_ > kNamed) return;
  spdlog::warn("rejected {}: {}: {}{}", source, describe(why), excerpt(payload),
               named_ == kNamed ? " (further ones are only counted and put aside)" : "");
}

}  // namespace chandler::speed
