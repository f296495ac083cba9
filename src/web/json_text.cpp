#include "web/json_text.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace chandler::web {
namespace {

template <class Values>
void append_all(std::string& out, std::string_view name, const Values& values) {
  append_name(out, name);
  out += '[';
  bool first = true;
  for (const auto& value : values) {
    if (!first) out += ',';
    first = false;
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, double>) {
      append_number(out, value);
    } else {
      append_number(out, static_cast<std::int64_t>(value));
    }
  }
  out += ']';
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  out += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  fmt::format_to(std::back_inserter(out), "{}", value);
}

void append_number(std::string& out, std::int64_t value) {
  const fmt::format_int digits(value);
  out.append(digits.data(), digits.size());
}

void append_instant(std::string& out, Timestamp t) {
  out += '"';
  out += format_instant(t);
  out += '"';
}

void append_name(std::string& out, std::string_view name) {
  if (!out.empty() && out.back() != '{' && out.back() != '[') out += ',';
  out += '"';
  out += name;
  out += "\":";
}

void append_column(std::string& out, std::string_view name, std::span<const double> values) {
  append_all(out, name, values);
}
void append_column(std::string& out, std::string_view name, std::span<const std::int64_t> values) {
  append_all(out, name, values);
}
void append_column(std::string& out, std::string_view name, std::span<const std::int32_t> values) {
  append_all(out, name, values);
}
void append_column(std::string& out, std::string_view name, std::span<const std::uint8_t> values) {
  append_all(out, name, values);
}

}  // namespace chandler::web
