#include <arrow/buffer.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>

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
  for (const batch::ReportRow& row : table.rows) {
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
    const batch::ReportRow row = table.rows[r];
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const std::string cell = batch::cell_text(table.columns[i], row[i]);
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
  const auto number = [](const ReportCell& cell) {
    const auto* value = std::get_if<double>(&cell);
    return value != nullptr ? std::abs(*value) : 0.0;
  };
  if (table.name == "per_day_counts") {
    const std::size_t count = column_of(table, "cnt"), missing = column_of(table, "missing"),
                      filled = column_of(table, "filled");
    table.rows.keep_if([=](const batch::ReportRow& row) {
      return std::get<std::int64_t>(row[missing]) > 0 &&
             (std::get<std::int64_t>(row[count]) > 0 || std::get<bool>(row[filled]));
    });
    table = batch::worst_first(std::move(table));
    table.title += ", days that lack some only";
  } else if (symbols > kFewSymbols && table.name.starts_with("top_")) {
    // Prices and amounts of different coins cannot be compared; shares and money can.
    const std::size_t by =
        column_of(table, table.name == "top_volume_days" ? "daily_quote_volume" : "change_pct");
    table.rows.sort_down_by([&](const batch::ReportRow& row) { return number(row[by]); });
    table.title += ", of all symbols";
  } else if (symbols > kFewSymbols) {
    table = batch::worst_first(std::move(table));
  }
  return table;
}

// Where a report goes: the folder that was asked for, or the lake's own. Pictures come while others are
// drawn; they are put there some at a time, since each time waits for the disk.
class Destination {
 public:
  static Result<Destination> open(const Options& options, const Context& context) {
    if (options.output.empty()) {
      CHANDLER_ASSIGN(auto storage, context.open_lake());
      return Destination(std::move(storage), "reports/");
    }
    CHANDLER_ASSIGN(auto storage, lake::open_local_storage(options.output));
    return Destination(std::move(storage), "");
  }

  // Thread safe.
  Status add(const std::string& name, std::string bytes) {
    std::vector<lake::PendingFile> full;
    {
      const std::lock_guard lock(waiting_->mutex);
      waiting_->names.push_back(name);
      waiting_->bytes += bytes.size();
      waiting_->files.push_back({folder_ + name, arrow::Buffer::FromString(std::move(bytes))});
      if (waiting_->bytes < kAtOnce) return {};
      full.swap(waiting_->files);
      waiting_->bytes = 0;
    }
    return storage_->replace(full);
  }
  // What is still waiting.
  Status finish() {
    if (waiting_->files.empty()) return {};
    CHANDLER_TRY(storage_->replace(waiting_->files));
    waiting_->files.clear();
    waiting_->bytes = 0;
    return {};
  }
  // Of all that was added, pictures in the order of their names and before the others.
  std::vector<std::string> files() const {
    std::vector<std::string> names = waiting_->names;
    std::ranges::stable_sort(names, {}, [](const std::string& name) {
      return name.starts_with(kPictures) ? name : std::string("~");
    });
    for (std::string& name : names) name = fmt::format("{}/{}{}", storage_->uri(), folder_, name);
    return names;
  }

  static constexpr std::string_view kPictures = "plots/";

 private:
  static constexpr std::size_t kAtOnce = 16 << 20;
  struct Waiting {
    std::mutex mutex;
    std::vector<lake::PendingFile> files;
    std::size_t bytes = 0;
    std::vector<std::string> names;
  };
  Destination(std::shared_ptr<lake::Storage> storage, std::string folder)
      : storage_(std::move(storage)), folder_(std::move(folder)), waiting_(std::make_unique<Waiting>()) {}

  std::shared_ptr<lake::Storage> storage_;
  std::string folder_;
  std::unique_ptr<Waiting> waiting_;
};

// The page comes last: a run that is cut short leaves the page of the one before.
Status write(Destination& to, const Options& options, Context& context,
             const std::vector<batch::SymbolHistory>& histories, const ReportTable& summary,
             const std::vector<ReportTable>& tables) {
  std::vector<batch::ReportPlot> plots;
  if (!options.no_plots) {
    const auto keep = [&to](const std::string& file, std::string bytes) {
      return to.add(fmt::format("{}{}", Destination::kPictures, file), std::move(bytes));
    };
    CHANDLER_ASSIGN(plots, batch::report_plots(histories, keep, context.progress, context.stop));
  }
  CHANDLER_TRY(to.add("summary.csv", batch::to_csv(summary)));
  for (const ReportTable& table : tables) CHANDLER_TRY(to.add(table.name + ".csv", batch::to_csv(table)));
  CHANDLER_TRY(to.finish());
  CHANDLER_TRY(to.add("report.html", batch::report_html(summary, tables, plots)));
  return to.finish();
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
  CHANDLER_ASSIGN(auto destination, Destination::open(options, context));
  CHANDLER_TRY(write(destination, options, context, histories, summary, tables));
  const std::vector<std::string> files = destination.files();

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
