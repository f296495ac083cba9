// What `chandler forecast` has written under forecasts/: runs, forecasts, and the tables of figures.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "web/json_answer.hpp"
#include "web/sources.hpp"
#include "web/table_json.hpp"

namespace chandler::web {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFolder = "forecasts/";
constexpr std::string_view kRunPrefix = "run=";
constexpr std::string_view kForecastSuffix = "_forecast.parquet";
constexpr std::size_t kMostBytes = 16 << 20;

struct Run {
  std::string name;  // "2025-09-22T103000Z"
  std::vector<lake::StoredFile> files;

  const lake::StoredFile* find(std::string_view file) const {
    const std::string path = fmt::format("{}{}{}/{}", kFolder, kRunPrefix, name, file);
    const auto it = std::ranges::find(files, path, &lake::StoredFile::path);
    return it == files.end() ? nullptr : &*it;
  }
};

// Newest first: the names sort by time.
Result<std::vector<Run>> list_runs(const lake::Storage& storage) {
  CHANDLER_ASSIGN(const auto files, storage.list("forecasts"));
  std::vector<Run> runs;
  for (const lake::StoredFile& file : files) {
    std::string_view rest = file.path;
    if (!rest.starts_with(kFolder)) continue;
    rest.remove_prefix(kFolder.size());
    const std::size_t slash = rest.find('/');
    if (!rest.starts_with(kRunPrefix) || slash == std::string_view::npos) continue;
    const std::string_view name = rest.substr(kRunPrefix.size(), slash - kRunPrefix.size());
    if (runs.empty() || runs.back().name != name) runs.push_back({std::string(name), {}});
    runs.back().files.push_back(file);
  }
  std::ranges::sort(runs, std::ranges::greater{}, &Run::name);
  return runs;
}

// What latest.json names; the newest run where it names none that is there.
std::string latest_of(const lake::Storage& storage, const std::vector<Run>& runs) {
  if (const auto text = lake::read_text(storage, "forecasts/latest.json")) {
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    std::string_view run;
    const simdjson::padded_string padded(*text);
    if (!parser.parse(padded).get(root) && !root["run"].get(run) &&
        std::ranges::find(runs, run, &Run::name) != runs.end()) {
      return std::string(run);
    }
  }
  return runs.empty() ? std::string{} : runs.front().name;
}

std::vector<std::string> symbols_of(const Run& run) {
  std::vector<std::string> symbols;
  for (const lake::StoredFile& file : run.files) {
    std::string_view name = std::string_view(file.path).substr(file.path.rfind('/') + 1);
    if (!name.ends_with(kForecastSuffix)) continue;
    symbols.emplace_back(name.substr(0, name.size() - kForecastSuffix.size()));
  }
  return symbols;
}

Result<Run> find_run(const lake::Storage& storage, const Arguments& arguments) {
  CHANDLER_ASSIGN(auto runs, list_runs(storage));
  const std::string wanted = arguments.has("run") ? arguments.text("run") : latest_of(storage, runs);
  const auto run = std::ranges::find(runs, wanted, &Run::name);
  if (run == runs.end()) {
    return fail(ErrorCode::not_found,
                runs.empty() ? "the lake has no forecasts" : fmt::format("there is no run {}", wanted),
                storage.uri(),
                runs.empty() ? "run `chandler forecast` first" : "/api/v1/forecasts names them");
  }
  return std::move(*run);
}

Result<Answer> list(const Sources& sources, const Arguments&) {
  CHANDLER_ASSIGN(const auto runs, list_runs(*sources.storage));
  const std::string latest = latest_of(*sources.storage, runs);
  Json all = Json::array();
  for (const Run& run : runs) {
    Json files = Json::array();
    for (const lake::StoredFile& file : run.files) {
      files.push_back({{"name", file.path.substr(file.path.rfind('/') + 1)}, {"bytes", file.bytes}});
    }
    all.push_back(
        {{"run", run.name}, {"latest", run.name == latest}, {"symbols", symbols_of(run)}, {"files", files}});
  }
  return json_answer({{"runs", std::move(all)}}, Freshness::of_lake());
}

Result<Answer> forecast(const Sources& sources, const Arguments& arguments) {
  CHANDLER_ASSIGN(const Run run, find_run(*sources.storage, arguments));
  const std::string symbol = arguments.text("symbol");
  const std::string table_name = arguments.text("table");
  const lake::StoredFile* stored = run.find(fmt::format("{}_{}.parquet", symbol, table_name));
  if (stored == nullptr) {
    return fail(ErrorCode::not_found, fmt::format("the run {} has no {} of {}", run.name, table_name, symbol),
                {}, fmt::format("chandler forecast {}", symbol));
  }
  CHANDLER_ASSIGN(auto file, sources.storage->open(stored->path));
  CHANDLER_ASSIGN(auto table, lake::TableFile::open(std::move(file), stored->path));
  Json columns = Json::array();
  for (const ColumnInfo& column : columns_of(table)) {
    CHANDLER_ASSIGN(Json values, values_of(table, column, 0, table.rows()));
    columns.push_back({{"name", column.name}, {"type", column.type}, {"values", std::move(values)}});
  }
  return json_answer({{"symbol", symbol}, {"run", run.name}, {"columns", std::move(columns)}},
                     Freshness::of_lake());
}

// One line of CSV (RFC 4180, without line breaks inside quotes) into cells.
std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      cells.back() += line[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else if (c != '\r') {
      cells.back() += c;
    }
  }
  return cells;
}

