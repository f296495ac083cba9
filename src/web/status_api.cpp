#include <fmt/format.h>

#include <algorithm>

#include "batch/status_fields.hpp"
#include "lake/speed_status.hpp"
#include "web/json_answer.hpp"
#include "web/sources.hpp"

namespace chandler::web {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const T& value) {
  return value;
}
template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}
Json or_null(const std::optional<Timestamp>& t) {
  return t ? Json(to_ms(*t)) : Json(nullptr);
}
Json or_null(const std::optional<Day>& day) {
  return day ? Json(format_day(*day)) : Json(nullptr);
}

std::string_view name_of(Problem::Severity severity) {
  constexpr std::string_view names[] = {"info", "warning", "error"};
  return names[static_cast<std::size_t>(severity)];
}

Json to_json(const SymbolOverview& o) {
  Json json{{"symbol", o.symbol},
            {"last_price", or_null(o.last_price)},
            {"last_time", or_null(o.last_time)},
            {"day_ago_price", o.day ? Json(o.day->open) : Json(nullptr)},
            {"high", o.day ? Json(o.day->high) : Json(nullptr)},
            {"low", o.day ? Json(o.day->low) : Json(nullptr)},
            {"quote_volume", o.day ? Json(o.day->quote_volume) : Json(nullptr)},
            {"closes", o.closes}};
  batch::each_field(o.status, [&](const char* name, const auto& value) { json[name] = or_null(value); });
  json["live_at"] = or_null(o.live_at);
  json["lag_ms"] = o.status.lag.count();
  json["bytes"] = o.bytes;
  return json;
}

Answer status(const Sources& sources) {
  const auto overview = sources.overview.now();
  Json symbols = Json::array(), problems = Json::array();
  for (const auto& symbol : overview->symbols) symbols.push_back(to_json(*symbol));
  for (const Problem& p : problems_now(sources)) {
    problems.push_back(
        {{"severity", name_of(p.severity)}, {"symbol", p.symbol}, {"what", p.what}, {"remedy", p.remedy}});
  }
  return json_answer(Json{{"version", sources.version},
                          {"lake", sources.storage->uri()},
                          {"now", to_ms(sources.clock.now())},
                          {"newest", or_null(overview->newest)},
                          {"total", overview->total},
                          {"symbols", std::move(symbols)},
                          {"problems", std::move(problems)}},
                     Freshness::of_lake(std::chrono::seconds(1)));
}

// The running (or killed) processes of the speed layer, as they tell it themselves; `fresh` is false for one
// that has fallen silent. A lake that cannot be listed is told by /api/v1/status.
Json speed_processes(const Sources& sources, Timestamp now) {
  Json list = Json::array();
  const auto statuses = lake::read_speed_statuses(*sources.storage);
  if (!statuses) return list;
  for (const lake::SpeedStatus& status : *statuses) {
    Json one = Json::parse(lake::to_text(status));
    one["fresh"] = status.is_fresh(now);
    list.push_back(std::move(one));
  }
  return list;
}

Answer streams(const Sources& sources) {
  const auto overview = sources.overview.now();
  const Timestamp now = sources.clock.now();
  Json list = Json::array();
  for (const lake::SpeedSnapshot& stream : overview->streams) {
    Json open = Json::array();
    for (const lake::OpenCandle& c : stream.open) {
      open.push_back(
          {{"symbol", c.symbol},
           {"event_time", to_ms(c.event_time)},
           {"open_time", c.kline.open_time},
           {"open", c.kline.open},
           {"high", c.kline.high},
           {"low", c.kline.low},
           {"close", c.kline.close},
           {"volume", c.kline.volume},
           {"trades", c.kline.trades == candles::kUnknownTrades ? Json(nullptr) : Json(c.kline.trades)}});
    }
    list.push_back({{"stream", stream.stream},
                    {"position", or_null(stream.position)},
                    {"watermark", or_null(stream.watermark)},
                    {"open", std::move(open)}});
  }
  return json_answer(
      Json{{"now", to_ms(now)}, {"streams", std::move(list)}, {"processes", speed_processes(sources, now)}},
      Freshness::of_lake(std::chrono::seconds(1)));
}

}  // namespace

