#include <fmt/format.h>

#include <algorithm>

#include "base/parallel.hpp"
#include "batch/audit.hpp"
#include "batch/status.hpp"
#include "batch/verify.hpp"
#include "cli/commands.hpp"
#include "cli/exchange_flags.hpp"
#include "cli/terminal.hpp"
#include "lake/catalog.hpp"

namespace chandler::cli {
namespace {

using batch::AuditedSymbol;
using batch::DayDifference;
using batch::VerifyReport;
using batch::Violation;

// More than this is a wall of text; --json has all.
constexpr std::size_t kShown = 40;

struct Options {
  std::vector<std::string> symbols;
  bool audit = false;
  ExchangeFlags exchange;
};

struct Audit {
  std::string against;  // the exchange's URL, or the lake's own klines_1d
  std::vector<AuditedSymbol> symbols;
  std::size_t days() const {
    std::size_t total = 0;
    for (const AuditedSymbol& s : symbols) total += s.days;
    return total;
  }
  std::size_t differences() const {
    std::size_t total = 0;
    for (const AuditedSymbol& s : symbols) total += s.differences.size();
    return total;
  }
  std::size_t imported_days() const {
    std::size_t total = 0;
    for (const AuditedSymbol& s : symbols) total += s.imported_days;
    return total;
  }
  // Symbols of which nothing could be compared.
  std::size_t failed() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(symbols, [](const AuditedSymbol& s) { return s.error.has_value(); }));
  }
};

Result<Audit> run_audit(const Options& options, const std::vector<std::string>& wanted,
                        const lake::Storage& storage, Context& context) {
  CHANDLER_ASSIGN(const auto symbols, batch::select_symbols(storage, wanted));
  ExchangeClients clients(options.exchange, context.clock);
  clients.tell_of_waits(context.progress);
  exchange::Call call;
  call.stop = context.stop;
  if (options.exchange.deadline > 0) {
    call.deadline = context.clock.steady() +
                    std::chrono::nanoseconds(static_cast<std::int64_t>(options.exchange.deadline * 1e9));
  }
  Audit audit{clients.rest().base_url(), {}};
  const auto now = clients.rest().server_time(call);
  if (now) {
    CHANDLER_ASSIGN(audit.symbols,
                    batch::audit(storage, symbols, batch::days_of_exchange(clients.rest(), call), *now,
                                 options.exchange.in_flight, context.progress, context.stop));
    return audit;
  }
  if (now.error().code != ErrorCode::unreachable) return std::unexpected(now.error());
  audit.against = "klines_1d of the lake";
  CHANDLER_ASSIGN(audit.symbols, batch::audit(storage, symbols, batch::days_of_lake(storage), std::nullopt,
                                              core_count(), context.progress, context.stop));
  if (audit.days() + audit.imported_days() == 0) return std::unexpected(now.error());
  print_warning(fmt::format("{}; days are compared with {} instead", now.error().what, audit.against));
  return audit;
}

Json to_json(const std::vector<Violation>& violations) {
  Json list = Json::array();
  for (const Violation& v : violations)
    list.push_back({{"file", v.file}, {"what", v.what}, {"remedy", v.remedy}});
  return list;
}

Json number_or_null(double value) {
  return std::isnan(value) ? Json(nullptr) : Json(value);
}

Json to_json(const Audit& audit) {
  Json symbols = Json::array();
  for (const AuditedSymbol& s : audit.symbols) {
    Json differences = Json::array();
    for (const DayDifference& d : s.differences) {
      differences.push_back({{"day", format_day(d.day)},
                             {"field", d.field},
                             {"ours", number_or_null(d.ours)},
                             {"theirs", number_or_null(d.theirs)},
                             {"minutes", d.minutes}});
    }
    symbols.push_back({{"symbol", s.symbol},
                       {"error", s.error ? cli::to_json(*s.error) : Json(nullptr)},
                       {"days", s.days},
                       {"imported_days", s.imported_days},
                       {"unknown_days", s.unknown_days},
                       {"differences", std::move(differences)}});
  }
  return {{"against", audit.against}, {"days", audit.days()}, {"symbols", std::move(symbols)}};
}

