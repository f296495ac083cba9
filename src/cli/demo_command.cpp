#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "cli/backfill_report.hpp"
#include "cli/commands.hpp"
#include "cli/exchange_flags.hpp"
#include "sim/market.hpp"
#include "sim/sim_server.hpp"

namespace chandler::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNow =
    "2024-06-25T13:07:30Z";  // inside the minutes that ship: an open minute and an open day
constexpr std::string_view kFirstMinutes = "2024-05-29";

struct Options {
  std::string data;
};

// Beside the program when it is installed, in the source tree when it was built there.
Result<std::string> find_data(const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& candidate : {program / "../share/chandler/demo", program / "../../data/demo"}) {
    if (fs::is_directory(candidate, error)) return fs::weakly_canonical(candidate, error).string();
  }
  return fail(ErrorCode::not_found, "the demo's data is not there", program.string(),
              "pass --data FOLDER, e.g. data/demo of the source tree");
}

Result<batch::BackfillReport> fetch(Context& context, lake::Storage& storage, ExchangeClients& clients,
                                    candles::Interval interval, std::optional<Timestamp> since) {
  batch::BackfillOptions job;
  job.symbols = {"BTCUSDT", "ETHUSDT"};
  job.interval = interval;
  job.since = since;
  const batch::BackfillEnvironment environment{storage,       clients.rest(),   &clients.archive(),
                                               context.clock, context.progress, context.stop};
  return batch::backfill(environment, job);
}

// What to type to run this program again from here.
std::string program_name() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const char* path = std::getenv("PATH");
  const std::string folders = fmt::format(":{}:", path == nullptr ? "" : path);
  if (folders.find(":" + program.parent_path().string() + ":") != std::string::npos)
    return program.filename();
  const fs::path near = fs::proximate(program, error);
  return near.string().size() < program.string().size() ? near.string() : program.string();
}

void print_next_steps(const std::string& lake) {
  const std::string flag = lake == "./lake" ? "" : " --lake " + lake;
  const std::string program = program_name();
  print("\nTry next:\n");
  for (const auto& [command, what] : {std::pair{"serve", "the dashboard, at http://127.0.0.1:8080"},
                                      {"status", "coverage, holes and lag of each symbol"},
                                      {"candles BTCUSDT --interval 4h --last 10", "candles of any interval"},
                                      {"verify", "check every invariant of the lake"},
                                      {"report", "gaps, statistics and plots as one web page"},
                                      {"forecast BTCUSDT", "models that have to beat yesterday's price"}}) {
    print(fmt::format("  {:<64} {}\n", fmt::format("{} {}{}", program, command, flag), what));
  }
}

Result<int> run(const Options& options, Context& context) {
  CHANDLER_ASSIGN(const std::string data, find_data(options.data));
  CHANDLER_ASSIGN(const auto storage, context.open_lake());
  CHANDLER_ASSIGN(const auto lock, storage->lock_for_writing("demo"));
  CHANDLER_ASSIGN(const auto market, sim::Market::load(std::span(&data, 1), context.stop));
  sim::SimOptions sim_options;
  CHANDLER_ASSIGN(sim_options.now, parse_instant(kNow));
  CHANDLER_ASSIGN(const auto sim, sim::SimServer::start(market, sim_options, context.clock));

  ExchangeFlags flags;
  flags.rest_url = sim->url();
  flags.archive_url = sim->archive_url();
  ExchangeClients clients(flags, context.clock);
  const bool json = context.globals.json;
  if (!json) {
    print(fmt::format("A look-alike of the exchange runs at {} on real candles; its clock says {} UTC.\n\n",
                      sim->url(), kNow));
    print("The exchange's own days, as far back as they go:\n");
  }
  CHANDLER_ASSIGN(const auto days, fetch(context, *storage, clients, candles::Interval::d1, std::nullopt));
  if (!json) {
    print_report(days, candles::Interval::d1, context.colour);
    print("\nMinutes, from which days are rolled up wherever there are any:\n");
  }
  CHANDLER_ASSIGN(const Day first, parse_day(kFirstMinutes));
  CHANDLER_ASSIGN(const auto minutes,
                  fetch(context, *storage, clients, candles::Interval::m1, begin_of(first)));
  const int code = std::max(exit_code_of(days), exit_code_of(minutes));
  if (json) {
    print_json({{"lake", storage->uri()},
                {"days", to_json(days, candles::Interval::d1)},
                {"minutes", to_json(minutes, candles::Interval::m1)}});
    return code;
  }
  print_report(minutes, candles::Interval::m1, context.colour);
  print(
      fmt::format("\nThe lake is {}: Parquet files that DuckDB, Polars, pandas and Spark read as they are.\n",
                  storage->uri()));
  print_next_steps(context.globals.lake);
  return code;
}

}  // namespace

void add_demo_command(Registry& registry) {
  auto options = std::make_shared<Options>();
  Flags& flags = registry.add("demo", "Backfill real candles from an embedded exchange, without the internet",
                              [options](Context& context) { return run(*options, context); });
  flags.option("--data", &options->data, "Folder of candles (default: what ships with the program)")
      .type("DIR");
}

}  // namespace chandler::cli
