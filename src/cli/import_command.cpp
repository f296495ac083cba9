#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "batch/derive.hpp"
#include "batch/import_job.hpp"
#include "cli/commands.hpp"
#include "cli/terminal.hpp"

namespace chandler::cli {
namespace {

constexpr std::size_t kShownRejects = 10;

struct Options {
  std::vector<std::string> files;
  std::string symbol;
  std::string interval = "1m";
  std::string rejects;
  std::uint64_t max_rejects = 100;
};

std::string csv_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    out += c;
    if (c == '"') out += c;
  }
  return out + '"';
}

// Where bad rows go: all of them into the file, if one was asked for, and the first few to stderr.
class Rejects {
 public:
  Status open(const std::string& path) {
    if (path.empty()) return {};
    path_ = path;
    file_.open(path, std::ios::binary | std::ios::trunc);
    file_ << "file,line,reason\n";
    return check();
  }
  Status add(const batch::ImportReject& reject) {
    if (shown_.size() < kShownRejects) shown_.push_back(reject);
    if (path_.empty()) return {};
    file_ << csv_quoted(reject.file) << ',' << reject.line << ',' << csv_quoted(reject.reason) << '\n';
    return check();
  }
  Status close() {
    if (path_.empty()) return {};
    file_.close();
    return check();
  }
  const std::vector<batch::ImportReject>& shown() const { return shown_; }

 private:
  Status check() const {
    if (file_) return {};
    return fail(ErrorCode::unreachable,
                fmt::format("cannot write the rejected rows: {}", std::strerror(errno)), path_,
                "pass --rejects a file that can be written");
  }

  std::string path_;
  std::ofstream file_;
  std::vector<batch::ImportReject> shown_;
};

Json instant_or_null(const std::optional<Timestamp>& t) {
  return t ? Json(format_instant(*t)) : Json(nullptr);
}

Json to_json(const Options& options, const batch::Imported& imported,
             const std::vector<batch::Derived>& derived, const Rejects& rejects) {
  Json document = {{"symbol", options.symbol},
                   {"interval", options.interval},
                   {"files", options.files},
                   {"bytes", imported.bytes},
                   {"lines", imported.lines},
                   {"rows", imported.rows},
                   {"absent", imported.absent},
                   {"rejected", imported.rejected},
                   {"repeats", imported.candles.repeats},
                   {"conflicting", imported.candles.conflicting},
                   {"added", imported.candles.added},
                   {"differing_from_stored", imported.candles.differing},
                   {"partitions_written", imported.partitions},
                   {"first", instant_or_null(imported.first)},
                   {"last", instant_or_null(imported.last)}};
  Json shown = Json::array();
  for (const auto& r : rejects.shown())
    shown.push_back({{"file", r.file}, {"line", r.line}, {"reason", r.reason}});
  document["first_rejects"] = std::move(shown);
  if (!derived.empty()) {
    document["days"] = derived.front().days;
    document["filled_days"] = derived.front().filled;
  }
  return document;
}

std::string price_line(const candles::Kline& k) {
  return fmt::format("{}/{}/{}/{} volume {}", format_price(k.open), format_price(k.high), format_price(k.low),
                     format_price(k.close), format_price(k.volume));
}

void warn(const batch::Imported& imported, const Options& options, const Rejects& rejects) {
  for (const auto& r : rejects.shown()) print_warning(fmt::format("{}:{}: {}", r.file, r.line, r.reason));
  if (imported.rejected > rejects.shown().size()) {
    print_warning(
        fmt::format("{} more bad rows{}", group_digits(imported.rejected - rejects.shown().size()),
                    options.rejects.empty() ? "; --rejects FILE names them all" : " in " + options.rejects));
  }
  if (imported.candles.differing == 0) return;
  print_warning(fmt::format("{} stored candles differ from the imported ones and were kept, e.g.",
                            group_digits(imported.candles.differing)));
  for (const auto& d : imported.candles.examples) {
    print_warning(fmt::format("  {}: stored {} ({}), imported {}", format_minute(from_ms(d.stored.open_time)),
                              price_line(d.stored), candles::name(d.stored.source), price_line(d.incoming)));
  }
}

