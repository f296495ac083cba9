#include "sim/query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace chandler::sim {
namespace {

constexpr std::string_view kSymbolRange = "^[A-Z0-9-_.]{1,20}$";
constexpr std::string_view kNumberRange = "^[0-9]{1,20}$";

bool is_symbol(std::string_view text) {
  return !text.empty() && text.size() <= 20 && std::ranges::all_of(text, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 20 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Twenty digits may be more than 64 bits hold; such a number is as good as the largest.
std::int64_t number_of(std::string_view digits) {
  std::int64_t value = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return ec == std::errc{} ? value : std::numeric_limits<std::int64_t>::max();
}

std::unexpected<ApiError> missing(std::string_view name) {
  return std::unexpected(ApiError{
      -1102, fmt::format("Mandatory parameter '{}' was not sent, was empty/null, or malformed.", name)});
}

std::unexpected<ApiError> illegal(std::string_view name, std::string_view range) {
  return std::unexpected(ApiError{
      -1100, fmt::format("Illegal characters found in parameter '{}'; legal range is '{}'.", name, range)});
}

std::unexpected<ApiError> invalid(std::string_view name) {
  return std::unexpected(ApiError{-1130, fmt::format("Data sent for parameter '{}' is not valid.", name)});
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out;
}

// "+05:45", "-1", "0" → offset.
std::optional<Millis> parse_zone(std::string_view text) {
  bool negative = false;
  if (text.starts_with('-') || text.starts_with('+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  const auto colon = text.find(':');
  const std::string_view hours = text.substr(0, colon);
  const std::string_view minutes =
      colon == std::string_view::npos ? std::string_view("00") : text.substr(colon + 1);
  if (!is_number(hours) || hours.size() > 2 || !is_number(minutes) || minutes.size() != 2)
    return std::nullopt;
  if (number_of(minutes) > 59) return std::nullopt;
  const Millis offset = std::chrono::hours(number_of(hours)) + std::chrono::minutes(number_of(minutes));
  return negative ? -offset : offset;
}

// ["A","B"]: nothing if it is no such list.
std::optional<std::vector<std::string>> parse_list(std::string_view text) {
  std::vector<std::string> items;
  if (text.size() < 2 || !text.starts_with('[') || !text.ends_with(']')) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  while (!text.empty()) {
    const auto comma = text.find(',');
    const std::string_view quoted = text.substr(0, comma);
    if (quoted.size() < 3 || quoted.front() != '"' || quoted.back() != '"') return std::nullopt;
    items.emplace_back(quoted.substr(1, quoted.size() - 2));
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    if (comma != std::string_view::npos && text.empty()) return std::nullopt;
  }
  return items;
}

// The exchange's list of them: SPOT, MARGIN, LEVERAGED, TRD_GRP_002 and on.
bool is_permission(std::string_view text) {
  constexpr std::string_view kGroup = "TRD_GRP_";
  if (text == "SPOT" || text == "MARGIN" || text == "LEVERAGED") return true;
  return text.starts_with(kGroup) && text.size() == kGroup.size() + 3 &&
         is_number(text.substr(kGroup.size()));
}

// Declares `lhs` with the parameter's value, or nothing where it was not sent.
#define CHANDLER_TAKE(lhs, name) CHANDLER_TAKE_(CHANDLER_CONCAT(taken_, __LINE__), lhs, name)
#define CHANDLER_TAKE_(taken, lhs, name)             \
  const auto taken = take(name);                     \
  if (!taken) return std::unexpected(taken.error()); \
  lhs = *taken

}  // namespace

std::string to_json(const ApiError& error) {
  return fmt::format(R"({{"code":{},"msg":"{}"}})", error.code, escaped(error.message));
}

net::HttpResponse to_response(const ApiError& error, int status) {
  return net::HttpResponse::json(status, to_json(error));
}

Answer<std::optional<std::string_view>> Query::take(std::string_view name) {
  for (const net::QueryParam& p : params_) {
    if (p.name != name) continue;
    ++read_;
    if (p.value.empty()) {
      return std::unexpected(ApiError{-1105, fmt::format("Parameter '{}' was empty.", name)});
    }
    return p.value;
  }
  return std::nullopt;
}

Answer<std::optional<std::string>> Query::optional_symbol() {
  CHANDLER_TAKE(const auto text, "symbol");
  if (!text) return std::nullopt;
  if (!is_symbol(*text)) return illegal("symbol", kSymbolRange);
  return std::string(*text);
}

Answer<std::string> Query::symbol() {
  auto symbol = optional_symbol();
  if (!symbol) return std::unexpected(symbol.error());
  if (!*symbol) return missing("symbol");
  return std::move(**symbol);
}

Answer<std::optional<std::vector<std::string>>> Query::symbols() {
  constexpr std::string_view kRange = R"(^\[("[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}){0,1}\]$)";
  CHANDLER_TAKE(const auto text, "symbols");
  if (!text) return std::nullopt;
  auto symbols = parse_list(*text);
  if (!symbols || !std::ranges::all_of(*symbols, is_symbol)) return illegal("symbols", kRange);
  if (symbols->empty()) return invalid("symbols");
  std::vector<std::string_view> sorted(symbols->begin(), symbols->end());
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end()) {
    return std::unexpected(ApiError{-1151, "Symbol is present multiple times in the list."});
  }
  return symbols;
}

