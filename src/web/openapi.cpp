#include <nlohmann/json.hpp>

#include "web/parameters.hpp"

namespace chandler::web {
namespace {

using Json = nlohmann::ordered_json;

Json schema_of(const Param& param) {
  Json schema;
  switch (param.type) {
    case ParamType::symbol:
      schema = {{"type", "string"}, {"minLength", 1}, {"maxLength", 64}};
      break;
    case ParamType::interval: {
      Json names = Json::array();
      for (const auto interval : candles::kIntervals) names.push_back(candles::name(interval));
      schema = {{"type", "string"}, {"enum", names}};
      break;
    }
    case ParamType::integer:
      schema = {{"type", "integer"}, {"minimum", param.least}, {"maximum", param.most}};
      break;
    case ParamType::boolean:
      schema = {{"type", "boolean"}};
      break;
    case ParamType::instant:
      schema = {{"type", "string"}, {"examples", {"2024-05-01", "2024-05-01T12:00:00Z", "1714521600000"}}};
      break;
    case ParamType::text:
      schema = {{"type", "string"}};
      break;
  }
  if (!param.choices.empty()) schema["enum"] = param.choices;
  if (param.by_default.empty()) return schema;
  if (param.type == ParamType::integer || param.type == ParamType::boolean) {
    schema["default"] = Json::parse(param.by_default);
  } else {
    schema["default"] = param.by_default;
  }
  return schema;
}

Json parameter(std::string name, std::string about, bool required, Json schema) {
  return {{"name", std::move(name)},
          {"in", "query"},
          {"required", required},
          {"description", std::move(about)},
          {"schema", std::move(schema)}};
}

Json error_response(std::string about) {
  return {{"description", std::move(about)},
          {"content", {{"application/json", {{"schema", {{"$ref", "#/components/schemas/Error"}}}}}}}};
}

// "/api/v1/candles" → "candles"
std::string operation_id(const std::string& path) {
  std::string id = path.substr(path.rfind('/') + 1);
  return id;
}

Json operation(const Route& route) {
  Json params = Json::array();
  for (const Param& p : route.params) params.push_back(parameter(p.name, p.about, p.required, schema_of(p)));
  Json content = Json::object();
  for (const std::string& type : route.types) {
    Json schema = {{"type", "string"}};
    if (type == kJson && !route.schema.empty()) schema = Json::parse(route.schema);
    content[type] = {{"schema", schema}};
  }
  return {{"get",
           {{"operationId", operation_id(route.path)},
            {"tags", {route.tag}},
            {"summary", route.summary},
            {"parameters", params},
            {"responses",
             {{"200",
               {{"description", "the answer; its ETag changes only when the files it was made from do"},
                {"content", content}}},
              {"304", {{"description", "nothing has changed since the ETag in If-None-Match"}}},
              {"400", error_response("a parameter is unknown, malformed or out of its range")},
              {"401", error_response("a token is needed")},
              {"404", error_response("the lake does not have it")},
              {"503", error_response("too busy, or the lake cannot be read")}}}}}};
}

// The exchange's own documentation is the reference for these; named here so that a reader finds them.
Json exchange_operation(std::string id, std::string summary, Json params, Json schema) {
  return {
      {"get",
       {{"operationId", std::move(id)},
        {"tags", {"binance"}},
        {"summary", std::move(summary)},
        {"parameters", std::move(params)},
        {"responses",
         {{"200",
           {{"description", "as the exchange answers"},
            {"content", {{"application/json", {{"schema", schema}}}}}}},
          {"400",
           {{"description", "as the exchange refuses"},
            {"content",
             {{"application/json", {{"schema", {{"$ref", "#/components/schemas/ExchangeError"}}}}}}}}}}}}}};
}

void add_exchange(Json& paths) {
  const Json text{{"type", "string"}}, number{{"type", "integer"}};
  const Json rows{{"type", "array"}, {"items", {{"type", "array"}, {"minItems", 12}, {"maxItems", 12}}}};
  const Json kline_params =
      Json::array({parameter("symbol", "", true, text), parameter("interval", "", true, text),
                   parameter("startTime", "ms", false, number), parameter("endTime", "ms", false, number),
                   parameter("limit", "default 500, at most 1000", false, number),
                   parameter("timeZone", "-12:00 … +14:00", false, text)});
  const Json symbols =
      Json::array({parameter("symbol", "", false, text), parameter("symbols", "[\"A\",\"B\"]", false, text)});
  const Json object{{"type", "object"}}, any{{"type", {"object", "array"}}};
  paths["/api/v3/ping"] = exchange_operation("binancePing", "Test connectivity", Json::array(), object);
  paths["/api/v3/time"] = exchange_operation("binanceTime", "Server time", Json::array(), object);
  paths["/api/v3/exchangeInfo"] =
      exchange_operation("binanceExchangeInfo", "Symbols of the lake", symbols, object);
  paths["/api/v3/klines"] = exchange_operation("binanceKlines", "Klines", kline_params, rows);
  paths["/api/v3/uiKlines"] = exchange_operation("binanceUiKlines", "Klines", kline_params, rows);
  paths["/api/v3/ticker/24hr"] = exchange_operation("binanceTicker24hr", "The last 24 hours", symbols, any);
}

Json plain_operation(std::string id, std::string tag, std::string summary, std::string type,
                     Json params = Json::array()) {
  return {
      {"get",
       {{"operationId", std::move(id)},
        {"tags", {tag}},
        {"summary", std::move(summary)},
        {"parameters", std::move(params)},
        {"responses",
         {{"200",
           {{"description", "the answer"}, {"content", {{type, {{"schema", {{"type", "string"}}}}}}}}}}}}}};
}

}  // namespace

std::string openapi_document(const std::vector<Route>& routes) {
  Json paths = Json::object();
  for (const Route& route : routes) paths[route.path] = operation(route);
  add_exchange(paths);
  paths["/metrics"] = plain_operation("metricsText", "server",
                                      "State of the server and the lake for Prometheus", "text/plain");
  paths["/healthz"] = plain_operation(
      "healthz", "server", "200 while the server answers and the lake can be listed, else 503", "text/plain");

  const Json numbers{{"type", "array"}, {"items", {{"type", {"number", "null"}}}}};
  const Json flags{{"type", "array"}, {"items", {{"enum", {0, 1}}}}};
  const Json error{{"type", "object"},
                   {"required", {"error"}},
                   {"properties",
                    {{"error",
                      {{"type", "object"},
                       {"required", {"code", "message"}},
                       {"properties",
                        {{"code", {{"type", "string"}}},
                         {"message", {{"type", "string"}}},
                         {"where", {{"type", "string"}}},
                         {"remedy", {{"type", "string"}}}}}}}}}};
  const Json exchange_error{{"type", "object"},
                            {"required", {"code", "msg"}},
                            {"properties", {{"code", {{"type", "integer"}}}, {"msg", {{"type", "string"}}}}}};
  const Json document{
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "chandler"},
        {"version", "1"},
        {"description",
         "Candles of the lake: batch ∪ speed. Times are milliseconds since 1970 in UTC. Only GET and HEAD."},
        {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
      {"servers", {{{"url", "/"}}}},
      {"security", {Json::object(), {{"token", Json::array()}}}},
      {"paths", paths},
      {"components",
       {{"securitySchemes", {{"token", {{"type", "http"}, {"scheme", "bearer"}}}}},
        {"schemas",
         {{"Numbers", numbers}, {"Flags", flags}, {"Error", error}, {"ExchangeError", exchange_error}}}}}};
  return document.dump(1);
}

}  // namespace chandler::web
