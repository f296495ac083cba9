#include <arrow/buffer.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "batch/report_html.hpp"
#include "batch/status.hpp"
#include "cli/commands.hpp"
#include "cli/terminal.hpp"

namespace chandler::cli {
namespace {

using batch::ReportCell;
using batch::ReportTable;

struct Options {
  std::vector<std::string> symbols;
  std::string output;
  batch::ReportOptions report;
  bool no_plots = false;
};

Json to_json(const ReportCell& cell) {
  return std::visit(
      [](const auto& value) {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::monostate>)
          return Json(nullptr);
        else
          return Json(value);
      },
      cell);
}

Json to_json(const ReportTable& table) {
  Json rows = Json::array();
  for (const auto& row : table.rows) {
    Json object = Json::object();
    for (std::size_t i = 0; i < row.size(); ++i) object[table.columns[i]] = to_json(row[i]);
    rows.push_back(std::move(object));
  }
  return rows;
}

void print_table(const ReportTable& table, std::size_t at_most, bool colour) {
  print(fmt::format("\n{} ({})\n", table.title, table.name));
  if (table.rows.empty()) return print("  none\n");
  std::vector<TextTable::Heading> headings;
  constexpr std::string_view kSpare[] = {"daily_open", "change", "day_only", "whole", "first_day"};
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const auto spare = std::ranges::find(kSpare, table.columns[i]);
    headings.push_back({table.columns[i], batch::is_numeric(table, i) ? Align::right : Align::left,
                        spare == std::end(kSpare) ? 0 : 1 + static_cast<int>(spare - std::begin(kSpare))});
  }
  TextTable text(std::move(headings));
  for (std::size_t r = 0; r < std::min(at_most, table.rows.size()); ++r) {
    std::vector<std::string> cells;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const std::string cell = batch::cell_text(table.columns[i], table.rows[r][i]);
      cells.push_back(cell.empty() ? "-" : cell);
    }
    text.add(std::move(cells));
  }
  print(text.to_text(colour, stdout_columns()));
  if (table.rows.size() > at_most)
    print(fmt::format("… and {} more in {}.csv\n", group_digits(table.rows.size() - at_most), table.name));
}

// Of more symbols than these the top of each is a wall of text: the top of all is shown.
constexpr std::size_t kFewSymbols = 4;

// What of a table is worth a terminal's lines.
ReportTable for_terminal(ReportTable table, std::size_t symbols) {
  const auto column = [&](std::string_view name) {
    return static_cast<std::size_t>(std::ranges::find(table.columns, name) - table.columns.begin());
  };
  const auto number = [](const ReportCell& cell) {
    const auto* value = std::get_if<double>(&cell);
    return value != nullptr ? std::abs(*value) : 0.0;
  };
  if (table.name == "per_day_counts") {
    table = batch::worst_first(std::move(table));
    const std::size_t count = column("cnt"), missing = column("missing"), filled = column("filled");
    std::erase_if(table.rows, [=](const auto& row) {
      return std::get<std::int64_t>(row[missing]) == 0 ||
             (std::get<std::int64_t>(row[count]) == 0 && !std::get<bool>(row[filled]));
    });
    table.title += ", days that lack some only";
  } else if (symbols > kFewSymbols && table.name.starts_with("top_")) {
    // Prices and amounts of different coins cannot be compared; shares and money can.
    const std::size_t by = column(table.name == "top_volume_days" ? "daily_quote_volume" : "change_pct");
    std::ranges::stable_sort(table.rows, std::ranges::greater{},
                             [&](const auto& row) { return number(row[by]); });
    table.title += ", of all symbols";
  } else if (symbols > kFewSymbols) {
    table = batch::worst_first(std::move(table));
  }
  return table;
}

// The folder that was asked for, or the lake's own.
Result<std::pair<std::shared_ptr<lake::Storage>, std::string>> destination(const Options& options,
                                                                           const Context& context) {
  if (options.output.empty()) {
    CHANDLER_ASSIGN(auto storage, context.open_lake());
    return std::pair(std::move(storage), std::string("reports/"));
  }
  CHANDLER_ASSIGN(auto storage, lake::open_local_storage(options.output));
  return std::pair(std::move(storage), std::string());
}