Json to_json(const VerifyReport& report, const std::optional<Result<Audit>>& audit, double seconds) {
  Json symbols = Json::array();
  for (const auto& s : report.symbols) {
    symbols.push_back({{"symbol", s.symbol},
                       {"files", s.files},
                       {"rows", s.rows},
                       {"bytes", s.bytes},
                       {"violations", to_json(s.violations)},
                       {"pending", s.pending}});
  }
  const bool agrees = !audit || (*audit && (*audit)->differences() == 0 && (*audit)->failed() == 0);
  Json document = {{"clean", report.violations().empty() && agrees},
                   {"files", report.files()},
                   {"rows", report.rows()},
                   {"bytes", report.bytes()},
                   {"duration_seconds", seconds},
                   {"symbols", std::move(symbols)},
                   {"strays", to_json(report.strays)},
                   {"files_of_another_encoder", report.of_another_encoder},
                   {"files_of_another_program", report.rewritten}};
  if (audit && *audit) document["audit"] = to_json(**audit);
  if (audit && !*audit) document["audit"] = {{"error", cli::to_json(audit->error())}};
  return document;
}

void print_violations(const std::vector<Violation>& violations) {
  std::string text;
  for (std::size_t i = 0; i < std::min(violations.size(), kShown); ++i) {
    text += fmt::format("{}\n    {}\n", violations[i].file, violations[i].what);
    if (!violations[i].remedy.empty()) text += fmt::format("    try: {}\n", violations[i].remedy);
  }
  if (violations.size() > kShown) {
    text += fmt::format("… and {}; --json lists all\n",
                        counted(violations.size() - kShown, "violation", "violations"));
  }
  print(text);
}

// "BTCUSDT 12, ETHUSDT 3", the most first.
std::string counts_by_symbol(std::vector<std::pair<std::string, std::size_t>> counts) {
  constexpr std::size_t kNamed = 8;
  std::erase_if(counts, [](const auto& entry) { return entry.second == 0; });
  std::ranges::stable_sort(counts, std::ranges::greater{}, [](const auto& entry) { return entry.second; });
  std::string names;
  for (std::size_t i = 0; i < std::min(counts.size(), kNamed); ++i)
    names += fmt::format("{}{} {}", i > 0 ? ", " : "", counts[i].first, group_digits(counts[i].second));
  if (counts.size() > kNamed) names += fmt::format(" and {} more", group_digits(counts.size() - kNamed));
  return names;
}

std::size_t symbols_with(const VerifyReport& report, auto&& count) {
  return static_cast<std::size_t>(
      std::ranges::count_if(report.symbols, [&](const auto& s) { return count(s) > 0; }));
}

// One line where the violations are of several symbols: which of them to look at first.
void print_damaged_symbols(const VerifyReport& report) {
  const auto count = [](const auto& s) { return s.violations.size(); };
  const std::size_t damaged = symbols_with(report, count);
  if (damaged < 2) return;
  std::vector<std::pair<std::string, std::size_t>> counts;
  for (const auto& s : report.symbols) counts.emplace_back(s.symbol, count(s));
  print(fmt::format("Violations of {} symbols: {}\n", group_digits(damaged), counts_by_symbol(counts)));
}

// "3 derived files of 2 symbols wait …: BTCUSDT 2, ETHUSDT 1"
void print_pending(const VerifyReport& report) {
  const auto count = [](const auto& s) { return s.pending.size(); };
  const std::size_t waiting = symbols_with(report, count);
  if (waiting == 0) return;
  std::vector<std::pair<std::string, std::size_t>> counts;
  for (const auto& s : report.symbols) counts.emplace_back(s.symbol, count(s));
  print(fmt::format(
      "{} of {} not followed the klines yet; the next backfill or `chandler build` derives them: {}\n",
      counted(report.pending(), "derived file", "derived files"),
      counted(waiting, "symbol has", "symbols have"), counts_by_symbol(counts)));
}

void print_audit(const Audit& audit, bool colour) {
  TextTable table({{"symbol"},
                   {"day"},
                   {"field"},
                   {"ours", Align::right},
                   {"theirs", Align::right},
                   {"minutes", Align::right}});
  std::size_t unknown = 0;
  for (const AuditedSymbol& s : audit.symbols) {
    unknown += s.unknown_days;
    for (const DayDifference& d : s.differences) {
      if (table.rows() < kShown)
        table.add({s.symbol, format_day(d.day), d.field, format_price(d.ours), format_price(d.theirs),
                   group_digits(d.minutes)});
    }
  }
  if (table.rows() > 0) print(table.to_text(colour, stdout_columns()));
  if (audit.differences() > kShown) {
    print(fmt::format("… and {}; --json lists all\n",
                      counted(audit.differences() - kShown, "difference", "differences")));
  }
  std::string line = fmt::format(
      "Compared {} with {}: {}", counted(audit.days(), "day", "days"), audit.against,
      audit.days() == 0          ? "nothing to compare"
      : audit.differences() == 0 ? "all are equal"
                                 : counted(audit.differences(), "value differs", "values differ"));
  if (const std::size_t imported = audit.imported_days(); imported > 0)
    line += fmt::format("; left out {} with imported minutes", counted(imported, "day", "days"));
  if (unknown > 0) line += fmt::format("; {} not known there", counted(unknown, "day is", "days are"));
  print(line + '\n');
}

