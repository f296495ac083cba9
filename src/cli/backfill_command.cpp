#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "batch/heal.hpp"
#include "cli/backfill_report.hpp"
#include "cli/commands.hpp"
#include "cli/exchange_flags.hpp"
#include "cli/measured_progress.hpp"
#include "cli/metrics_flags.hpp"
#include "lake/catalog.hpp"

namespace chandler::cli {
namespace {

struct Options {
  std::vector<std::string> symbols;
  DayFlags days;
  std::string interval = "1m";
  std::string source = "auto";
  std::string quote;
  bool refetch = false;
  bool heal = false;
  ExchangeFlags exchange;
  MetricsFlags metrics;
};

Result<batch::BackfillOptions> job_of(const Options& options, Clock& clock) {
  batch::BackfillOptions job;
  CHANDLER_ASSIGN(job.symbols, parse_symbols(options.symbols));
  CHANDLER_ASSIGN(job.since, options.days.begin());
  CHANDLER_ASSIGN(job.until, options.days.end());
  job.interval = *candles::parse_interval(options.interval);
  job.source = options.source == "archive" ? batch::KlineSource::archive
               : options.source == "rest"  ? batch::KlineSource::rest
                                           : batch::KlineSource::automatic;
  job.all_of_quote = options.quote;
  job.refetch = options.refetch;
  job.in_flight = options.exchange.in_flight;
  if (options.exchange.deadline > 0) {
    job.deadline =
        clock.steady() + std::chrono::nanoseconds(static_cast<std::int64_t>(options.exchange.deadline * 1e9));
  }
  return job;
}

// What --heal found and did, beside the backfill itself.
struct Healed {
  batch::HealPlan plan;
  std::optional<batch::BackfillReport> other_interval;
  std::vector<batch::LostImports> lost;

