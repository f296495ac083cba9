#include "sim/stream_requests.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <vector>

namespace chandler::sim {
namespace {

using simdjson::dom::element;

void add_names(std::string_view list, Subscriptions& subscriptions) {
  while (!list.empty()) {
    const auto slash = list.find('/');
    if (const auto name = list.substr(0, slash); !name.empty()) subscriptions.names.emplace(name);
    list = slash == std::string_view::npos ? std::string_view{} : list.substr(slash + 1);
  }
}

std::string failure(int code, std::string_view message, const std::string& id) {
  return fmt::format(R"({{"error":{{"code":{},"msg":"{}"}},"id":{}}})", code, message, id);
}

std::string success(std::string_view result, const std::string& id) {
  return fmt::format(R"({{"result":{},"id":{}}})", result, id);
}

// What is inside the quotes of a JSON string.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

// The request's id as it is to be repeated: an integer, a string, or null.
std::string id_of(const element& request) {
  element id;
  if (request["id"].get(id) != simdjson::SUCCESS) return "null";
  if (id.is_uint64() || id.is_int64() || id.is_string() || id.is_null()) return simdjson::minify(id);
  return "null";
}

std::string list_of(const Subscriptions& subscriptions) {
  std::string list = "[";
  for (const std::string& name : subscriptions.names) {
    if (list.size() > 1) list += ',';
    list += '"' + escaped(name) + '"';
  }
  return list + "]";
}

std::string subscribe(Subscriptions& subscriptions, const element& request, bool add, const std::string& id) {
  simdjson::dom::array params;
  if (request["params"].get(params) != simdjson::SUCCESS)
    return failure(2, "Invalid request: params must be an array", id);
  std::vector<std::string> names;
  for (const element param : params) {
    std::string_view name;
    if (param.get(name) != simdjson::SUCCESS)
      return failure(2, "Invalid request: stream name must be a string", id);
    names.emplace_back(name);
  }
  for (std::string& name : names) {
    if (add) {
      subscriptions.names.insert(std::move(name));
    } else {
      subscriptions.names.erase(name);
    }
  }
  return success("null", id);
}

std::string property(Subscriptions& subscriptions, const element& request, bool set, const std::string& id) {
  simdjson::dom::array params;
  std::string_view name;
  if (request["params"].get(params) != simdjson::SUCCESS || params.at(0).get(name) != simdjson::SUCCESS) {
    return failure(2, "Invalid request: property name must be a string", id);
  }
  if (name != "combined") return failure(0, "Unknown property", id);
  if (!set) return success(subscriptions.combined ? "true" : "false", id);
  if (params.at(1).get(subscriptions.combined) != simdjson::SUCCESS) {
    return failure(1, "Invalid value type: expected Boolean", id);
  }
  return success("null", id);
}

}  // namespace

bool is_stream_path(std::string_view path) {
  return path == "/ws" || path.starts_with("/ws/") || path == "/stream" || path == "/stream/";
}

Subscriptions initial_subscriptions(const net::HttpRequest& request) {
  Subscriptions subscriptions;
  if (request.path.starts_with("/ws/")) {
    add_names(std::string_view(request.path).substr(4), subscriptions);
  } else if (request.path.starts_with("/stream")) {
    subscriptions.combined = true;
    add_names(request.param("streams").value_or(""), subscriptions);
  }
  return subscriptions;
}

std::string answer_stream_request(Subscriptions& subscriptions, std::string_view text) {
  simdjson::dom::parser parser;
  element request;
  if (parser.parse(text.data(), text.size()).get(request) != simdjson::SUCCESS) {
    return failure(3, "Invalid JSON: expected value at line 1 column 1", "null");
  }
  std::string_view method;
  const std::string id = id_of(request);
  if (!request.is_object() || request["method"].get(method) != simdjson::SUCCESS) {
    return failure(2, "Invalid request: missing field `method`", id);
  }
  if (method == "SUBSCRIBE" || method == "UNSUBSCRIBE")
    return subscribe(subscriptions, request, method == "SUBSCRIBE", id);
  if (method == "LIST_SUBSCRIPTIONS") return success(list_of(subscriptions), id);
  if (method == "SET_PROPERTY" || method == "GET_PROPERTY") {
    return property(subscriptions, request, method == "SET_PROPERTY", id);
  }
  return failure(
      2,
      fmt::format("Invalid request: unknown variant `{}`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, "
                  "`LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`",
                  escaped(method)),
      id);
}

}  // namespace chandler::sim
