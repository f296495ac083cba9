#include "web/parameters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "lake/layout.hpp"

namespace chandler::web {
namespace {

Status bad(const Param& param, std::string_view what) {
  return fail(ErrorCode::usage, fmt::format("the parameter {} {}", param.name, what), {},
              param.about.empty() ? std::string{} : fmt::format("{}: {}", param.name, param.about));
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Status check(const Param& param, const std::string& value) {
  if (value.size() > 256) return bad(param, "is too long");
  if (!param.choices.empty() && std::ranges::find(param.choices, value) == param.choices.end()) {
    return bad(param, fmt::format("has to be one of {}", fmt::join(param.choices, ", ")));
  }
  switch (param.type) {
    case ParamType::text:
      return {};
    case ParamType::symbol:
      return lake::is_symbol(value) ? Status{} : bad(param, "is no symbol");
    case ParamType::interval:
      return candles::parse_interval(value) ? Status{} : bad(param, "is no interval");
    case ParamType::boolean:
      return value == "true" || value == "false" ? Status{} : bad(param, "has to be true or false");
    case ParamType::instant: {
      const auto instant = parse_instant(value);
      const bool sane = instant && *instant >= Timestamp{} && *instant < from_ms(253'402'300'800'000);
      return sane ? Status{} : bad(param, "is no instant: a day, an ISO time, or milliseconds since 1970");
    }
    case ParamType::integer: {
      const auto number = parse_integer(value);
      if (!number || *number < param.least || *number > param.most) {
        return bad(param, fmt::format("has to be a whole number from {} to {}", param.least, param.most));
      }
      return {};
    }
  }
  return {};
}

}  // namespace

Result<Arguments> Arguments::read(const std::vector<Param>& params,
                                  const std::vector<net::QueryParam>& query) {
  Arguments arguments;
  for (const net::QueryParam& sent : query) {
    const auto param = std::ranges::find(params, sent.name, &Param::name);
    if (param == params.end()) {
      std::string known;
      for (const Param& p : params) known += (known.empty() ? "" : ", ") + p.name;
      return fail(ErrorCode::usage, fmt::format("there is no parameter {}", sent.name.substr(0, 64)), {},
                  known.empty() ? "none is taken" : fmt::format("there are {}", known));
    }
    CHANDLER_TRY(check(*param, sent.value));
    if (!arguments.values_.emplace(sent.name, sent.value).second) CHANDLER_TRY(bad(*param, "was sent twice"));
  }
  for (const Param& param : params) {
    if (arguments.has(param.name)) continue;
    if (param.required) CHANDLER_TRY(bad(param, "is needed"));
    if (!param.by_default.empty()) arguments.values_.emplace(param.name, param.by_default);
  }
  return arguments;
}

std::string Arguments::text(std::string_view name) const {
  const auto it = values_.find(name);
  return it == values_.end() ? std::string{} : it->second;
}

std::int64_t Arguments::integer(std::string_view name) const {
  return parse_integer(text(name)).value_or(0);
}

candles::Interval Arguments::interval(std::string_view name) const {
  return candles::parse_interval(text(name)).value_or(candles::Interval::d1);
}

std::optional<Timestamp> Arguments::instant(std::string_view name) const {
  if (!has(name)) return std::nullopt;
  const auto instant = parse_instant(text(name));
  return instant ? std::optional(*instant) : std::nullopt;
}

Answer call(const Route& route, const net::HttpRequest& request) {
  const auto arguments = Arguments::read(route.params, request.query);
  return arguments ? route.handle(*arguments) : error_answer(arguments.error());
}

}  // namespace chandler::web
