#include "forecast/forecast_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "base/time.hpp"
#include "lake/derived_file.hpp"

namespace chandler::forecast {
namespace {

constexpr double kAbsurdRatio = 1000;

std::string trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '"'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return std::string(text);
}

std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells;
  while (true) {
    const std::size_t comma = line.find(',');
    cells.push_back(trimmed(line.substr(0, comma)));
    if (comma == std::string_view::npos) return cells;
    line.remove_prefix(comma + 1);
  }
}

template <class T>
std::optional<T> number(const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Status check_closes(const SymbolData& data) {
  const auto refuse = [&](std::string what, std::size_t row) {
    return fail(ErrorCode::invalid_data, fmt::format("{}: {}", data.symbol, what),
                format_day(from_day_number(data.day[row])),
                "look at the day with `chandler candles`, fetch it again with `chandler backfill --refetch`");
  };
  for (std::size_t i = 0; i < data.close.size(); ++i) {
    if (!(data.close[i] > 0) || !std::isfinite(data.close[i])) {
      return refuse(fmt::format("a close of {} is not a price", data.close[i]), i);
    }
    if (i == 0) continue;
    const double ratio = data.close[i] / data.close[i - 1];
    if (ratio > kAbsurdRatio || ratio < 1 / kAbsurdRatio) {
      return refuse(fmt::format("the close goes from {} to {} in one day, which no market does",
                                data.close[i - 1], data.close[i]),
                    i);
    }
  }
  const auto [low, high] = std::ranges::minmax(data.close);
  if (low == high) {
    return fail(
        ErrorCode::invalid_data,
        fmt::format("{}: all {} closes are {}; the forecast is that value, and there is nothing to model",
                    data.symbol, data.close.size(), low));
  }
  return {};
}

}  // namespace

SymbolInput SymbolData::input() const {
  SymbolInput input{{day, close}, {}, holidays};
  for (std::size_t r = 0; r < regressors.size(); ++r)
    input.regressors.push_back({regressor_names[r], regressors[r]});
  return input;
}

Result<SymbolData> read_symbol(const lake::Storage& storage, const std::string& symbol,
                               const std::vector<std::string>& regressors) {
  const auto rebuild = "run `chandler build " + symbol + "`";
  CHANDLER_ASSIGN(const auto daily, lake::read_daily(storage, symbol));
  auto prophet = lake::read_prophet(storage, symbol);
  if (!prophet || daily.size() == 0) {
    if (!prophet && prophet.error().code != ErrorCode::not_found)
      return std::unexpected(std::move(prophet).error());
    return fail(ErrorCode::not_found, fmt::format("{} has no daily closes", symbol), {}, rebuild);
  }
  if (prophet->ds != daily.date || prophet->y.size() != daily.size()) {
    return fail(ErrorCode::damaged, fmt::format("prophet_input and daily_filled of {} differ", symbol), {},
                rebuild);
  }
  SymbolData data;
  data.symbol = symbol;
  std::size_t first = daily.size();
  for (std::size_t i = 0; i < daily.size(); ++i) {
    if (daily.filled[i] != 0) {
      ++data.filled;
      continue;
    }
    first = std::min(first, i);
    data.day.push_back(daily.date[i]);
    data.close.push_back(prophet->y[i]);
  }
  if (data.day.empty()) {
    return fail(ErrorCode::not_found, fmt::format("{} has only filled days", symbol), {},
                "run `chandler backfill`");
  }
  for (const std::string& name : regressors) {
    const std::vector<double>& column = name == "ma7" ? daily.ma7 : daily.ma30;
    data.regressor_names.push_back(name);
    data.regressors.emplace_back(column.begin() + static_cast<std::ptrdiff_t>(first), column.end());
  }
  CHANDLER_TRY(check_closes(data));
  return data;
}

Result<std::vector<HolidayRule>> parse_holidays(std::string_view text, const std::string& where) {
  std::vector<HolidayRule> rules;
  std::map<std::string, std::size_t, std::less<>> column;
  std::size_t line_number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    ++line_number;
    if (trimmed(line).empty()) continue;
    const std::vector<std::string> cells = cells_of(line);
    const auto refuse = [&](std::string what) {
      return fail(ErrorCode::usage, std::move(what), fmt::format("{}:{}", where, line_number),
                  "rows are holiday,ds,lower_window,upper_window with ds as YYYY-MM-DD");
    };
    if (column.empty()) {
      for (std::size_t i = 0; i < cells.size(); ++i) column[cells[i]] = i;
      if (!column.contains("holiday") || !column.contains("ds"))
        return refuse("the header lacks `holiday` or `ds`");
      continue;
    }
    const auto cell = [&](std::string_view name) {
      const auto found = column.find(name);
      return found == column.end() || found->second >= cells.size() ? std::string{} : cells[found->second];
    };
    const std::string name = cell("holiday");
    const auto day = parse_day(cell("ds"));
    if (name.empty() || !day) return refuse("a row has no name or no day");
    const std::string prefix = cell("symbol");
    auto rule = std::ranges::find_if(
        rules, [&](const HolidayRule& r) { return r.holiday.name == name && r.symbol_prefix == prefix; });
    if (rule == rules.end()) {
      HolidayRule fresh{prefix, {name, {}, 0, 0, {}}};
      for (const auto& [key, target] : {std::pair{"lower_window", &fresh.holiday.lower_window},
                                        std::pair{"upper_window", &fresh.holiday.upper_window}}) {
        if (cell(key).empty()) continue;
        const auto value = number<int>(cell(key));
        if (!value) return refuse(fmt::format("`{}` is not a number of days", cell(key)));
        *target = *value;
      }
      if (!cell("prior_scale").empty()) {
        fresh.holiday.prior_scale = number<double>(cell("prior_scale"));
        if (!fresh.holiday.prior_scale || !(*fresh.holiday.prior_scale > 0))
          return refuse("prior_scale is not positive");
      }
      if (fresh.holiday.lower_window > 0 || fresh.holiday.upper_window < 0) {
        return refuse("lower_window must not be above 0, nor upper_window below");
      }
      rule = rules.insert(rules.end(), std::move(fresh));
    }
    rule->holiday.days.push_back(to_day_number(*day));
  }
  return rules;
}

std::vector<Holiday> holidays_of(const std::string& symbol, const std::vector<HolidayRule>& rules) {
  std::vector<Holiday> holidays;
  const Holiday halvings = bitcoin_halvings();
  const bool replaced =
      std::ranges::any_of(rules, [&](const HolidayRule& r) { return r.holiday.name == halvings.name; });
  if (symbol.starts_with("BTC") && !replaced) holidays.push_back(halvings);
  for (const HolidayRule& rule : rules) {
    if (symbol.starts_with(rule.symbol_prefix)) holidays.push_back(rule.holiday);
  }
  return holidays;
}

}  // namespace chandler::forecast
