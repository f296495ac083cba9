// The parameters of our own API: declared once, checked by one function, described by the OpenAPI document.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "candles/interval.hpp"
#include "net/http_message.hpp"
#include "web/answer.hpp"

namespace chandler::web {

enum class ParamType { text, symbol, interval, instant, integer, boolean };

struct Param {
  std::string name;
  ParamType type = ParamType::text;
  std::string about;
  bool required = false;
  std::string by_default = {};            // as it would be sent; empty: none
  std::vector<std::string> choices = {};  // where not empty, nothing else is allowed
  std::int64_t least = 0, most = 0;       // of an integer
};

// A request's parameters, each checked against its declaration.
class Arguments {
 public:
  // Errors (usage): unknown, repeated, missing, malformed or out of its range; the message names the
  // parameter.
  static Result<Arguments> read(const std::vector<Param>& params, const std::vector<net::QueryParam>& query);

  // Each is of a declared parameter; has() is true where it was sent or has a default.
  bool has(std::string_view name) const { return values_.contains(name); }
  std::string text(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  bool flag(std::string_view name) const { return text(name) == "true"; }
  candles::Interval interval(std::string_view name) const;
  std::optional<Timestamp> instant(std::string_view name) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

// One address of our own API.
struct Route {
  std::string path;
  std::string tag;
  std::string summary;
  std::vector<Param> params;
  std::vector<std::string> types;  // content types of the answer
  std::string schema;              // JSON Schema of a JSON answer, as text
  std::function<Answer(const Arguments&)> handle;
};

// Reads the arguments and calls the handler, or answers 400.
Answer call(const Route& route, const net::HttpRequest& request);

// OpenAPI 3.1 document of the routes, and of the exchange's endpoints that are answered too.
std::string openapi_document(const std::vector<Route>& routes);

}  // namespace chandler::web
