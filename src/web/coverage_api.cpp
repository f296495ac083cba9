// What is there and what is not: gaps of minutes, and each day's number of them.
#include <fmt/format.h>

#include <algorithm>

#include "lake/catalog.hpp"
#include "web/json_text.hpp"
#include "web/sources.hpp"

namespace chandler::web {
namespace {

struct Gap {
  TimeRange range;
  bool asked = false;  // the exchange has answered for all of it: the hole is its own
};

Result<std::vector<Gap>> gaps_of(const lake::Storage& storage, const lake::SymbolCatalog& catalog) {
  const auto first = catalog.first_minute(), last = catalog.last_minute();
  if (!first) return std::vector<Gap>{};
  CHANDLER_ASSIGN(const RangeSet present, lake::present_in(storage, catalog.minutes));
  RangeSet holes{{*first, *last + kMinute}};
  holes.subtract(present);
  const RangeSet asked = catalog.asked_minutes();
  std::vector<Gap> gaps;
  for (const TimeRange& hole : holes) gaps.push_back({hole, asked.contains(hole)});
  return gaps;
}

Result<Answer> gaps(const Sources& sources, const Arguments& arguments) {
  const std::string symbol = arguments.text("symbol");
  CHANDLER_TRY(find_symbol(sources, arguments));
  CHANDLER_ASSIGN(const auto catalog, lake::read_catalog(*sources.storage, symbol));
  CHANDLER_ASSIGN(auto all, gaps_of(*sources.storage, catalog));
  const std::size_t total = all.size();
  std::int64_t minutes = 0;
  for (const Gap& gap : all) minutes += gap.range.length() / kMinute;
  if (arguments.text("order") == "longest") {
    std::ranges::stable_sort(all, std::ranges::greater{}, [](const Gap& gap) { return gap.range.length(); });
  }
  all.resize(std::min(all.size(), static_cast<std::size_t>(arguments.integer("limit"))));

  std::string out = "{";
  append_name(out, "symbol");
  append_string(out, symbol);
  append_name(out, "total");
  append_number(out, static_cast<std::int64_t>(total));
  append_name(out, "minutes");
  append_number(out, minutes);
  append_name(out, "gaps");
  out += '[';
  for (const Gap& gap : all) {
    if (out.back() != '[') out += ',';
    out += '{';
    append_name(out, "begin");
    append_number(out, to_ms(gap.range.begin));
    append_name(out, "end");
    append_number(out, to_ms(gap.range.end));
    append_name(out, "minutes");
    append_number(out, gap.range.length() / kMinute);
    append_name(out, "asked");
    out += gap.asked ? "true" : "false";
    out += '}';
  }
  out += "]}";
  Answer answer;
  answer.body = std::move(out);
  answer.freshness = Freshness::of_symbol(symbol);
  return answer;
}

Result<Answer> calendar(const Sources& sources, const Arguments& arguments) {
  const std::string symbol = arguments.text("symbol");
  CHANDLER_ASSIGN(const SymbolFiles files, find_symbol(sources, arguments));
  CandleQuery query;
  query.interval = candles::Interval::d1;
  query.detail = serving::Detail::prices;
  query.start = Timestamp{};
  query.limit = 100'000;
  CHANDLER_ASSIGN(const serving::Candles known, sources.candles.read(files, query));
  std::vector<std::int32_t> counts;  // -1: no candle at all, 0: a day of the exchange's own, without minutes
  const auto& times = known.rows.open_time;
  if (!times.empty()) {
    counts.assign(static_cast<std::size_t>((times.back() - times.front()) / kDayMs) + 1, -1);
    for (std::size_t i = 0; i < times.size(); ++i) {
      counts[static_cast<std::size_t>((times[i] - times.front()) / kDayMs)] = known.minutes[i];
    }
  }
  std::string out = "{";
  append_name(out, "symbol");
  append_string(out, symbol);
  append_name(out, "first_day");
  append_string(out, times.empty() ? std::string{} : format_day(day_of(from_ms(times.front()))));
  append_column(out, "minutes", counts);
  append_name(out, "open_day");
  out += !known.provisional.empty() && known.provisional.back() != 0 ? "true" : "false";
  out += '}';
  Answer answer;
  answer.body = std::move(out);
  answer.freshness = Freshness::of_symbol(symbol);
  return answer;
}

}  // namespace

std::vector<Route> coverage_routes(const Sources& sources) {
  const Param symbol = symbol_param();
  Route holes;
  holes.path = "/api/v1/gaps";
  holes.tag = "coverage";
  holes.summary = "Maximal runs of missing minutes between a symbol's first and last";
  holes.params = {
      symbol,
      {"order", ParamType::text, "longest first, or as they came", false, "longest", {"longest", "time"}},
      {"limit", ParamType::integer, "at most so many", false, "1000", {}, 1, 100'000}};
  holes.types = {std::string(kJson)};
  holes.schema = R"({"type":"object","required":["symbol","total","minutes","gaps"],"properties":{
    "symbol":{"type":"string"},"total":{"type":"integer"},"minutes":{"type":"integer"},
    "gaps":{"type":"array","items":{"type":"object","required":["begin","end","minutes","asked"],"properties":{
      "begin":{"type":"integer"},"end":{"type":"integer"},"minutes":{"type":"integer"},
      "asked":{"type":"boolean","description":"the exchange has answered for it: the hole is its own"}}}}}})";
  holes.handle = handled(sources, gaps);

  Route days;
  days.path = "/api/v1/calendar";
  days.tag = "coverage";
  days.summary = "Minutes present on each day of a symbol's history";
  days.params = {symbol};
  days.types = {std::string(kJson)};
  days.schema = R"({"type":"object","required":["symbol","first_day","minutes","open_day"],"properties":{
    "symbol":{"type":"string"},"first_day":{"type":"string","description":"the day of the first element; empty without days"},
    "minutes":{"type":"array","items":{"type":"integer","minimum":-1,"maximum":1440},
      "description":"a day each: 1440 is complete, 0 is a day known from the exchange's daily candle only, -1 is missing"},
    "open_day":{"type":"boolean","description":"the last day is not over yet"}}})";
  days.handle = handled(sources, calendar);
  return {holes, days};
}

}  // namespace chandler::web
