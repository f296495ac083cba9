// How the exchange writes its answers, byte for byte: for the look-alike and for whatever else answers as the
// exchange does. Format: Binance's "REST API" documentation (market data) and recorded answers.
#pragma once

#include <string>
#include <string_view>

#include "sim/listing.hpp"
#include "sim/query.hpp"

namespace chandler::sim {

// What exchangeInfo tells of a symbol; places are decimals.
struct SymbolInfo {
  std::string_view symbol, base, quote;
  int price_places = 2, quantity_places = 5;
  bool trading = true;
  bool show_permission_sets = true;
};

// exchangeInfo up to and with the bracket that opens its list of symbols.
void append_exchange_info_head(std::string& out, Timestamp now, TimeUnit unit, int weight_per_minute);
void append_symbol_info(std::string& out, const SymbolInfo& info);
// One symbol of ticker/24hr; not full: type=MINI.
void append_ticker(std::string& out, std::string_view symbol, int price_places, const DayTicker& ticker,
                   bool full, TimeUnit unit);

}  // namespace chandler::sim