// The first tells what is wrong with the exchange, the rest how much it spoils.
void print_failures(const Audit& audit) {
  constexpr std::size_t kNamed = 3;
  std::size_t named = 0;
  for (const AuditedSymbol& s : audit.symbols) {
    if (!s.error || named == kNamed) continue;
    Error error = *s.error;
    error.what = fmt::format("the days of {} were not compared: {}", s.symbol, error.what);
    print_error(error);
    ++named;
  }
  if (audit.failed() > named) {
    print_warning(fmt::format("{} not compared either; --json names each",
                              counted(audit.failed() - named, "more symbol was", "more symbols were")));
  }
}

void print_report(const VerifyReport& report, const Audit* audit, Millis duration, bool colour) {
  const auto violations = report.violations();
  print_violations(violations);
  print_damaged_symbols(report);
  print_pending(report);
  if (report.of_another_encoder > 0) {
    print(fmt::format(
        "{} written with another version of the Parquet library: values were checked, bytes were not\n",
        counted(report.of_another_encoder, "file was", "files were")));
  }
  if (report.rewritten > 0) {
    print(fmt::format(
        "{} written by another program: rows were checked, but nothing can tell whether they were changed\n",
        counted(report.rewritten, "file was", "files were")));
  }
  if (audit) print_audit(*audit, colour);
  print(fmt::format(
      "Checked {} of {}, {}, {} in {}: {}\n", counted(report.files(), "file", "files"),
      counted(report.symbols.size(), "symbol", "symbols"), counted(report.rows(), "row", "rows"),
      format_bytes(report.bytes()), format_duration(duration),
      violations.empty() ? "every invariant holds" : counted(violations.size(), "violation", "violations")));
}

Result<int> run(const Options& options, Context& context) {
  CHANDLER_ASSIGN(const auto symbols, parse_symbols(options.symbols));
  CHANDLER_ASSIGN(const auto storage, context.open_lake());
  const auto started = context.clock.steady();
  CHANDLER_ASSIGN(const auto report, batch::verify(*storage, symbols, context.progress, context.stop));
  // An exchange that cannot be asked does not take back what was found in the lake.
  std::optional<Result<Audit>> audited;
  if (options.audit) audited = run_audit(options, symbols, *storage, context);
  const Audit* const audit = audited && *audited ? &**audited : nullptr;
  const auto duration = context.clock.steady() - started;
  context.progress.end();
  if (context.globals.json) {
    print_json(to_json(report, audited, std::chrono::duration<double>(duration).count()));
  } else {
    print_report(report, audit, std::chrono::duration_cast<Millis>(duration), context.colour);
  }
  if (audit != nullptr) print_failures(*audit);
  const std::size_t violations = report.violations().size();
  const std::size_t differences = audit != nullptr ? audit->differences() : 0;
  std::string what = violations > 0 ? counted(violations, "violation", "violations") : "";
  if (differences > 0) {
    what += fmt::format("{}{} from {}", violations > 0 ? ", " : "",
                        counted(differences, "difference", "differences"), audit->against);
  }
  if (!what.empty())
    print_error({ErrorCode::damaged, fmt::format("the lake {} has {}", storage->uri(), what), {}, {}});
  if (audited && !*audited) {
    print_error(audited->error());
    const bool interrupted = audited->error().code == ErrorCode::interrupted;
    return what.empty() || interrupted ? exit_code(audited->error().code) : kDoneInPart;
  }
  return what.empty() && (audit == nullptr || audit->failed() == 0) ? kDone : kDoneInPart;
}

}  // namespace

void add_verify_command(Registry& registry) {
  auto options = std::make_shared<Options>();
  Flags& flags = registry.add("verify", "Check every invariant of the lake and name each violation",
                              [options](Context& context) { return run(*options, context); });
  flags.argument("symbols", &options->symbols, "Symbols; the whole lake, strays included, if none")
      .type("SYMBOL");
  flags.toggle(
      "--audit", &options->audit,
      "Also compare the rolled-up days with the exchange's own daily klines (offline: with klines_1d)");
  options->exchange.add_to(flags);
}

}  // namespace chandler::cli