// Numbers as numbers, nothing as null.
Json value_of(const std::string& cell) {
  if (cell.empty()) return nullptr;
  double number = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  if (error == std::errc{} && end == cell.data() + cell.size() && std::isfinite(number)) return number;
  return cell;
}

Json sheet_of(std::string_view csv) {
  Json columns = Json::array(), rows = Json::array();
  for (bool first = true; !csv.empty(); first = false) {
    const std::size_t end = csv.find('\n');
    const auto cells = cells_of(csv.substr(0, end));
    csv = end == std::string_view::npos ? std::string_view{} : csv.substr(end + 1);
    if (first) {
      columns = cells;
      continue;
    }
    if (cells.size() == 1 && cells[0].empty()) continue;
    Json row = Json::array();
    for (const std::string& cell : cells) row.push_back(value_of(cell));
    rows.push_back(std::move(row));
  }
  return {{"columns", std::move(columns)}, {"rows", std::move(rows)}};
}

// Only names that the run's folder lists are opened: no request can name another file.
Result<std::string> read_file(const Sources& sources, const Arguments& arguments, const std::string& name) {
  CHANDLER_ASSIGN(const Run run, find_run(*sources.storage, arguments));
  const lake::StoredFile* stored = run.find(name);
  if (stored == nullptr || static_cast<std::size_t>(stored->bytes) > kMostBytes) {
    return fail(ErrorCode::not_found, fmt::format("the run {} has no file {}", run.name, name), {},
                "/api/v1/forecasts names them");
  }
  return lake::read_text(*sources.storage, stored->path);
}

bool is_plain_name(std::string_view name) {
  return std::ranges::all_of(name,
                             [](unsigned char c) { return c >= 0x20 && c != '"' && c != '\\' && c != '/'; });
}

Result<Answer> sheet(const Sources& sources, const Arguments& arguments) {
  if (!is_plain_name(arguments.text("name"))) return fail(ErrorCode::usage, "the parameter name is no name");
  const std::string name = arguments.text("name") + ".csv";
  CHANDLER_ASSIGN(const std::string csv, read_file(sources, arguments, name));
  if (arguments.text("format") == "json") return json_answer(sheet_of(csv), Freshness::of_lake());
  Answer answer;
  answer.type = kCsv;
  answer.body = csv;
  answer.file_name = name;
  answer.freshness = Freshness::of_lake();
  return answer;
}

