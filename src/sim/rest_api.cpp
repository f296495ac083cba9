#include "sim/rest_api.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/candle_row.hpp"
#include "sim/rest_format.hpp"

namespace chandler::sim {
namespace {

using net::HttpRequest;
using net::HttpResponse;

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
  const Query query(request);
  CHANDLER_ANSWER(const TimeUnit unit, query.time_unit());
  if (const auto read = query.all_read(); !read) return to_response(read.error());
  return HttpResponse::json(200, fmt::format(R"({{"serverTime":{}}})", in_unit(to_ms(now), unit)));
}

Answer<std::vector<const Listing*>> RestApi::chosen(const Choice& choice, Timestamp now) const {
  std::vector<const Listing*> found;
  if (const auto names = choice.names()) {
    for (const std::string& name : *names) {
      found.push_back(listed(name, now));
      if (!found.back()) return std::unexpected(kInvalidSymbol);
    }
    if (choice.symbol && !choice.admits(found.front()->is_trading(now))) return std::unexpected(kOtherStatus);
  } else {
    for (const auto& listing : market_->listings()) {
      if (listing->is_listed(now)) found.push_back(listing.get());
    }
  }
  std::erase_if(found, [&](const Listing* listing) { return !choice.admits(listing->is_trading(now)); });
  return found;
}

HttpResponse RestApi::exchange_info(const HttpRequest& request, Timestamp now) const {
  CHANDLER_ANSWER(const InfoQuery wanted, read_info_query(request));
  CHANDLER_ANSWER(const auto listings, chosen(wanted.choice, now));
  std::string body;
  append_exchange_info_head(body, now, wanted.unit, weight_per_minute_);
  if (wanted.permitted) {
    for (const Listing* listing : listings) {
      if (body.back() != '[') body += ',';
      SymbolInfo info = info_of(*listing, now);
      info.show_permission_sets = wanted.show_permission_sets;
      append_symbol_info(body, info);
    }
  }
  body += "]}";
  return HttpResponse::json(200, std::move(body));
}

HttpResponse RestApi::klines(const HttpRequest& request, Timestamp now) const {
  CHANDLER_ANSWER(const KlinesQuery wanted, read_klines_query(request));
  const Listing* listing = listed(wanted.symbol, now);
  if (!listing) return to_response(kInvalidSymbol);
  if (wanted.bad_interval) return to_response(*wanted.bad_interval);

  const auto rows = listing->candles(wanted.candles, now);
  const RowStyle style = wanted.unit == TimeUnit::microseconds ? RowStyle::json_microseconds : RowStyle::json;
  std::string body;
  body.reserve(2 + rows.size() * 190);
  body += '[';
  for (const Candle& candle : rows) {
    if (body.size() > 1) body += ',';
    append_row(body, candle, style);
  }
  body += ']';
  return HttpResponse::json(200, std::move(body));
}

HttpResponse RestApi::day_ticker(const HttpRequest& request, Timestamp now) const {
  CHANDLER_ANSWER(const TickerQuery wanted, read_ticker_query(request));
  CHANDLER_ANSWER(const auto listings, chosen(wanted.choice, now));
  std::string body;
  const auto append = [&](const Listing& listing) {
    append_ticker(body, listing.symbol(), listing.price_places(), listing.ticker(now), wanted.full,
                  wanted.unit);
  };
  if (wanted.choice.symbol) {
    append(*listings.front());
    return HttpResponse::json(200, std::move(body));
  }
  body += '[';
  for (const Listing* listing : listings) {
    if (body.size() > 1) body += ',';
    append(*listing);
  }
  body += ']';
  return HttpResponse::json(200, std::move(body));
}

}  // namespace chandler::sim
