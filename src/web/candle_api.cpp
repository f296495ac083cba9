#include <fmt/format.h>

#include <algorithm>

#include "web/candle_format.hpp"
#include "web/sources.hpp"

namespace chandler::web {
namespace {

constexpr std::int64_t kMostCandles = 100'000;

// CSV and Arrow are downloads; JSON is for programs and for the page.
Result<Answer> render(const std::string& symbol, const Arguments& arguments, const serving::Candles& page) {
  const auto interval = arguments.interval("interval");
  const std::string format = arguments.text("format");
  Answer answer;
  answer.freshness = Freshness::of_symbol(symbol);
  if (format == "csv") {
    answer.type = kCsv;
    answer.body = candles_csv(page);
    answer.file_name = fmt::format("{}_{}.csv", symbol, candles::name(interval));
  } else if (format == "arrow") {
    answer.type = kArrowStream;
    CHANDLER_ASSIGN(answer.body, candles_arrow(page));
    answer.file_name = fmt::format("{}_{}.arrow", symbol, candles::name(interval));
  } else {
    answer.body = candles_json(symbol, interval, page);
  }
  return answer;
}

// The page with its holes filled, still of at most `limit` candles: what lies further from where the page
// starts than so many candles reach is cut off first, so that a hole of years costs nothing.
serving::Candles filled_page(const serving::Candles& page, const CandleQuery& query) {
  if (page.size() == 0) return page;
  const auto& times = page.rows.open_time;
  const Timestamp first = from_ms(times.front());
  const std::int64_t reach =
      (candles::end_of(query.interval, first) - first).count() * static_cast<std::int64_t>(query.limit);
  std::size_t begin = 0, end = times.size();
  if (query.start) {
    end = static_cast<std::size_t>(std::ranges::lower_bound(times, times.front() + reach) - times.begin());
  } else {
    begin = static_cast<std::size_t>(std::ranges::upper_bound(times, times.back() - reach) - times.begin());
  }
  serving::Candles near;
  const auto part = [&](const auto& column) {
    return std::decay_t<decltype(column)>(column.begin() + static_cast<std::ptrdiff_t>(begin),
                                          column.begin() + static_cast<std::ptrdiff_t>(end));
  };
  near.rows.append(page.rows, begin, end);
  near.minutes = part(page.minutes);
  near.filled = part(page.filled);
  near.provisional = part(page.provisional);
  serving::Candles whole = fill(near, query.interval);
  if (whole.size() > query.limit) whole.keep_last(query.limit);
  return whole;
}

Result<Answer> candles(const Sources& sources, const Arguments& arguments) {
  const std::string symbol = arguments.text("symbol");
  CHANDLER_ASSIGN(const SymbolFiles files, find_symbol(sources, arguments));
  CandleQuery query;
  query.interval = arguments.interval("interval");
  query.start = arguments.instant("from");
  if (const auto to = arguments.instant("to")) query.end = *to - Millis{1};
  query.limit = static_cast<std::size_t>(arguments.integer("limit"));
  query.detail = arguments.text("detail") == "all" ? serving::Detail::all : serving::Detail::prices;
  if (query.start && query.end && *query.end < *query.start) {
    return fail(ErrorCode::usage, "`to` lies before `from`");
  }
  CHANDLER_ASSIGN(serving::Candles page, sources.candles.read(files, query));
  if (arguments.flag("fill")) page = filled_page(page, query);
  return render(symbol, arguments, page);
}

}  // namespace

std::vector<Route> candle_routes(const Sources& sources) {
  Route route;
  route.path = "/api/v1/candles";
  route.tag = "candles";
  route.summary = "Candles of a symbol at any interval, batch ∪ speed, in order of time";
  route.params = {
      symbol_param(),
      {"interval", ParamType::interval, "1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M", false, "1d"},
      {"from", ParamType::instant, "candles that open at or after it; with it, the oldest `limit` are given"},
      {"to", ParamType::instant, "candles that open before it"},
      {"limit", ParamType::integer, "at most so many", false, "1000", {}, 1, kMostCandles},
      {"fill", ParamType::boolean,
       "put in candles that are missing between the first and the last, made of the last close, volume 0, "
       "and flagged",
       false, "false"},
      {"detail",
       ParamType::text,
       "prices leaves the taker volumes unknown, which is faster for days and longer",
       false,
       "all",
       {"prices", "all"}},
      {"format", ParamType::text, "how the candles are written", false, "json", {"json", "csv", "arrow"}},
  };
  route.types = {std::string(kJson), std::string(kCsv), std::string(kArrowStream)};
  route.schema = R"({"type":"object","description":"Columns of equal length; null where a value is unknown.",
    "required":["symbol","interval","open_time","open","high","low","close","volume"],"properties":{
    "symbol":{"type":"string"},"interval":{"type":"string"},
    "open_time":{"type":"array","items":{"type":"integer"},"description":"ms since 1970, UTC"},
    "open":{"$ref":"#/components/schemas/Numbers"},"high":{"$ref":"#/components/schemas/Numbers"},
    "low":{"$ref":"#/components/schemas/Numbers"},"close":{"$ref":"#/components/schemas/Numbers"},
    "volume":{"$ref":"#/components/schemas/Numbers"},"quote_volume":{"$ref":"#/components/schemas/Numbers"},
    "taker_buy_volume":{"$ref":"#/components/schemas/Numbers"},
    "taker_buy_quote_volume":{"$ref":"#/components/schemas/Numbers"},
    "trades":{"$ref":"#/components/schemas/Numbers"},
    "minutes":{"type":"array","items":{"type":"integer"},"description":"minutes present in each candle"},
    "filled":{"$ref":"#/components/schemas/Flags"},"provisional":{"$ref":"#/components/schemas/Flags"}}})";
  route.handle = handled(sources, candles);
  return {route};
}

}  // namespace chandler::web
