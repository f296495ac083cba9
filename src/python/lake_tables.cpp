#include "python/lake_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "batch/report.hpp"
#include "batch/status.hpp"
#include "lake/table_file.hpp"
#include "python/batch_output.hpp"
#include "python/table_builder.hpp"

namespace chandler::python {
namespace {

constexpr const char* kForecastRemedy = "run `chandler forecast`, which writes one";

template <class T, class Of>
auto column_of(const std::vector<T>& rows, Of of) {
  std::vector<std::decay_t<std::invoke_result_t<Of, const T&>>> values;
  values.reserve(rows.size());
  for (const T& row : rows) values.push_back(of(row));
  return values;
}

std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> cells;
  for (;;) {
    const std::size_t comma = line.find(',');
    cells.emplace_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return cells;
    line.remove_prefix(comma + 1);
  }
}

double number_of(const std::string& cell) {
  double value = candles::kUnknown;
  std::from_chars(cell.data(), cell.data() + cell.size(), value);
  return value;
}

// A table file's columns with the vectors they were read into.
struct ReadTable {
  std::vector<std::string> names;
  std::vector<std::int32_t> ds;
  std::vector<std::vector<double>> values;
};

std::vector<lake::Column> columns_of(const ReadTable& table) {
  std::vector<lake::Column> columns{{"ds", lake::ColumnType::date, false, std::span(table.ds)}};
  for (std::size_t i = 0; i < table.names.size(); ++i)
    columns.push_back({table.names[i], lake::ColumnType::float64, true, std::span(table.values[i])});
  return columns;
}

}  // namespace

Result<Batches> status_table(const lake::Storage& storage, const std::vector<std::string>& symbols) {
  CHANDLER_ASSIGN(const auto all, batch::read_status(storage, symbols));
  const auto count = [&](auto member) {
    return column_of(all, [&](const batch::SymbolStatus& s) { return static_cast<std::int64_t>(s.*member); });
  };
  using S = batch::SymbolStatus;
  TableBuilder table;
  table.text("symbol", column_of(all, [](const S& s) { return s.symbol; }));
  table.counts("minutes", count(&S::minutes));
  table.instants("first", column_of(all, [](const S& s) { return s.first; }));
  table.instants("last", column_of(all, [](const S& s) { return s.last; }));
  table.numbers("coverage", column_of(all, [](const S& s) { return s.coverage; }));
  table.counts("holes", count(&S::holes));
  table.counts("missing_minutes", count(&S::missing_minutes));
  table.counts("not_asked_minutes", count(&S::not_asked_minutes));
  table.counts("exchange_days", count(&S::exchange_days));
  table.counts("days", count(&S::days));
  table.counts("filled_days", count(&S::filled_days));
  table.days("first_day", column_of(all, [](const S& s) { return s.first_day; }));
  table.days("last_day", column_of(all, [](const S& s) { return s.last_day; }));
  table.counts("speed_minutes", count(&S::speed_minutes));
  table.counts("lag_seconds", column_of(all, [](const S& s) { return std::int64_t{s.lag.count() / 1000}; }));
  return table.finish();
}

Result<Batches> gaps_table(const lake::Storage& storage, const std::vector<std::string>& wanted,
                           std::int64_t min_minutes) {
  CHANDLER_ASSIGN(const auto symbols, batch::select_symbols(storage, wanted));
  CHANDLER_ASSIGN(const auto histories, batch::read_histories(storage, symbols));
  struct Row {
    std::string symbol;
    batch::ReportGap gap;
  };
  std::vector<Row> rows;
  for (const auto& history : histories) {
    for (const auto& gap : history.gaps) {
      if (gap.range.length() >= kMinute * min_minutes) rows.push_back({history.symbol, gap});
    }
  }
  TableBuilder table;
  table.text("symbol", column_of(rows, [](const Row& r) { return r.symbol; }));
  table.instants("start", column_of(rows, [](const Row& r) { return std::optional(r.gap.range.begin); }));
  table.instants("end", column_of(rows, [](const Row& r) { return std::optional(r.gap.range.end); }));
  table.counts("minutes", column_of(rows, [](const Row& r) {
                 return static_cast<std::int64_t>(r.gap.range.length() / kMinute);
               }));
  table.flags("asked", column_of(rows, [](const Row& r) { return r.gap.asked; }));
  return table.finish();
}

