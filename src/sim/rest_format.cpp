#include "sim/rest_format.hpp"

#include <fmt/format.h>

#include <cmath>

#include "sim/decimal.hpp"

namespace chandler::sim {
namespace {

std::string step(int places) {
  std::string text;
  append_units(text, static_cast<WideInt>(std::llround(std::pow(10.0, kPlaces - places))));
  return text;
}

}  // namespace

void append_symbol_info(std::string& out, const SymbolInfo& info) {
  const std::string tick = step(info.price_places), lot = step(info.quantity_places);
  fmt::format_to(
      std::back_inserter(out),
      R"({{"symbol":"{0}","status":"{1}","baseAsset":"{2}","baseAssetPrecision":8,"quoteAsset":"{3}","quotePrecision":8,)"
      R"("quoteAssetPrecision":8,"baseCommissionPrecision":8,"quoteCommissionPrecision":8,"orderTypes":["LIMIT","LIMIT_MAKER",)"
      R"("MARKET","STOP_LOSS","STOP_LOSS_LIMIT","TAKE_PROFIT","TAKE_PROFIT_LIMIT"],"icebergAllowed":true,"ocoAllowed":true,)"
      R"("otoAllowed":true,"opoAllowed":true,"quoteOrderQtyMarketAllowed":true,"allowTrailingStop":true,"cancelReplaceAllowed":true,)"
      R"("amendAllowed":true,"pegInstructionsAllowed":true,"isSpotTradingAllowed":true,"isMarginTradingAllowed":true,"filters":[)"
      R"({{"filterType":"PRICE_FILTER","minPrice":"{4}","maxPrice":"1000000.00000000","tickSize":"{4}"}},)"
      R"({{"filterType":"LOT_SIZE","minQty":"{5}","maxQty":"9000000.00000000","stepSize":"{5}"}},)"
      R"({{"filterType":"ICEBERG_PARTS","limit":10}},)"
      R"({{"filterType":"MARKET_LOT_SIZE","minQty":"0.00000000","maxQty":"100.00000000","stepSize":"0.00000000"}},)"
      R"({{"filterType":"TRAILING_DELTA","minTrailingAboveDelta":10,"maxTrailingAboveDelta":2000,"minTrailingBelowDelta":10,)"
      R"("maxTrailingBelowDelta":2000}},)"
      R"({{"filterType":"PERCENT_PRICE_BY_SIDE","bidMultiplierUp":"5","bidMultiplierDown":"0.2","askMultiplierUp":"5",)"
      R"("askMultiplierDown":"0.2","avgPriceMins":5}},)"
      R"({{"filterType":"NOTIONAL","minNotional":"5.00000000","applyMinToMarket":true,"maxNotional":"9000000.00000000",)"
      R"("applyMaxToMarket":false,"avgPriceMins":5}},{{"filterType":"MAX_NUM_ORDERS","maxNumOrders":200}},)"
      R"({{"filterType":"MAX_NUM_ALGO_ORDERS","maxNumAlgoOrders":5}}],"permissions":[],"permissionSets":[{6}],)"
      R"("defaultSelfTradePreventionMode":"EXPIRE_MAKER","allowedSelfTradePreventionModes":["EXPIRE_TAKER","EXPIRE_MAKER",)"
      R"("EXPIRE_BOTH"]}})",
      info.symbol, info.trading ? "TRADING" : "BREAK", info.base, info.quote, tick, lot,
      info.show_permission_sets ? R"(["SPOT","MARGIN"])" : "");
}

void append_ticker(std::string& out, std::string_view symbol, int price_places, const DayTicker& t, bool full,
                   TimeUnit unit) {
  const double tick = std::pow(10.0, -price_places);
  out.append(R"({"symbol":")").append(symbol).append("\"");
  if (full) {
    append_field(out, "priceChange", t.change());
    append_field(out, "priceChangePercent", t.change_percent(), 3);
    append_field(out, "weightedAvgPrice", t.weighted_average_price());
    append_field(out, "prevClosePrice", t.previous_close);
    append_field(out, "lastPrice", t.last);
    append_field(out, "lastQty", t.last_quantity);
    // A book is not simulated: one tick to either side of the last price.
    append_field(out, "bidPrice", t.last - tick);
    append_field(out, "bidQty", t.last_quantity);
    append_field(out, "askPrice", t.last + tick);
    append_field(out, "askQty", t.last_quantity);
  }
  append_field(out, "openPrice", t.open);
  append_field(out, "highPrice", t.high);
  append_field(out, "lowPrice", t.low);
  if (!full) append_field(out, "lastPrice", t.last);
  append_field(out, "volume", t.volume);
  append_field(out, "quoteVolume", t.quote_volume);
  append_field(out, "openTime", in_unit(to_ms(t.open_time), unit));
  append_field(out, "closeTime", last_in_unit(to_ms(t.close_time), unit));
  append_field(out, "firstId", t.first_trade);
  append_field(out, "lastId", t.last_trade);
  append_field(out, "count", t.trades);
  out += '}';
}

void append_exchange_info_head(std::string& out, Timestamp now, TimeUnit unit, int weight_per_minute) {
  fmt::format_to(
      std::back_inserter(out),
      R"({{"timezone":"UTC","serverTime":{},"rateLimits":[{{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,)"
      R"("limit":{}}},{{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":100}},)"
      R"({{"rateLimitType":"ORDERS","interval":"DAY","intervalNum":1,"limit":200000}},)"
      R"({{"rateLimitType":"RAW_REQUESTS","interval":"MINUTE","intervalNum":5,"limit":61000}}],"exchangeFilters":[],"symbols":[)",
      in_unit(to_ms(now), unit), weight_per_minute);
}

}  // namespace chandler::sim
