#include "sim/rest_api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/decimal.hpp"
#include "sim/query.hpp"

namespace chandler::sim {
namespace {

using net::HttpRequest;
using net::HttpResponse;

constexpr std::size_t kDefaultLimit = 500, kMostLimit = 1000;

const ApiError kInvalidSymbol{-1121, "Invalid symbol."};

void append_text(std::string& out, double value) {
  out += '"';
  append_decimal(out, value);
  out += '"';
}

void append_field(std::string& out, std::string_view name, double value) {
  out.append(",\"").append(name).append("\":");
  append_text(out, value);
}

void append_field(std::string& out, std::string_view name, std::int64_t value) {
  out.append(",\"").append(name).append("\":");
  append_integer(out, value);
}

std::string step(int places) {
  std::string text;
  append_units(text, static_cast<WideInt>(std::llround(std::pow(10.0, kPlaces - places))));
  return text;
}

void append_symbol_info(std::string& out, const Listing& listing, bool trading) {
  const std::string tick = step(listing.price_places()), lot = step(listing.quantity_places());
  fmt::format_to(
      std::back_inserter(out),
      R"({{"symbol":"{0}","status":"{1}","baseAsset":"{2}","baseAssetPrecision":8,"quoteAsset":"{3}","quotePrecision":8,)"
      R"("quoteAssetPrecision":8,"baseCommissionPrecision":8,"quoteCommissionPrecision":8,"orderTypes":["LIMIT","LIMIT_MAKER",)"
      R"("MARKET","STOP_LOSS","STOP_LOSS_LIMIT","TAKE_PROFIT","TAKE_PROFIT_LIMIT"],"icebergAllowed":true,"ocoAllowed":true,)"
      R"("otoAllowed":true,"quoteOrderQtyMarketAllowed":true,"allowTrailingStop":true,"cancelReplaceAllowed":true,)"
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
      R"({{"filterType":"MAX_NUM_ALGO_ORDERS","maxNumAlgoOrders":5}}],"permissions":[],"permissionSets":[["SPOT","MARGIN"]],)"
      R"("defaultSelfTradePreventionMode":"EXPIRE_MAKER","allowedSelfTradePreventionModes":["EXPIRE_TAKER","EXPIRE_MAKER",)"
      R"("EXPIRE_BOTH"]}})",
      listing.symbol(), trading ? "TRADING" : "BREAK", listing.base(), listing.quote(), tick, lot);
}

void append_ticker(std::string& out, const Listing& listing, const DayTicker& t, bool full) {
  const double tick = std::pow(10.0, -listing.price_places());
  const double change = t.last - t.open;
  const double percent = t.open != 0 ? change / t.open * 100 : 0;
  out.append(R"({"symbol":")").append(listing.symbol()).append("\"");
  if (full) {
    append_field(out, "priceChange", change);
    out.append(R"(,"priceChangePercent":")");
    append_decimal(out, percent, 3);
    out += '"';
    append_field(out, "weightedAvgPrice", t.volume > 0 ? t.quote_volume / t.volume : 0.0);
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
  append_field(out, "openTime", to_ms(t.open_time));
  append_field(out, "closeTime", to_ms(t.close_time));
  append_field(out, "firstId", t.first_trade);
  append_field(out, "lastId", t.last_trade);
  append_field(out, "count", t.trades);
  out += '}';
}

HttpResponse not_found(int status) {
  return HttpResponse::text(
      status, "text/html",
      fmt::format("<html>\n<head><title>{0} {1}</title></head>\n<body><h1>{0} {1}</h1></body>\n</html>\n",
                  status, net::reason_phrase(status)));
}

}  // namespace

void append_kline(std::string& out, const Candle& candle) {
  const Kline& k = candle.values;
  out += '[';
  append_integer(out, k.open_time);
  for (const double value : {k.open, k.high, k.low, k.close, k.volume}) {
    out += ',';
    append_text(out, value);
  }
  out += ',';
  append_integer(out, candle.close_time);
  out += ',';
  append_text(out, k.quote_volume);
  out += ',';
  append_integer(out, k.trades);
  out += ',';
  append_text(out, k.taker_buy_volume);
  out += ',';
  append_text(out, k.taker_buy_quote_volume);
  out += ",\"0\"]";
}

std::optional<int> RestApi::weight(const HttpRequest& request) {
  if (request.path == "/api/v3/ping" || request.path == "/api/v3/time") return 1;
  if (request.path == "/api/v3/klines" || request.path == "/api/v3/uiKlines") return 2;
  if (request.path == "/api/v3/exchangeInfo") return 20;
  if (request.path != "/api/v3/ticker/24hr") return std::nullopt;
  if (request.param("symbol")) return 2;
  const auto symbols = request.param("symbols");
  if (!symbols) return 80;
  const auto count = std::ranges::count(*symbols, ',') + 1;
  return count <= 20 ? 2 : count <= 100 ? 40 : 80;
}

HttpResponse RestApi::answer(const HttpRequest& request, Timestamp now) const {
  if (!weight(request)) return not_found(404);
  if (request.method != "GET" && request.method != "HEAD") {
    HttpResponse refusal = not_found(405);
    refusal.add_header("Allow", "GET, HEAD");
    return refusal;
  }
  if (request.path == "/api/v3/ping") return ping(request);
  if (request.path == "/api/v3/time") return time(request, now);
  if (request.path == "/api/v3/exchangeInfo") return exchange_info(request, now);
  if (request.path == "/api/v3/ticker/24hr") return day_ticker(request, now);
  return klines(request, now);
}

const Listing* RestApi::listed(const std::string& symbol, Timestamp now) const {
  const Listing* listing = market_->find(symbol);
  return listing && listing->is_listed(now) ? listing : nullptr;
}

HttpResponse RestApi::ping(const HttpRequest& request) const {
  if (const auto read = Query(request).all_read(); !read) return to_response(read.error());
  return HttpResponse::json(200, "{}");
}

HttpResponse RestApi::time(const HttpRequest& request, Timestamp now) const {
  if (const auto read = Query(request).all_read(); !read) return to_response(read.error());
  return HttpResponse::json(200, fmt::format(R"({{"serverTime":{}}})", to_ms(now)));
}

HttpResponse RestApi::exchange_info(const HttpRequest& request, Timestamp now) const {
  Query query(request);
  CHANDLER_ANSWER(const auto symbol, query.optional_symbol());
  CHANDLER_ANSWER(const auto symbols, query.symbols());
  CHANDLER_ANSWER(const auto permissions,
                  query.choice("permissions", "",
                               {"SPOT", "MARGIN", R"(["SPOT"])", R"(["MARGIN","SPOT"])",
                                R"(["SPOT","MARGIN"])", R"(["MARGIN"])"}));
  CHANDLER_ANSWER(const auto sets, query.choice("showPermissionSets", "true", {"true", "false"}));
  CHANDLER_ANSWER(const auto status, query.choice("symbolStatus", "", {"TRADING", "HALT", "BREAK"}));
  if (const auto read = query.all_read(); !read) return to_response(read.error());
  if ((symbol && symbols) || ((symbol || symbols) && (!permissions.empty() || !status.empty()))) {
    return to_response({-1128, "Combination of optional parameters invalid."});
  }
  std::vector<const Listing*> wanted;
  if (symbol || symbols) {
    for (const std::string& name : symbol ? std::vector{*symbol} : *symbols) {
      wanted.push_back(listed(name, now));
      if (!wanted.back()) return to_response(kInvalidSymbol);
    }
  } else {
    for (const auto& listing : market_->listings()) {
      if (!listing->is_listed(now)) continue;
      const bool trading = listing->is_trading(now);
      if (status.empty() || status == (trading ? "TRADING" : "BREAK")) wanted.push_back(listing.get());
    }
  }
  std::string body = fmt::format(
      R"({{"timezone":"UTC","serverTime":{},"rateLimits":[{{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,)"
      R"("limit":{}}},{{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":100}},)"
      R"({{"rateLimitType":"ORDERS","interval":"DAY","intervalNum":1,"limit":200000}},)"
      R"({{"rateLimitType":"RAW_REQUESTS","interval":"MINUTE","intervalNum":5,"limit":61000}}],"exchangeFilters":[],"symbols":[)",
      to_ms(now), weight_per_minute_);
  for (const Listing* listing : wanted) {
    append_symbol_info(body, *listing, listing->is_trading(now));
    body += ',';
  }
  if (body.back() == ',') body.pop_back();
  body += "]}";
  return HttpResponse::json(200, std::move(body));
}

