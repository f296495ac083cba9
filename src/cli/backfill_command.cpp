#include <fmt/format.h>

#include "cli/backfill_report.hpp"
#include "cli/commands.hpp"
#include "cli/exchange_flags.hpp"

namespace chandler::cli {
namespace {

struct Options {
  std::vector<std::string> symbols;
  DayFlags days;
  std::string interval = "1m";
  std::string source = "auto";
  std::string quote;
  bool refetch = false;
  ExchangeFlags exchange;
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

Result<int> run(const Options& options, Context& context) {
  CHANDLER_ASSIGN(const auto job, job_of(options, context.clock));
  CHANDLER_ASSIGN(const auto storage, context.open_lake());
  CHANDLER_ASSIGN(const auto lock, storage->lock_for_writing("backfill"));
  ExchangeClients clients(options.exchange, context.clock);
  const bool use_archive =
      options.exchange.archive_belongs_to_rest() || job.source == batch::KlineSource::archive;
  const batch::BackfillEnvironment environment{.storage = *storage,
                                               .rest = clients.rest(),
                                               .archive = use_archive ? &clients.archive() : nullptr,
                                               .clock = context.clock,
                                               .progress = context.progress,
                                               .stop = context.stop};
  CHANDLER_ASSIGN(const auto report, batch::backfill(environment, job));
  if (context.globals.json) {
    print_json(to_json(report, job.interval));
    for (const auto& symbol : report.symbols) {
      if (symbol.error) print_error(*symbol.error);
      for (const auto& unanswered : symbol.unanswered) print_error(unanswered.error);
    }
  } else {
    print_report(report, job.interval, context.colour);
  }
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
  options->exchange.add_to(flags);
}

}  // namespace chandler::cli
