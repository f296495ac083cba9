#include "lake/layout.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>

namespace chandler::lake {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"klines_1m", "klines_1d", "speed_1m", "daily_filled",
                                                    "prophet_input"};
constexpr std::string_view kFile = "part.parquet";

// How many of year, month, day are in a table's path.
int depth(Table table) {
  switch (table) {
    case Table::klines_1m:
    case Table::daily_filled:
      return 2;
    case Table::klines_1d:
      return 1;
    case Table::speed_1m:
      return 3;
    case Table::prophet_input:
      return 0;
  }
  return 0;
}

std::string_view take_segment(std::string_view& rest) {
  const auto slash = rest.find('/');
  const auto segment = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  return segment;
}

// "key=N" with N written without leading zeros.
std::optional<int> take_number(std::string_view& rest, std::string_view key) {
  std::string_view segment = take_segment(rest);
  if (!segment.starts_with(key) || segment.size() <= key.size() || segment[key.size()] != '=')
    return std::nullopt;
  segment.remove_prefix(key.size() + 1);
  int value = 0;
  const auto [end, ec] = std::from_chars(segment.data(), segment.data() + segment.size(), value);
  if (ec != std::errc{} || end != segment.data() + segment.size() || segment[0] == '0' || value <= 0) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

std::string_view name(Table table) {
  return kNames[static_cast<std::size_t>(table)];
}

TimeRange Partition::range() const {
  switch (depth(table)) {
    case 1:
      return {begin_of(std::chrono::year{year} / 1), begin_of(std::chrono::year{year + 1} / 1)};
    case 2:
      return {begin_of(ym()), end_of(ym())};
    case 3: {
      const Day d{ym() / std::chrono::day{day}};
      return {begin_of(d), end_of(d)};
    }
    default:
      return {from_ms(std::numeric_limits<std::int64_t>::min() / 2),
              from_ms(std::numeric_limits<std::int64_t>::max() / 2)};
  }
}

Partition minutes_partition(std::string symbol, year_month m) {
  return {Table::klines_1m, std::move(symbol), year_number(m), month_number(m), 0};
}

Partition days_partition(std::string symbol, int year) {
  return {Table::klines_1d, std::move(symbol), year, 0, 0};
}

Partition speed_partition(std::string symbol, Day day) {
  const std::chrono::year_month_day ymd{day};
  return {Table::speed_1m, std::move(symbol), static_cast<int>(ymd.year()),
          static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day())};
}

Partition daily_partition(std::string symbol, year_month m) {
  return {Table::daily_filled, std::move(symbol), year_number(m), month_number(m), 0};
}

Partition prophet_partition(std::string symbol) {
  return {Table::prophet_input, std::move(symbol), 0, 0, 0};
}

std::string directory_of(Table table, std::string_view symbol) {
  return fmt::format("{}/symbol={}", name(table), symbol);
}

std::string path_of(const Partition& p) {
  std::string path = directory_of(p.table, p.symbol);
  const int cuts = depth(p.table);
  if (cuts >= 1) path += fmt::format("/year={}", p.year);
  if (cuts >= 2) path += fmt::format("/month={}", p.month);
  if (cuts >= 3) path += fmt::format("/day={}", p.day);
  return fmt::format("{}/{}", path, kFile);
}

std::optional<Partition> parse_path(std::string_view path) {
  std::string_view rest = path;
  const std::string_view table = take_segment(rest);
  Partition p;
  std::size_t index = 0;
  while (index < kNames.size() && kNames[index] != table) ++index;
  if (index == kNames.size()) return std::nullopt;
  p.table = static_cast<Table>(index);

  const std::string_view symbol = take_segment(rest);
  if (!symbol.starts_with("symbol=") || !is_symbol(symbol.substr(7))) return std::nullopt;
  p.symbol = symbol.substr(7);
  const int cuts = depth(p.table);
  if (cuts >= 1) {
    const auto year = take_number(rest, "year");
    if (!year || *year > 9999) return std::nullopt;
    p.year = *year;
  }
  if (cuts >= 2) {
    const auto month = take_number(rest, "month");
    if (!month || *month > 12) return std::nullopt;
    p.month = static_cast<unsigned>(*month);
  }
  if (cuts >= 3) {
    const auto day = take_number(rest, "day");
    if (!day || !(p.ym() / std::chrono::day{static_cast<unsigned>(*day)}).ok()) return std::nullopt;
    p.day = static_cast<unsigned>(*day);
  }
  if (rest != kFile) return std::nullopt;
  return p;
}

bool is_symbol(std::string_view text) {
  if (text.empty() || text.size() > 64 || text[0] == '.') return false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f || c == '/' || c == '\\' || c == '=' || c == '%') return false;
  }
  return true;
}

}  // namespace chandler::lake