Result<std::vector<std::string>> write(const Options& options, const Context& context,
                                       const ReportTable& summary, const std::vector<ReportTable>& tables,
                                       std::vector<batch::ReportPlot> plots) {
  CHANDLER_ASSIGN(const auto target, destination(options, context));
  std::vector<lake::PendingFile> files;
  const auto add = [&](const std::string& name, std::string bytes) {
    files.push_back({target.second + name, arrow::Buffer::FromString(std::move(bytes))});
  };
  std::string page = batch::report_html(summary, tables, plots);
  add("summary.csv", batch::to_csv(summary));
  for (const ReportTable& table : tables) add(table.name + ".csv", batch::to_csv(table));
  for (auto& plot : plots) {
    add(fmt::format("plots/{}.svg", plot.name), std::move(plot.svg));
    add(fmt::format("plots/{}.png", plot.name), std::move(plot.png));
  }
  add("report.html", std::move(page));
  CHANDLER_TRY(target.first->replace(files));
  std::vector<std::string> names;
  for (const auto& file : files) names.push_back(fmt::format("{}/{}", target.first->uri(), file.path));
  return names;
}

Result<int> run(Context& context, const Options& options) {
  CHANDLER_ASSIGN(const auto wanted, parse_symbols(options.symbols));
  CHANDLER_ASSIGN(const auto storage, context.open_lake());
  CHANDLER_ASSIGN(const auto symbols, batch::select_symbols(*storage, wanted));
  if (symbols.empty()) {
    return fail(ErrorCode::not_found, "the lake is empty", storage->uri(),
                "run `chandler backfill SYMBOL` or `chandler import` first");
  }
  CHANDLER_ASSIGN(const auto histories, batch::read_histories(*storage, symbols, context.stop));
  const ReportTable summary = batch::report_summary(histories);
  const auto tables = batch::report_tables(histories, options.report);
  std::vector<batch::ReportPlot> plots;
  if (!options.no_plots) {
    CHANDLER_ASSIGN(plots, batch::report_plots(histories, context.progress, context.stop));
  }
  CHANDLER_ASSIGN(const auto files, write(options, context, summary, tables, std::move(plots)));

  if (context.globals.json) {
    Json document = {{"summary", to_json(summary)}};
    for (const ReportTable& table : tables) document[table.name] = to_json(table);
    document["files"] = files;
    print_json(document);
    return kDone;
  }
  const std::size_t rows = options.report.top;
  print_table(for_terminal(summary, symbols.size()), std::max<std::size_t>(rows, 20), context.colour);
  for (const ReportTable& table : tables) {
    // These are cut per symbol already.
    const bool cut = table.name.starts_with("top_") || table.name == "avg_return_per_year";
    const std::size_t most = cut && symbols.size() <= kFewSymbols ? rows * symbols.size() : rows;
    print_table(for_terminal(table, symbols.size()), most, context.colour);
  }
  print(fmt::format("\nWrote {}; open {}\n", counted(files.size(), "file", "files"), files.back()));
  return kDone;
}

}  // namespace

void add_report_command(Registry& registry) {
  const auto options = std::make_shared<Options>();
  Flags& flags =
      registry.add("report", "Coverage, gaps, statistics and plots as CSV, SVG, PNG and one web page",
                   [options](Context& context) { return run(context, *options); });
  flags.argument("symbols", &options->symbols, "Symbols; all of the lake's if none").type("SYMBOL");
  flags.option("-o,--output", &options->output, "Folder to write to (default: reports in the lake)")
      .type("DIR");
  flags
      .option("--top", &options->report.top,
              "Rows of the top tables per symbol, and of every table on the terminal")
      .range(1, 1'000'000)
      .type("N")
      .show_default();
  flags.option("--min-gap", &options->report.min_gap_minutes, "Leave shorter gaps out of large_gaps")
      .range(1, 100'000'000)
      .type("MINUTES")
      .show_default();
  flags.toggle("--no-plots", &options->no_plots, "Tables only");
}

}  // namespace chandler::cli