// summary.json as it is; null where a run has none.
Result<Answer> summary(const Sources& sources, const Arguments& arguments) {
  CHANDLER_ASSIGN(const Run run, find_run(*sources.storage, arguments));
  Json content = nullptr;
  if (run.find("summary.json") != nullptr) {
    CHANDLER_ASSIGN(const std::string text, read_file(sources, arguments, "summary.json"));
    content = Json::parse(text, nullptr, false);
    if (content.is_discarded()) {
      return fail(ErrorCode::damaged, "summary.json is no JSON", run.name, "run `chandler forecast` again");
    }
  }
  return json_answer({{"run", run.name}, {"summary", std::move(content)}}, Freshness::of_lake());
}

}  // namespace

std::vector<Route> forecast_routes(const Sources& sources) {
  const Param run{"run", ParamType::text, "a run that /api/v1/forecasts names; none: the latest"};
  Route runs;
  runs.path = "/api/v1/forecasts";
  runs.tag = "forecasts";
  runs.summary = "Runs of `chandler forecast`, the newest first, with their files";
  runs.types = {std::string(kJson)};
  runs.schema =
      R"({"type":"object","required":["runs"],"properties":{"runs":{"type":"array","items":{"type":"object",
    "required":["run","latest","symbols","files"],"properties":{"run":{"type":"string"},"latest":{"type":"boolean"},
    "symbols":{"type":"array","items":{"type":"string"}},"files":{"type":"array","items":{"type":"object",
    "required":["name","bytes"],"properties":{"name":{"type":"string"},"bytes":{"type":"integer"}}}}}}}}})";
  runs.handle = handled(sources, list);

  Route one;
  one.path = "/api/v1/forecast";
  one.tag = "forecasts";
  one.summary = "A symbol's forecast: days, expected value, interval, components";
  one.params = {symbol_param(),
                run,
                {"table",
                 ParamType::text,
                 "the days ahead, or the fit of the history with its components",
                 false,
                 "forecast",
                 {"forecast", "components"}}};
  one.types = {std::string(kJson)};
  one.schema =
      R"({"type":"object","required":["symbol","run","columns"],"properties":{"symbol":{"type":"string"},
    "run":{"type":"string"},"columns":{"type":"array","items":{"type":"object","required":["name","type","values"],
    "properties":{"name":{"type":"string"},"type":{"type":"string"},"values":{"type":"array"}}}}}})";
  one.handle = handled(sources, forecast);

  Route figures;
  figures.path = "/api/v1/forecast-sheet";
  figures.tag = "forecasts";
  figures.summary = "A table of a run: metrics, or a symbol's actual against predicted values";
  figures.params = {
      {"name", ParamType::text,
       "of the run's CSV file, without its ending: metrics, BTCUSDT_actual_vs_pred, …", false, "metrics"},
      run,
      {"format", ParamType::text, "csv is the file as it is", false, "json", {"json", "csv"}}};
  figures.types = {std::string(kJson), std::string(kCsv)};
  figures.schema = R"({"type":"object","required":["columns","rows"],"properties":{"columns":{"type":"array",
    "items":{"type":"string"}},"rows":{"type":"array","items":{"type":"array"}}}})";
  figures.handle = handled(sources, sheet);
  Route verdicts;
  verdicts.path = "/api/v1/forecast-summary";
  verdicts.tag = "forecasts";
  verdicts.summary = "What a run has chosen for each symbol, and why";
  verdicts.params = {run};
  verdicts.types = {std::string(kJson)};
  verdicts.schema = R"({"type":"object","required":["run","summary"],"properties":{"run":{"type":"string"},
    "summary":{"type":["object","null"]}}})";
  verdicts.handle = handled(sources, summary);
  return {runs, one, figures, verdicts};
}

}  // namespace chandler::web