  bool complete() const {
    return plan.left.empty() && lost.empty() && (!other_interval || other_interval->complete());
  }
};

Json healed_json(const Healed& healed) {
  Json aside = Json::array(), left = Json::array(), lost = Json::array();
  for (const auto& f : healed.plan.files)
    aside.push_back({{"file", f.file}, {"what", f.what}, {"moved_to", f.now}});
  for (const auto& v : healed.plan.left)
    left.push_back({{"file", v.file}, {"what", v.what}, {"remedy", v.remedy}});
  for (const auto& l : healed.lost) {
    lost.push_back({{"file", l.file},
                    {"symbol", l.symbol},
                    {"imported_candles", l.candles ? Json(*l.candles) : Json(nullptr)}});
  }
  return {
      {"set_aside", std::move(aside)}, {"not_healed", std::move(left)}, {"lost_imports", std::move(lost)}};
}

void print_set_aside(const Healed& healed) {
  for (const auto& f : healed.plan.files)
    print(fmt::format("{}\n    {}\n    set aside as {}\n", f.file, f.what, f.now));
  if (healed.plan.files.empty()) print("No damaged file was found.\n");
}

void print_what_is_left(const Healed& healed) {
  for (const auto& v : healed.plan.left) print_error({ErrorCode::damaged, v.what, v.file, v.remedy});
  for (const auto& l : healed.lost) {
    const std::string what = l.candles ? fmt::format(
                                             "{} imported candles of {} were in a damaged file, and no "
                                             "exchange gives them back",
                                             *l.candles, l.symbol)
                                       : fmt::format(
                                             "a damaged file of {} held imported candles, or may have; "
                                             "no exchange gives them back",
                                             l.symbol);
    print_error({ErrorCode::incomplete, what, l.file,
                 fmt::format("`chandler import FILE --symbol {}` again, then remove the file in quarantine",
                             l.symbol)});
  }
}

// Sets damaged files aside and makes what they held part of the job.
Status begin_to_heal(const batch::BackfillEnvironment& environment, batch::BackfillOptions& job,
                     Healed& healed) {
  // Nothing is touched before the exchange, which has to give it back, can be reached.
  CHANDLER_TRY(environment.rest.server_time({job.deadline, environment.stop}));
  CHANDLER_TRY(environment.storage.remove_unfinished());
  CHANDLER_ASSIGN(healed.plan, batch::set_damaged_aside(environment.storage, job.symbols,
                                                        environment.progress, environment.stop));
  const bool days = job.interval == candles::Interval::d1;
  job.also = days ? healed.plan.days : healed.plan.minutes;
  if (!job.symbols.empty() || !job.all_of_quote.empty()) return {};
  // A symbol may be in quarantine only.
  constexpr lake::Table kKlines[] = {lake::Table::klines_1m, lake::Table::klines_1d};
  CHANDLER_ASSIGN(job.symbols, lake::symbols_of(environment.storage, kKlines));
  for (const auto& [symbol, ranges] : job.also) {
    if (std::ranges::find(job.symbols, symbol) == job.symbols.end()) job.symbols.push_back(symbol);
  }
  return {};
}

// The table that the job itself is not about: only what was damaged.
Status heal_other_interval(const batch::BackfillEnvironment& environment, batch::BackfillOptions job,
                           Healed& healed) {
  const bool days = job.interval == candles::Interval::d1;
  job.interval = days ? candles::Interval::m1 : candles::Interval::d1;
  job.also = days ? healed.plan.minutes : healed.plan.days;
  job.only_also = true;
  job.all_of_quote.clear();
  job.symbols.clear();
  for (const auto& [symbol, ranges] : job.also) job.symbols.push_back(symbol);
  if (job.symbols.empty()) return {};
  CHANDLER_ASSIGN(healed.other_interval, batch::backfill(environment, job));
  return {};
}

void print_outcome(const batch::BackfillReport& report, candles::Interval interval,
                   const std::optional<Healed>& healed, Context& context) {
  if (context.globals.json) {
    Json document = to_json(report, interval);
    if (healed) document["healed"] = healed_json(*healed);
    print_json(document);
    for (const auto& symbol : report.symbols) {
      if (symbol.error) print_error(*symbol.error);
      for (const auto& unanswered : symbol.unanswered) print_error(unanswered.error);
    }
  } else {
    if (healed) print_set_aside(*healed);
    if (healed && healed->other_interval) {
      const bool days = interval == candles::Interval::d1;
      print_report(*healed->other_interval, days ? candles::Interval::m1 : candles::Interval::d1,
                   context.colour);
    }
    print_report(report, interval, context.colour);
  }
  if (healed) print_what_is_left(*healed);
}

void add_to(metrics::Families& families, const batch::BackfillFigures& figures) {
  const auto number = [](const batch::BackfillFigures::Count& count) {
    return static_cast<double>(count.load());
  };
  families.gauge("chandler_backfill_symbols", "Symbols of the job", number(figures.symbols));
  families.gauge("chandler_backfill_symbols_done", "Symbols of which all is stored that could be had",
                 number(figures.symbols_done));
  families.counter("chandler_backfill_symbol_errors_total", "Symbols that could not be worked on",
                   number(figures.symbol_errors));
  families.counter("chandler_backfill_candles_received_total", "Candles received", number(figures.received));
  families.counter("chandler_backfill_candles_added_total", "Candles stored that were not there",
                   number(figures.added));
  families.counter("chandler_backfill_candles_replaced_total", "Candles that took a stored one's place",
                   number(figures.replaced));
  families.counter("chandler_backfill_candles_rejected_total", "Impossible candles, put aside",
                   number(figures.rejected));
  families.counter("chandler_backfill_files_total", "Files of klines written", number(figures.files_written));
  families.counter("chandler_backfill_unanswered_ranges_total", "Ranges for which no answer was had",
                   number(figures.unanswered));
}

Result<int> run(const Options& options, Context& context) {
  CHANDLER_ASSIGN(auto job, job_of(options, context.clock));
  CHANDLER_ASSIGN(const auto storage, context.open_lake());
  CHANDLER_ASSIGN(const auto lock, storage->lock_for_writing("backfill"));
  ExchangeClients clients(options.exchange, context.clock);
  batch::BackfillFigures figures;
  MeasuredProgress progress(context.progress);
  clients.tell_of_waits(progress);
  CHANDLER_ASSIGN(const auto metrics, options.metrics.serve([&](metrics::Families& families) {
    progress.add_to(families);
    add_to(families, figures);
    clients.add_to(families);
  }));
  const bool use_archive =
      options.exchange.archive_belongs_to_rest() || job.source == batch::KlineSource::archive;
  if (!use_archive && job.source == batch::KlineSource::automatic) {
    spdlog::info("everything comes by REST: no archive is known of {} (--archive-url names one)",
                 options.exchange.rest_url);
  }
  const batch::BackfillEnvironment environment{.storage = *storage,
                                               .rest = clients.rest(),
                                               .archive = use_archive ? &clients.archive() : nullptr,
                                               .clock = context.clock,
                                               .progress = progress,
                                               .stop = context.stop,
                                               .figures = &figures};
  std::optional<Healed> healed;
  if (options.heal) {
    const auto named = job.symbols;
    healed.emplace();
    CHANDLER_TRY(begin_to_heal(environment, job, *healed));
    CHANDLER_TRY(heal_other_interval(environment, job, *healed));
    CHANDLER_ASSIGN(const auto report, batch::backfill(environment, job));
    CHANDLER_ASSIGN(healed->lost, batch::lost_imports(*storage, named));
    print_outcome(report, job.interval, healed, context);
    const int code = exit_code_of(report);
    return code == kDone && !healed->complete() ? kDoneInPart : code;
  }
  CHANDLER_ASSIGN(const auto report, batch::backfill(environment, job));
  print_outcome(report, job.interval, healed, context);
  return exit_code_of(report);
}

}  // namespace

void add_backfill_command(Registry& registry) {
  auto options = std::make_shared<Options>();
  Flags& flags =
      registry.add("backfill", "Fetch what is missing, store it, and derive daily_filled and prophet_input",
                   [options](Context& context) { return run(*options, context); });
  flags.argument("symbols", &options->symbols, "Symbols, e.g. BTCUSDT; those already in the lake if none")
      .type("SYMBOL");
  options->days.add_to(flags);
  flags.option("--interval", &options->interval, "Minutes, or only the exchange's own days")
      .choices({"1m", "1d"})
      .show_default();
  flags
      .option("--source", &options->source,
              "Where from; auto takes whole past months and days from the archive")
      .choices({"auto", "archive", "rest"})
      .show_default();
  flags.option("--all", &options->quote, "Every trading pair of this quote asset, e.g. USDT").type("QUOTE");
  flags.toggle("--refetch", &options->refetch,
               "Ask again for what is stored or has been asked, and let the answer win");
  flags.toggle("--heal", &options->heal,
               "First set damaged files aside, in _quarantine/; what they held is fetched and derived again");
  options->exchange.add_to(flags);
  options->metrics.add_to(flags);
}

}  // namespace chandler::cli