Answer<std::string> Query::interval_name() {
  CHANDLER_TAKE(const auto text, "interval");
  if (!text) return missing("interval");
  return std::string(*text);
}

Answer<std::optional<std::vector<std::string>>> Query::permissions() {
  CHANDLER_TAKE(const auto text, "permissions");
  if (!text) return std::nullopt;
  auto permissions = parse_list(*text);
  if (!permissions) permissions = std::vector{std::string(*text)};
  if (permissions->empty() || !std::ranges::all_of(*permissions, is_permission))
    return invalid("permissions");
  return permissions;
}

Answer<std::string> Query::symbol_status() {
  return choice("symbolStatus", "", {"TRADING", "HALT", "BREAK"}, ApiError{-1122, "Invalid symbolStatus."});
}

Answer<bool> Query::full_ticker() {
  const auto type = choice("type", "FULL", {"FULL", "MINI"}, ApiError{-1139, "Invalid ticker type."});
  if (!type) return std::unexpected(type.error());
  return *type == "FULL";
}

Answer<TimeUnit> Query::time_unit() const {
  const std::string_view unit = request_.header("x-mbx-time-unit");
  if (unit.empty() || unit == "MILLISECOND" || unit == "millisecond") return TimeUnit::milliseconds;
  if (unit == "MICROSECOND" || unit == "microsecond") return TimeUnit::microseconds;
  return std::unexpected(
      ApiError{-1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND."});
}

Answer<std::size_t> Query::limit(std::size_t by_default, std::size_t most) {
  CHANDLER_TAKE(const auto text, "limit");
  if (!text) return by_default;
  if (!is_number(*text)) return illegal("limit", kNumberRange);
  const std::int64_t limit = number_of(*text);
  if (limit == 0) return invalid("limit");
  return std::min(static_cast<std::size_t>(limit), most);
}

Answer<std::optional<Timestamp>> Query::time(std::string_view name, Rounding rounding) {
  // In milliseconds the end of the year 9999; in microseconds an instant of 1978.
  constexpr std::int64_t kYear9999 = 253'402'300'799'999;
  CHANDLER_TAKE(const auto text, name);
  if (!text) return std::nullopt;
  if (!is_number(*text)) return illegal(name, kNumberRange);
  std::int64_t ms = number_of(*text);
  if (ms > kYear9999) ms = ms / 1000 + (rounding == Rounding::up && ms % 1000 != 0 ? 1 : 0);
  return from_ms(std::min(ms, kYear9999));
}

Answer<Millis> Query::time_zone() {
  CHANDLER_TAKE(const auto text, "timeZone");
  if (!text) return Millis{0};
  const auto zone = parse_zone(*text);
  if (!zone || *zone < -std::chrono::hours(12) || *zone > std::chrono::hours(14)) return invalid("timeZone");
  return *zone;
}

Answer<std::string> Query::choice(std::string_view name, std::string_view by_default,
                                  std::initializer_list<std::string_view> allowed,
                                  std::optional<ApiError> refusal) {
  CHANDLER_TAKE(const auto text, name);
  if (!text) return std::string(by_default);
  if (std::ranges::find(allowed, *text) != allowed.end()) return std::string(*text);
  return refusal ? std::unexpected(std::move(*refusal)) : invalid(name);
}

Answer<void> Query::all_read() const {
  for (std::size_t i = 0; i < params_.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (params_[i].name == params_[j].name) {
        return std::unexpected(ApiError{-1101, "Duplicate values for a parameter detected."});
      }
    }
  }
  if (read_ == params_.size()) return {};
  if (read_ == 0) {
    return std::unexpected(
        ApiError{-1101, fmt::format("Too many parameters; expected '0' and received '{}'.", params_.size())});
  }
  return std::unexpected(ApiError{
      -1104, fmt::format("Not all sent parameters were read; read '{}' parameter(s) but was sent '{}'.",
                         read_, params_.size())});
}

}  // namespace chandler::sim