HttpResponse RestApi::klines(const HttpRequest& request, Timestamp now) const {
  Query query(request);
  CandleQuery wanted;
  CHANDLER_ANSWER(const std::string symbol, query.symbol());
  CHANDLER_ANSWER(wanted.interval, query.interval());
  CHANDLER_ANSWER(wanted.limit, query.limit(kDefaultLimit, kMostLimit));
  CHANDLER_ANSWER(wanted.start, query.time("startTime"));
  CHANDLER_ANSWER(wanted.end, query.time("endTime"));
  CHANDLER_ANSWER(wanted.time_zone, query.time_zone());
  if (const auto read = query.all_read(); !read) return to_response(read.error());
  const Listing* listing = listed(symbol, now);
  if (!listing) return to_response(kInvalidSymbol);

  const auto rows = listing->candles(wanted, now);
  std::string body;
  body.reserve(2 + rows.size() * 190);
  body += '[';
  for (const Candle& candle : rows) {
    if (body.size() > 1) body += ',';
    append_kline(body, candle);
  }
  body += ']';
  return HttpResponse::json(200, std::move(body));
}

HttpResponse RestApi::day_ticker(const HttpRequest& request, Timestamp now) const {
  Query query(request);
  CHANDLER_ANSWER(const auto symbol, query.optional_symbol());
  CHANDLER_ANSWER(const auto symbols, query.symbols());
  CHANDLER_ANSWER(const auto type, query.choice("type", "FULL", {"FULL", "MINI"}));
  CHANDLER_ANSWER(const auto status, query.choice("symbolStatus", "", {"TRADING", "HALT", "BREAK"}));
  if (const auto read = query.all_read(); !read) return to_response(read.error());
  if (symbol && symbols) return to_response({-1128, "Combination of optional parameters invalid."});
  const bool full = type == "FULL";
  std::string body;
  if (symbol) {
    const Listing* listing = listed(*symbol, now);
    if (!listing) return to_response(kInvalidSymbol);
    append_ticker(body, *listing, listing->ticker(now), full);
    return HttpResponse::json(200, std::move(body));
  }
  body += '[';
  const auto append = [&](const Listing& listing) {
    if (!status.empty() && status != (listing.is_trading(now) ? "TRADING" : "BREAK")) return;
    if (body.size() > 1) body += ',';
    append_ticker(body, listing, listing.ticker(now), full);
  };
  if (symbols) {
    for (const std::string& name : *symbols) {
      const Listing* listing = listed(name, now);
      if (!listing) return to_response(kInvalidSymbol);
      append(*listing);
    }
  } else {
    for (const auto& listing : market_->listings()) {
      if (listing->is_listed(now)) append(*listing);
    }
  }
  body += ']';
  return HttpResponse::json(200, std::move(body));
}

}  // namespace chandler::sim
