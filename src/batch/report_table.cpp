#include "batch/report_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/number_text.hpp"

namespace chandler::batch {
namespace {

std::string quoted_if_needed(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    out += c;
    if (c == '"') out += c;
  }
  return out + '"';
}

std::string csv_field(const ReportCell& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return quoted_if_needed(*text);
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *whole);
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  return {};
}

std::string shown(std::string_view column, double value) {
  if (column.ends_with("_pct")) return group_digits(fmt::format("{:.4f}", value));
  const double size = std::abs(value);
  if (size >= 1e6) return group_digits(fmt::format("{:.0f}", value));
  if (size >= 1e-4 || size == 0) return group_digits(fmt::format("{:.8g}", value));
  std::string digits = fmt::format("{:.14f}", value);  // a price like 0.00001234, without an exponent
  digits.erase(digits.find_last_not_of('0') + 1);
  return digits;
}

bool is_number(const ReportCell& cell) {
  return std::holds_alternative<std::int64_t>(cell) || std::holds_alternative<double>(cell);
}

}  // namespace

std::vector<std::uint32_t> ReportRows::in_order(std::size_t count) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  return order;
}

ReportRow ReportRows::operator[](std::size_t i) const {
  const std::size_t number = order_[i];
  return number < made_ ? make_(number) : kept_[number - made_];
}

void ReportRows::push_back(ReportRow row) {
  order_.push_back(static_cast<std::uint32_t>(made_ + kept_.size()));
  kept_.push_back(std::move(row));
}

void ReportRows::sort_down_by(const std::function<double(const ReportRow&)>& key) {
  if (size() < 2) return;
  std::vector<std::pair<double, std::uint32_t>> keyed;
  keyed.reserve(size());
  for (std::size_t i = 0; i < size(); ++i) keyed.emplace_back(key((*this)[i]), order_[i]);
  std::ranges::stable_sort(keyed, std::ranges::greater{}, [](const auto& entry) { return entry.first; });
  std::ranges::transform(keyed, order_.begin(), [](const auto& entry) { return entry.second; });
}

void ReportRows::keep_if(const std::function<bool(const ReportRow&)>& wanted) {
  std::vector<std::uint32_t> left;
  for (std::size_t i = 0; i < size(); ++i) {
    if (wanted((*this)[i])) left.push_back(order_[i]);
  }
  order_ = std::move(left);
}

bool ReportRows::any_number(std::size_t column) const {
  return (made_ > 0 && is_number(make_(0)[column])) ||
         std::ranges::any_of(kept_, [column](const ReportRow& row) { return is_number(row[column]); });
}

std::size_t column_of(const ReportTable& table, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(table.columns, name) - table.columns.begin());
}

std::string cell_text(std::string_view column, const ReportCell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* whole = std::get_if<std::int64_t>(&cell))
    return column == "year" ? std::to_string(*whole) : group_digits(*whole);
  if (const auto* number = std::get_if<double>(&cell)) return shown(column, *number);
  if (const auto* flag = std::get_if<bool>(&cell)) return *flag ? "yes" : "no";
  return {};
}

bool is_numeric(const ReportTable& table, std::size_t column) {
  return table.rows.any_number(column);
}

ReportTable worst_first(ReportTable table) {
  if (table.name == "summary") {
    const std::size_t missing = column_of(table, "missing_minutes");
    table.rows.sort_down_by(
        [=](const ReportRow& row) { return static_cast<double>(std::get<std::int64_t>(row[missing])); });
  } else if (table.name == "per_day_counts") {
    const std::size_t count = column_of(table, "cnt"), missing = column_of(table, "missing"),
                      filled = column_of(table, "filled");
    table.rows.sort_down_by([=](const ReportRow& row) {
      const bool day_only = std::get<std::int64_t>(row[count]) == 0 && !std::get<bool>(row[filled]);
      return day_only ? 0.0 : static_cast<double>(std::get<std::int64_t>(row[missing]));
    });
  }
  return table;
}

std::string to_csv(const ReportTable& table) {
  std::string out = fmt::format("{}\n", fmt::join(table.columns, ","));
  for (const ReportRow& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += ',';
      out += csv_field(row[i]);
    }
    out += '\n';
  }
  return out;
}

}  // namespace chandler::batch
