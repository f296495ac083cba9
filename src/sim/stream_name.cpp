#include "sim/stream_name.hpp"

namespace chandler::sim {

std::optional<StreamName> parse_stream_name(std::string_view text) {
  if (text == "!ticker@arr") return StreamName{StreamKind::all_tickers, {}, {}};
  if (text == "!miniTicker@arr") return StreamName{StreamKind::all_mini_tickers, {}, {}};
  const auto at = text.find('@');
  if (at == std::string_view::npos || at == 0 || at > 20) return std::nullopt;
  StreamName name;
  for (const char c : text.substr(0, at)) {
    const bool known = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!known) return std::nullopt;
    name.symbol += c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  const std::string_view channel = text.substr(at + 1);
  if (channel == "ticker" || channel == "miniTicker") {
    name.kind = channel == "ticker" ? StreamKind::ticker : StreamKind::mini_ticker;
    return name;
  }
  constexpr std::string_view kKline = "kline_";
  if (!channel.starts_with(kKline)) return std::nullopt;
  const auto interval = candles::parse_interval(channel.substr(kKline.size()));
  if (!interval) return std::nullopt;
  name.interval = *interval;
  return name;
}

}  // namespace chandler::sim