void print_text(const Options& options, const batch::Imported& imported,
                const std::vector<batch::Derived>& derived, bool colour) {
  const auto count = [](std::uint64_t n) { return group_digits(n); };
  TextTable table({{"symbol"},
                   {"rows", Align::right},
                   {"first", Align::left, 4},
                   {"last", Align::left, 3},
                   {"added", Align::right},
                   {"repeats", Align::right},
                   {"conflicts", Align::right},
                   {"absent", Align::right},
                   {"rejected", Align::right},
                   {"files", Align::right, 1},
                   {"days", Align::right, 5},
                   {"filled", Align::right, 6}});
  const bool any = imported.first.has_value();
  table.add({options.symbol, count(imported.rows), any ? format_minute(*imported.first) : "-",
             any ? format_minute(*imported.last) : "-", count(imported.candles.added),
             count(imported.candles.repeats), count(imported.candles.conflicting), count(imported.absent),
             count(imported.rejected), count(imported.partitions),
             derived.empty() ? "-" : count(derived.front().days),
             derived.empty() ? "-" : count(derived.front().filled)});
  print(table.to_text(colour, stdout_columns()));
}

Result<int> run(Context& context, Options options) {
  CHANDLER_ASSIGN(const auto symbols, parse_symbols({options.symbol}));
  options.symbol = symbols.front();
  Rejects rejects;
  CHANDLER_TRY(rejects.open(options.rejects));
  CHANDLER_ASSIGN(const auto storage, context.open_lake());
  CHANDLER_ASSIGN(const auto lock, storage->lock_for_writing("import"));
  CHANDLER_TRY(storage->remove_unfinished());

  batch::ImportOptions job;
  job.symbol = options.symbol;
  job.interval = *candles::parse_interval(options.interval);
  job.max_rejects = options.max_rejects;
  job.on_reject = [&](const batch::ImportReject& reject) { return rejects.add(reject); };
  auto imported = batch::import_files(*storage, options.files, job, context.progress, context.stop);
  CHANDLER_TRY(rejects.close());
  if (!imported) {
    context.progress.end();
    for (const auto& r : rejects.shown()) print_warning(fmt::format("{}:{}: {}", r.file, r.line, r.reason));
    return std::unexpected(std::move(imported).error());
  }
  // Also where nothing was added: an earlier import may have been killed before it derived.
  CHANDLER_ASSIGN(const auto derived,
                  batch::derive(*storage, symbols, batch::Extent::what_changed, context.progress,
                                batch::DaysFrom::footers, [&] { return context.stop.stop_requested(); }));
  context.progress.end();
  warn(*imported, options, rejects);
  if (context.globals.json) {
    print_json(to_json(options, *imported, derived, rejects));
  } else if (!context.globals.quiet) {
    print_text(options, *imported, derived, context.colour);
  }
  return kDone;
}

}  // namespace

void add_import_command(Registry& registry) {
  const auto options = std::make_shared<Options>();
  Flags& flags = registry.add("import", "Take history files (CSV, CSV.gz, zip) into the lake",
                              [options](Context& context) { return run(context, *options); });
  flags.argument("files", &options->files, "History of one symbol, in any order and dialect")
      .required()
      .type("FILE…");
  flags.option("--symbol", &options->symbol, "What the candles are of, e.g. BTCUSDT")
      .required()
      .type("SYMBOL");
  flags.option("--interval", &options->interval, "What one row is: a minute or a day")
      .choices({"1m", "1d"})
      .show_default();
  flags.option("--rejects", &options->rejects, "Write every bad row's file, line and reason to this CSV file")
      .type("FILE");
  flags.option("--max-rejects", &options->max_rejects, "With more bad rows than this, nothing is imported")
      .type("N")
      .show_default();
}

}  // namespace chandler::cli
