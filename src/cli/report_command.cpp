#include <arrow/buffer.h>
#include <fmt/format.h>

#include <algorithm>

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

std::string to_text(const ReportCell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return group_digits(*whole);
  if (const auto* number = std::get_if<double>(&cell)) {
    return std::abs(*number) >= 1e6 ? group_digits(static_cast<std::int64_t>(*number))
                                    : fmt::format("{:.6g}", *number);
  }
  if (const auto* flag = std::get_if<bool>(&cell)) return *flag ? "yes" : "no";
  return "-";
}

bool is_number(const ReportCell& cell) {
  return std::holds_alternative<std::int64_t>(cell) || std::holds_alternative<double>(cell);
}

// A year is a number that is not grouped.
std::string shown(const ReportTable& table, std::size_t column, const ReportCell& cell) {
  if (const auto* year = std::get_if<std::int64_t>(&cell);
      year != nullptr && table.columns[column] == "year") {
    return std::to_string(*year);
  }
  return to_text(cell);
}

void print_table(const ReportTable& table, std::size_t at_most, bool colour) {
  print(fmt::format("\n{} ({})\n", table.title, table.name));
  if (table.rows.empty()) return print("  none\n");
  std::vector<TextTable::Heading> headings;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const bool number = std::ranges::any_of(table.rows, [&](const auto& row) { return is_number(row[i]); });
    headings.push_back({table.columns[i], number ? Align::right : Align::left});
  }
  TextTable text(std::move(headings));
  for (std::size_t r = 0; r < std::min(at_most, table.rows.size()); ++r) {
    std::vector<std::string> cells;
    for (std::size_t i = 0; i < table.columns.size(); ++i) cells.push_back(shown(table, i, table.rows[r][i]));
    text.add(std::move(cells));
  }
  print(text.to_text(colour));
  if (table.rows.size() > at_most) {
    print(fmt::format("… and {} more in {}.csv\n", group_digits(table.rows.size() - at_most), table.name));
  }
}

// On a terminal the whole days of per_day_counts say nothing: those that lack most come first.
ReportTable least_complete_days(ReportTable table) {
  const auto missing =
      static_cast<std::size_t>(std::ranges::find(table.columns, "missing") - table.columns.begin());
  const auto of_row = [missing](const auto& row) { return std::get<std::int64_t>(row[missing]); };
  std::erase_if(table.rows, [&](const auto& row) { return of_row(row) == 0; });
  std::ranges::stable_sort(table.rows, std::ranges::greater{}, of_row);
  table.title += ", incomplete days only";
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
                                       const std::vector<batch::ReportPlot>& plots) {
  CHANDLER_ASSIGN(const auto target, destination(options, context));
  std::vector<lake::PendingFile> files;
  const auto add = [&](const std::string& name, std::string bytes) {
    files.push_back({target.second + name, arrow::Buffer::FromString(std::move(bytes))});
  };
  add("summary.csv", batch::to_csv(summary));
  for (const ReportTable& table : tables) add(table.name + ".csv", batch::to_csv(table));
  for (const auto& plot : plots) {
    add(fmt::format("plots/{}.svg", plot.name), plot.svg);
    add(fmt::format("plots/{}.png", plot.name), plot.png);
  }
  add("report.html", batch::report_html(summary, tables, plots));
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
    CHANDLER_ASSIGN(plots, batch::report_plots(histories, context.stop));
  }
  CHANDLER_ASSIGN(const auto files, write(options, context, summary, tables, plots));

  if (context.globals.json) {
    Json document = {{"summary", to_json(summary)}};
    for (const ReportTable& table : tables) document[table.name] = to_json(table);
    document["files"] = files;
    print_json(document);
    return kDone;
  }
  const std::size_t rows = options.report.top;
  print_table(summary, std::max<std::size_t>(rows, 50), context.colour);
  for (const ReportTable& table : tables) {
    // These are cut per symbol already.
    const bool cut = table.name.starts_with("top_") || table.name == "avg_return_per_year";
    const std::size_t most =
        cut ? rows * std::max<std::size_t>(1, std::min<std::size_t>(symbols.size(), 4)) : rows;
    print_table(table.name == "per_day_counts" ? least_complete_days(table) : table, most, context.colour);
  }
  print(fmt::format("\nWrote {} files; open {}\n", files.size(), files.back()));
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
