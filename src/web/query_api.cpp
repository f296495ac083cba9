// The four questions that a report answers, from daily_filled; filled days are left out.
#include <fmt/format.h>

#include "candles/day_statistics.hpp"
#include "lake/derived_file.hpp"
#include "web/json_answer.hpp"
#include "web/sources.hpp"

namespace chandler::web {
namespace {

using Json = nlohmann::ordered_json;
using candles::DailyRows;

constexpr std::size_t kTop = 20;

struct LabelledValue {
  std::string label;
  double value;
};

// One number for each day, month or year: changes and returns in percent, volumes in the base asset.
std::vector<LabelledValue> ask(std::string_view query, const DailyRows& rows) {
  std::vector<LabelledValue> values;
  if (query == "top_price_change_days") {
    for (const auto& d : candles::top_price_change_days(rows, kTop)) {
      values.push_back({format_day(d.date), d.percent});
    }
  } else if (query == "top_volume_days") {
    for (const auto& d : candles::top_volume_days(rows, kTop)) {
      values.push_back({format_day(d.date), d.volume});
    }
  } else if (query == "avg_volume_per_month") {
    for (const auto& m : candles::avg_volume_per_month(rows)) {
      values.push_back({fmt::format("{}-{:02}", m.year, m.month), m.average});
    }
  } else {
    for (const auto& y : candles::avg_return_per_year(rows)) {
      values.push_back({fmt::format("{}", y.year), y.average * 100});
    }
  }
  return values;
}

Result<Answer> query(const Sources& sources, const Arguments& arguments) {
  const std::string symbol = arguments.text("symbol"), name = arguments.text("query");
  CHANDLER_TRY(find_symbol(sources, arguments));
  CHANDLER_ASSIGN(const DailyRows rows, lake::read_daily(*sources.storage, symbol));
  Json list = Json::array();
  for (const LabelledValue& value : ask(name, rows))
    list.push_back({{"label", value.label}, {"value", value.value}});
  return json_answer(Json{{"symbol", symbol}, {"query", name}, {"rows", std::move(list)}},
                     Freshness::of_symbol(symbol));
}

}  // namespace

std::vector<Route> query_routes(const Sources& sources) {
  Route route;
  route.path = "/api/v1/query";
  route.tag = "reports";
  route.summary = "The report's questions about a symbol's days; filled days are left out";
  route.params = {
      symbol_param(),
      {"query",
       ParamType::text,
       "which question",
       true,
       {},
       {"top_price_change_days", "top_volume_days", "avg_volume_per_month", "avg_return_per_year"}}};
  route.types = {std::string(kJson)};
  route.schema =
      R"({"type":"object","required":["symbol","query","rows"],"properties":{"symbol":{"type":"string"},
    "query":{"type":"string"},"rows":{"type":"array","items":{"type":"object","required":["label","value"],"properties":{
    "label":{"type":"string"},"value":{"type":"number"}}}}}})";
  route.handle = handled(sources, query);
  return {route};
}

}  // namespace chandler::web
