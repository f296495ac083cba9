#include "sim/rest_api.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/candle_row.hpp"
#include "sim/query.hpp"
#include "sim/rest_format.hpp"

namespace chandler::sim {
namespace {

using net::HttpRequest;
using net::HttpResponse;

constexpr std::size_t kDefaultLimit = 500, kMostLimit = 1000;

const ApiError kInvalidSymbol{-1121, "Invalid symbol."};

SymbolInfo info_of(const Listing& listing, Timestamp now) {
  return {listing.symbol(),          listing.base(),         listing.quote(), listing.price_places(),
          listing.quantity_places(), listing.is_trading(now)};
}

HttpResponse not_found(int status) {
  return HttpResponse::text(
      status, "text/html",
      fmt::format("<html>\n<head><title>{0} {1}</title></head>\n<body><h1>{0} {1}</h1></body>\n</html>\n",
                  status, net::reason_phrase(status)));
}

}  // namespace

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
  std::string body;
  append_exchange_info_head(body, now, weight_per_minute_);
  for (const Listing* listing : wanted) {
    append_symbol_info(body, info_of(*listing, now));
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
    append_row(body, candle, RowStyle::json);
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
    append_ticker(body, listing->symbol(), listing->price_places(), listing->ticker(now), full);
    return HttpResponse::json(200, std::move(body));
  }
  body += '[';
  const auto append = [&](const Listing& listing) {
    if (!status.empty() && status != (listing.is_trading(now) ? "TRADING" : "BREAK")) return;
    if (body.size() > 1) body += ',';
    append_ticker(body, listing.symbol(), listing.price_places(), listing.ticker(now), full);
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
