#include "web/binance_api.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/candle_row.hpp"
#include "sim/endpoint_query.hpp"
#include "sim/rest_format.hpp"

namespace chandler::web {
namespace {

using net::HttpRequest;
using sim::ApiError;
using sim::DayTicker;
using sim::Query;
using sim::TimeUnit;

// Told in exchangeInfo, because clients pace themselves by it; nothing here counts weights.
constexpr int kToldWeightLimit = 1'000'000'000;
// Some clients read how much of it they have used from every answer.
constexpr std::string_view kNothingUsed = "x-mbx-used-weight: 0\r\nx-mbx-used-weight-1m: 0\r\n";

Answer refuse(const ApiError& error) {
  Answer answer;
  answer.status = 400;
  answer.body = sim::to_json(error);
  return answer;
}
const ApiError kInvalidSymbol{-1121, "Invalid symbol."};

// The exchange's error for what went wrong in the lake: -1000 is its "unknown error while processing".
Answer failed(const Error& error) {
  Answer answer;
  answer.status = http_status(error.code) == 404 ? 400 : http_status(error.code);
  answer.body = error.code == ErrorCode::not_found ? sim::to_json(kInvalidSymbol)
                                                   : sim::to_json(ApiError{-1000, error.what});
  return answer;
}

#define CHANDLER_PARAM(lhs, expression) CHANDLER_PARAM_(CHANDLER_CONCAT(param_, __LINE__), lhs, expression)
#define CHANDLER_PARAM_(param, lhs, expression) \
  auto param = (expression);                    \
  if (!param) return refuse(param.error());     \
  lhs = std::move(*param)

Answer ping(const HttpRequest& request) {
  if (const auto read = Query(request).all_read(); !read) return refuse(read.error());
  Answer answer;
  answer.body = "{}";
  return answer;
}

Answer time(const Sources& sources, const HttpRequest& request) {
  const Query query(request);
  CHANDLER_PARAM(const TimeUnit unit, query.time_unit());
  if (const auto read = query.all_read(); !read) return refuse(read.error());
  Answer answer;
  answer.body = fmt::format(R"({{"serverTime":{}}})", sim::in_unit(to_ms(sources.clock.now()), unit));
  return answer;
}

Answer klines(const Sources& sources, const HttpRequest& request) {
  CHANDLER_PARAM(const sim::KlinesQuery wanted, sim::read_klines_query(request));
  const ListingPtr listing = sources.watch.now();
  const SymbolFiles* files = listing->find(wanted.symbol);
  if (files == nullptr) return refuse(kInvalidSymbol);
  if (wanted.bad_interval) return refuse(*wanted.bad_interval);
  const sim::CandleQuery& asked = wanted.candles;
  const auto page = sources.candles.read(
      *files, CandleQuery{asked.interval, asked.start, asked.end, asked.limit, asked.time_zone});
  if (!page) return failed(page.error());

  Answer answer;
  const auto style =
      wanted.unit == TimeUnit::microseconds ? sim::RowStyle::json_microseconds : sim::RowStyle::json;
  answer.body.reserve(2 + page->size() * 190);
  answer.body += '[';
  sim::Candle candle;
  for (std::size_t i = 0; i < page->size(); ++i) {
    if (i > 0) answer.body += ',';
    candle.values = page->rows.at(i);
    if (candle.values.trades == candles::kUnknownTrades) candle.values.trades = 0;
    const Timestamp local = from_ms(candle.values.open_time) + asked.time_zone;
    candle.close_time = to_ms(candles::end_of(asked.interval, local) - asked.time_zone) - 1;
    sim::append_row(answer.body, candle, style);
  }
  answer.body += ']';
  answer.freshness = Freshness::of_symbol(wanted.symbol);
  return answer;
}

bool is_trading(const SymbolOverview& o, const Overview& overview) {
  return o.last_time && overview.newest && *overview.newest - *o.last_time < kDay;
}

using Overviews = std::vector<std::shared_ptr<const SymbolOverview>>;

// Of the symbols that are chosen. Right after the start, and of a symbol that has just
// appeared, nothing may have been read yet: that is the exchange's "try again", since zeros would be taken
// for prices.
std::expected<Overviews, Answer> overviews_of(const Sources& sources, const Overview& overview,
                                              const sim::Choice& choice) {
  const auto names = choice.names();
  const ListingPtr listing = sources.watch.now();
  Overviews found;
  const auto add = [&](const std::string& name) {
    const auto it = std::ranges::find(overview.symbols, name, &SymbolOverview::symbol);
    if (it != overview.symbols.end()) found.push_back(*it);
    return it != overview.symbols.end();
  };
  bool all_read = true;
  if (names) {
    for (const std::string& name : *names) {
      if (listing->find(name) == nullptr) return std::unexpected(refuse(kInvalidSymbol));
      all_read = add(name) && all_read;
    }
  } else {
    for (const SymbolFiles& files : listing->symbols) all_read = add(files.symbol) && all_read;
  }
  if (all_read) {
    const auto differs = [&](const auto& o) { return !choice.admits(is_trading(*o, overview)); };
    if (choice.symbol && differs(found.front())) return std::unexpected(refuse(sim::kOtherStatus));
    std::erase_if(found, differs);
    return found;
  }
  Answer later = refuse({-1001, "Internal error; unable to process your request. Please try again."});
  later.status = 503;
  return std::unexpected(std::move(later));
}

Answer exchange_info(const Sources& sources, const HttpRequest& request) {
  CHANDLER_PARAM(const sim::InfoQuery wanted, sim::read_info_query(request));
  const auto overview = sources.overview.now();
  const auto chosen = overviews_of(sources, *overview, wanted.choice);
  if (!chosen) return chosen.error();
  Answer answer;
  sim::append_exchange_info_head(answer.body, sources.clock.now(), wanted.unit, kToldWeightLimit);
  for (const auto& o : *chosen) {
    if (!wanted.permitted) break;
    if (answer.body.back() != '[') answer.body += ',';
    const auto [base, quote] = sim::split_symbol(o->symbol);
    sim::append_symbol_info(answer.body, {o->symbol, base, quote, o->price_places, o->quantity_places,
                                          is_trading(*o, *overview), wanted.show_permission_sets});
  }
  answer.body += "]}";
  answer.freshness = Freshness::of_lake(std::chrono::seconds(1));
  return answer;
}

DayTicker ticker_of(const SymbolOverview& o) {
  DayTicker t;
  if (!o.day) return t;
  t.open_time = o.day->begin;
  t.close_time = o.day->end - Millis{1};
  t.open = o.day->open;
  t.high = o.day->high;
  t.low = o.day->low;
  t.last = o.last_price.value_or(o.day->close);
  t.previous_close = o.day->previous_close;
  t.volume = o.day->volume;
  t.quote_volume = o.day->quote_volume;
  t.last_quantity = o.day->last_quantity;
  t.trades = o.day->trades;
  return t;
}

Answer day_ticker(const Sources& sources, const HttpRequest& request) {
  CHANDLER_PARAM(const sim::TickerQuery wanted, sim::read_ticker_query(request));
  const auto overview = sources.overview.now();
  const auto chosen = overviews_of(sources, *overview, wanted.choice);
  if (!chosen) return chosen.error();
  Answer answer;
  answer.freshness = Freshness::of_lake(std::chrono::seconds(1));
  const auto append = [&](const SymbolOverview& o) {
    sim::append_ticker(answer.body, o.symbol, o.price_places, ticker_of(o), wanted.full, wanted.unit);
  };
  if (wanted.choice.symbol) {
    append(*chosen->front());
    return answer;
  }
  answer.body += '[';
  for (const auto& o : *chosen) {
    if (answer.body.back() != '[') answer.body += ',';
    append(*o);
  }
  answer.body += ']';
  return answer;
}

}  // namespace

void add_binance_api(Front& front, const Sources& sources) {
  const auto add = [&front](std::string path, Handle handle) {
    front.add(std::move(path), [handle = std::move(handle)](const HttpRequest& request) {
      Answer answer = handle(request);
      answer.headers = kNothingUsed;
      return answer;
    });
  };
  add("/api/v3/ping", ping);
  add("/api/v3/time", [&sources](const HttpRequest& request) { return time(sources, request); });
  add("/api/v3/exchangeInfo",
      [&sources](const HttpRequest& request) { return exchange_info(sources, request); });
  add("/api/v3/klines", [&sources](const HttpRequest& request) { return klines(sources, request); });
  add("/api/v3/uiKlines", [&sources](const HttpRequest& request) { return klines(sources, request); });
  add("/api/v3/ticker/24hr", [&sources](const HttpRequest& request) { return day_ticker(sources, request); });
  // What the exchange has besides: its clients read `code` and `msg` from every refusal.
  front.add_instant([](const HttpRequest& request) -> std::optional<net::HttpResponse> {
    if (!request.path.starts_with("/api/v3/")) return std::nullopt;
    auto response = sim::to_response(ApiError{-1020, "This operation is not supported."}, 404);
    response.headers += common_headers();
    return response;
  });
}

}  // namespace chandler::web
