// The lake's tables as they lie there: schema, partitions, rows.
#include <fmt/format.h>

#include <algorithm>

#include "base/parallel.hpp"
#include "lake/kline_file.hpp"
#include "web/json_answer.hpp"
#include "web/sources.hpp"
#include "web/table_json.hpp"

namespace chandler::web {
namespace {

using Json = nlohmann::ordered_json;
using lake::Table;

constexpr Table kTables[] = {Table::klines_1m, Table::klines_1d, Table::speed_1m, Table::daily_filled,
                             Table::prophet_input};
constexpr std::string_view kAbout[] = {"closed minutes, the truth", "the exchange's own days",
                                       "minutes of the live stream that batch does not cover yet",
                                       "one row a day, no day missing, with moving averages",
                                       "what the forecast is fitted on"};

Table table_of(std::string_view text) {
  const auto it = std::ranges::find_if(kTables, [&](Table t) { return lake::name(t) == text; });
  return it != std::end(kTables) ? *it : Table::klines_1m;
}

Json schema_of(const lake::Storage& storage, const LakeListing& listing, Table table) {
  for (const SymbolFiles& files : listing.symbols) {
    if (files.of(table).empty()) continue;
    const auto file = lake::open_partition(storage, files.of(table).front().partition);
    if (!file) continue;
    Json columns = Json::array();
    for (const ColumnInfo& c : columns_of(*file)) {
      columns.push_back({{"name", c.name}, {"type", c.type}, {"nullable", c.nullable}});
    }
    return columns;
  }
  return Json::array();
}

Answer tables(const Sources& sources) {
  const ListingPtr listing = sources.watch.now();
  Json list = Json::array();
  for (std::size_t i = 0; i < std::size(kTables); ++i) {
    std::int64_t files = 0, bytes = 0, symbols = 0;
    for (const SymbolFiles& s : listing->symbols) {
      const auto& of = s.of(kTables[i]);
      files += static_cast<std::int64_t>(of.size());
      symbols += of.empty() ? 0 : 1;
      for (const PartitionFile& file : of) bytes += file.bytes;
    }
    list.push_back({{"table", lake::name(kTables[i])},
                    {"about", kAbout[i]},
                    {"symbols", symbols},
                    {"partitions", files},
                    {"bytes", bytes},
                    {"columns", schema_of(*sources.storage, *listing, kTables[i])}});
  }
  return json_answer({{"lake", sources.storage->uri()}, {"tables", std::move(list)}}, Freshness::of_lake());
}

Result<Json> describe(const lake::Storage& storage, const PartitionFile& file) {
  Json json{{"path", lake::path_of(file.partition)}, {"bytes", file.bytes}};
  CHANDLER_ASSIGN(const auto opened, lake::open_partition(storage, file.partition));
  json["rows"] = opened.rows();
  const auto range = opened.bounds("open_time");
  json["first"] = range ? Json(range->first) : Json(nullptr);
  json["last"] = range ? Json(range->second) : Json(nullptr);
  return json;
}

Result<Answer> partitions(const Sources& sources, const Arguments& arguments) {
  const std::string symbol = arguments.text("symbol");
  CHANDLER_ASSIGN(const SymbolFiles files, find_symbol(sources, arguments));
  const auto& list = files.of(table_of(arguments.text("table")));
  std::vector<Json> described(list.size());
  CHANDLER_TRY(parallel_for(list.size(), sources.storage->concurrency(), [&](std::size_t i) -> Status {
    auto json = describe(*sources.storage, list[i]);
    described[i] = json ? std::move(*json)
                        : Json{{"path", lake::path_of(list[i].partition)},
                               {"bytes", list[i].bytes},
                               {"rows", nullptr},
                               {"first", nullptr},
                               {"last", nullptr},
                               {"error", json.error().what}};
    return {};
  }));
  return json_answer({{"symbol", symbol}, {"table", arguments.text("table")}, {"partitions", described}},
                     Freshness::of_symbol(symbol));
}

Result<Answer> rows(const Sources& sources, const Arguments& arguments) {
  const std::string symbol = arguments.text("symbol");
  CHANDLER_ASSIGN(const SymbolFiles files, find_symbol(sources, arguments));
  const Table table = table_of(arguments.text("table"));
  const auto& list = files.of(table);
  auto file = list.end();
  if (arguments.has("partition")) {
    file = std::ranges::find_if(
        list, [&](const auto& f) { return lake::path_of(f.partition) == arguments.text("partition"); });
  } else if (!list.empty()) {
    file = std::prev(list.end());
  }
  if (file == list.end()) {
    return fail(ErrorCode::not_found,
                fmt::format("{} has no such partition of {}", symbol, lake::name(table)));
  }
  CHANDLER_ASSIGN(auto opened, lake::open_partition(*sources.storage, file->partition));
  const auto limit = static_cast<std::size_t>(arguments.integer("limit"));
  // Without an offset the last rows are shown: they are what a person looks for.
  const std::size_t total = opened.rows();
  const std::size_t first = arguments.has("offset")
                                ? std::min(total, static_cast<std::size_t>(arguments.integer("offset")))
                                : total - std::min(total, limit);
  const std::size_t last = std::min(total, first + limit);
  Json columns = Json::array();
  for (const ColumnInfo& column : columns_of(opened)) {
    CHANDLER_ASSIGN(Json values, values_of(opened, column, first, last));
    columns.push_back({{"name", column.name}, {"type", column.type}, {"values", std::move(values)}});
  }
  return json_answer({{"symbol", symbol},
                      {"table", lake::name(table)},
                      {"partition", lake::path_of(file->partition)},
                      {"rows", total},
                      {"offset", first},
                      {"columns", std::move(columns)}},
                     Freshness::of_symbol(symbol));
}

}  // namespace

std::vector<Route> table_routes(const Sources& sources) {
  std::vector<std::string> names;
  for (const Table table : kTables) names.emplace_back(lake::name(table));
  const Param symbol = symbol_param();
  const Param table{"table", ParamType::text, "one of the lake's tables", true, {}, names};

  Route all;
  all.path = "/api/v1/tables";
  all.tag = "tables";
  all.summary = "The lake's tables: symbols, partitions, bytes, columns";
  all.types = {std::string(kJson)};
  all.schema = R"({"type":"object","required":["lake","tables"],"properties":{"lake":{"type":"string"},
    "tables":{"type":"array","items":{"type":"object","required":["table","about","symbols","partitions","bytes","columns"],
      "properties":{"table":{"type":"string"},"about":{"type":"string"},"symbols":{"type":"integer"},
      "partitions":{"type":"integer"},"bytes":{"type":"integer"},"columns":{"type":"array","items":{"type":"object",
      "required":["name","type","nullable"],"properties":{"name":{"type":"string"},"type":{"type":"string"},
      "nullable":{"type":"boolean"}}}}}}}}})";
  all.handle = [&sources](const Arguments&) { return tables(sources); };

  Route files;
  files.path = "/api/v1/partitions";
  files.tag = "tables";
  files.summary = "The files of one table of a symbol";
  files.params = {table, symbol};
  files.types = {std::string(kJson)};
  files.schema =
      R"({"type":"object","required":["symbol","table","partitions"],"properties":{"symbol":{"type":"string"},
    "table":{"type":"string"},"partitions":{"type":"array","items":{"type":"object",
    "required":["path","bytes","rows","first","last"],"properties":{"path":{"type":"string"},"bytes":{"type":"integer"},
    "rows":{"type":["integer","null"]},"first":{"type":["integer","null"]},"last":{"type":["integer","null"]},
    "error":{"type":"string"}}}}}})";
  files.handle = handled(sources, partitions);

  Route sample;
  sample.path = "/api/v1/rows";
  sample.tag = "tables";
  sample.summary = "Rows of one partition as they are stored";
  sample.params = {
      table,
      symbol,
      {"partition", ParamType::text, "a path that /api/v1/partitions gave; none: the last partition"},
      {"offset", ParamType::integer, "rows to skip; none: the last rows", false, {}, {}, 0, 1'000'000},
      {"limit", ParamType::integer, "at most so many", false, "50", {}, 1, 1'000}};
  sample.types = {std::string(kJson)};
  sample.schema =
      R"({"type":"object","required":["symbol","table","partition","rows","offset","columns"],"properties":{
    "symbol":{"type":"string"},"table":{"type":"string"},"partition":{"type":"string"},"rows":{"type":"integer"},
    "offset":{"type":"integer"},"columns":{"type":"array","items":{"type":"object","required":["name","type","values"],
    "properties":{"name":{"type":"string"},"type":{"type":"string"},"values":{"type":"array"}}}}}})";
  sample.handle = handled(sources, rows);
  return {all, files, sample};
}

}  // namespace chandler::web
