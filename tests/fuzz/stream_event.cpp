// Messages of the exchange's WebSocket. Reference: nlohmann/json and strtod; what we write must read back.
#include "exchange/stream_event.hpp"

#include "candles/clean.hpp"
#include "fuzz_target.hpp"
#include "lake/layout.hpp"
#include "reference_json.hpp"

using namespace chandler;

namespace {

void compare(const candles::Kline& kline, const nlohmann::json& event) {
  const auto& k = event["k"];
  const std::pair<const char*, double> values[] = {{"o", kline.open},
                                                   {"h", kline.high},
                                                   {"l", kline.low},
                                                   {"c", kline.close},
                                                   {"v", kline.volume},
                                                   {"q", kline.quote_volume},
                                                   {"V", kline.taker_buy_volume},
                                                   {"Q", kline.taker_buy_quote_volume}};
  for (const auto& [key, value] : values) {
    const double expected = fuzz::reference_number(k[key]);
    fuzz::require(std::isnan(expected) || value == expected, "a number is the one that is written");
  }
  fuzz::require(k["n"] == kline.trades, "the trades are those that are written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static exchange::StreamEventParser parser;
  static exchange::StreamEventParser again;
  const auto text = fuzz::text_of(data, size);
  const auto kind = parser.parse(text);
  if (kind == exchange::EventKind::ticker) {
    const auto& ticker = parser.ticker();
    fuzz::require(std::isfinite(ticker.price) && ticker.low <= ticker.high, "a ticker's prices are possible");
  }
  if (kind == exchange::EventKind::refused)
    fuzz::require(!describe(parser.fault()).empty(), "a refusal has a reason");
  if (kind != exchange::EventKind::kline) return 0;

  const auto& event = parser.kline();
  fuzz::require(!candles::impossible(event.kline, kMinuteMs), "the candle is possible");
  fuzz::require(lake::is_symbol(event.symbol), "the symbol can be a folder of the lake");
  fuzz::require(text.find(parser.event_json()) != text.npos, "the event is a piece of the message");
  if (const auto reference = fuzz::reference_json(parser.event_json())) compare(event.kline, *reference);

  const std::string written = exchange::kline_event_json(event.symbol, event.kline);
  fuzz::require(again.parse(written) == exchange::EventKind::kline, "what we write is an event");
  fuzz::require(again.kline().symbol == event.symbol, "the symbol reads back");
  fuzz::require(candles::same_values(again.kline().kline, event.kline), "the values read back");
  return 0;
}