Result<std::string> latest_run(const lake::Storage& storage) {
  const auto text = lake::read_text(storage, "forecasts/latest.json");
  if (!text && text.error().code == ErrorCode::not_found)
    return fail(ErrorCode::not_found, "the lake has no forecast", storage.uri(), kForecastRemedy);
  if (!text) return std::unexpected(text.error());
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  if (json.is_object() && json.contains("run") && json["run"].is_string()) {
    std::string run = json["run"];
    if (run.find('/') == std::string::npos) return run;
  }
  return fail(ErrorCode::damaged, "latest.json names no run", "forecasts/latest.json", kForecastRemedy);
}

Result<Batches> forecast_table(const lake::Storage& storage, const std::string& run,
                               const std::string& symbol) {
  const std::string path = fmt::format("forecasts/run={}/{}_forecast.parquet", run, symbol);
  auto opened = storage.open(path);
  if (!opened && opened.error().code == ErrorCode::not_found) {
    return fail(ErrorCode::not_found, fmt::format("run {} has no forecast of {}", run, symbol), path,
                fmt::format("run `chandler forecast {}`", symbol));
  }
  if (!opened) return std::unexpected(opened.error());
  CHANDLER_ASSIGN(auto file, lake::TableFile::open(std::move(*opened), path));
  ReadTable table;
  CHANDLER_TRY(file.read("ds", table.ds));
  for (const std::string& column : file.schema()) {  // "double yhat?"
    std::string_view name = column;
    if (!name.starts_with("double ")) continue;
    name.remove_prefix(7);
    if (name.ends_with('?')) name.remove_suffix(1);
    table.names.emplace_back(name);
    table.values.emplace_back();
    CHANDLER_TRY(file.read(name, table.values.back()));
  }
  return Batches(owning_batch(std::move(table), columns_of));
}

Result<Batches> metrics_table(const lake::Storage& storage, const std::string& run,
                              const std::string& symbol) {
  const std::string path = fmt::format("forecasts/run={}/metrics.csv", run);
  CHANDLER_ASSIGN(const std::string text, lake::read_text(storage, path));
  std::vector<std::vector<std::string>> columns;
  std::vector<std::string> header;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    auto cells = split(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (header.empty()) {
      header = std::move(cells);
      columns.resize(header.size());
      continue;
    }
    if (cells.size() != header.size())
      return fail(ErrorCode::damaged, "a line has another number of cells", path);
    if (!symbol.empty() && cells.front() != symbol) continue;
    for (std::size_t i = 0; i < cells.size(); ++i) columns[i].push_back(std::move(cells[i]));
  }
  if (!symbol.empty() && (columns.empty() || columns.front().empty())) {
    return fail(ErrorCode::not_found, fmt::format("run {} has no forecast of {}", run, symbol), path,
                fmt::format("run `chandler forecast {}`", symbol));
  }
  TableBuilder table;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const std::string& name = header[i];
    if (name == "symbol" || name == "model" || name == "mode" || name == "kind") {
      table.text(name, columns[i]);
    } else if (name == "finalist" || name == "saved") {
      table.flags(name, column_of(columns[i], [](const std::string& cell) { return cell == "1"; }));
    } else if (name == "targets") {
      table.counts(name, column_of(columns[i], [](const std::string& cell) {
                     return static_cast<std::int64_t>(number_of(cell));
                   }));
    } else {
      table.numbers(name, column_of(columns[i], number_of));
    }
  }
  return table.finish();
}

}  // namespace chandler::python