Result<SymbolFiles> find_symbol(const LakeListing& listing, std::string_view symbol,
                                std::string_view lake_uri) {
  if (const SymbolFiles* files = listing.find(symbol)) return *files;
  std::vector<std::string> present;
  for (const SymbolFiles& files : listing.symbols) present.push_back(files.symbol);
  return std::unexpected(batch::no_such_symbol(symbol, present, std::string(lake_uri)));
}

Result<SymbolFiles> find_symbol(const Sources& sources, const Arguments& arguments) {
  return find_symbol(*sources.watch.now(), arguments.text("symbol"), sources.storage->uri());
}

Param symbol_param() {
  return {"symbol", ParamType::symbol, "as the lake names it, e.g. BTCUSDT", true};
}

std::function<Answer(const Arguments&)> handled(
    const Sources& sources, std::function<Result<Answer>(const Sources&, const Arguments&)> make) {
  return [&sources, make = std::move(make)](const Arguments& arguments) {
    auto answer = make(sources, arguments);
    return answer ? std::move(*answer) : error_answer(answer.error());
  };
}

std::vector<Problem> problems_now(const Sources& sources) {
  auto processes = lake::read_speed_statuses(*sources.storage);
  return problems_at(sources.clock.now(), *sources.overview.now(),
                     processes ? *processes : std::vector<lake::SpeedStatus>{});
}

std::vector<Route> status_routes(const Sources& sources) {
  Route all;
  all.path = "/api/v1/status";
  all.tag = "lake";
  all.summary = "Every symbol's price, coverage and lag, and what is wrong, the worst first";
  all.types = {std::string(kJson)};
  all.schema =
      R"({"type":"object","required":["version","lake","now","newest","total","symbols","problems"],"properties":{
    "version":{"type":"string"},"lake":{"type":"string"},"now":{"type":"integer"},
    "newest":{"type":["integer","null"]},"total":{"type":"integer"},
    "symbols":{"type":"array","items":{"type":"object"}},
    "problems":{"type":"array","items":{"type":"object","required":["severity","symbol","what","remedy"],"properties":{
      "severity":{"enum":["info","warning","error"]},"symbol":{"type":"string"},"what":{"type":"string"},
      "remedy":{"type":"string"}}}}}})";
  all.handle = [&sources](const Arguments&) { return status(sources); };

  Route live;
  live.path = "/api/v1/streams";
  live.tag = "live";
  live.summary =
      "The speed layer: each stream's position, watermark and open candles; each process's messages, "
      "reconnects, late and rejected";
  live.types = {std::string(kJson)};
  live.schema =
      R"({"type":"object","required":["now","streams","processes"],"properties":{"now":{"type":"integer"},
    "streams":{"type":"array","items":{"type":"object","required":["stream","open"],"properties":{
      "stream":{"type":"string"},"position":{"type":["integer","null"]},"watermark":{"type":["integer","null"]},
      "open":{"type":"array","items":{"type":"object"}}}}},
    "processes":{"type":"array","items":{"type":"object",
      "required":["process","command","fresh","updated_at","messages_per_second","messages","late","rejected",
        "rejected_by_reason","reconnects"],"properties":{
      "process":{"type":"string"},"command":{"enum":["live","produce","consume"]},"fresh":{"type":"boolean"},
      "started_at":{"type":"integer"},"updated_at":{"type":"integer"},"messages_per_second":{"type":"number"},
      "messages":{"type":"integer"},"late":{"type":"integer"},"rejected":{"type":"integer"},
      "rejected_by_reason":{"type":"object","additionalProperties":{"type":"integer"}},
      "reconnects":{"type":"integer"}}}}}})";
  live.handle = [&sources](const Arguments&) { return streams(sources); };
  return {all, live};
}

}  // namespace chandler::web
