// A second JSON parser to compare with.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace chandler::fuzz {

// The document as nlohmann/json reads it; nothing where it is not JSON or an object has a key twice, for
// which parsers differ in which value they give.
inline std::optional<nlohmann::json> reference_json(std::string_view text) {
  std::vector<std::set<std::string>> keys;
  bool twice = false;
  const auto watch = [&](int, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    if (event == nlohmann::json::parse_event_t::object_start) keys.emplace_back();
    if (event == nlohmann::json::parse_event_t::object_end) keys.pop_back();
    if (event == nlohmann::json::parse_event_t::key)
      twice = !keys.back().insert(value.get<std::string>()).second || twice;
    return true;
  };
  auto document = nlohmann::json::parse(text, watch, false);
  if (document.is_discarded() || twice) return std::nullopt;
  return document;
}

// A number, or the text of one. NaN for anything else.
inline double reference_number(const nlohmann::json& value) {
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return std::numeric_limits<double>::quiet_NaN();
  const std::string text = value.get<std::string>();
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  return end == text.c_str() + text.size() ? number : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace chandler::fuzz
