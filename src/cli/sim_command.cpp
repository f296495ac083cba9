#include <fmt/format.h>

#include <cstdio>

#include "cli/commands.hpp"
#include "sim/sim_server.hpp"

namespace chandler::cli {
namespace {

struct Options {
  std::vector<std::string> data;
  std::string now;
  sim::SimOptions server;
};

Result<int> run(const Options& options, Context& context) {
  std::vector<std::string> data = options.data;
  if (data.empty()) data.push_back(context.globals.lake);
  CHANDLER_ASSIGN(const auto market, sim::Market::load(data, context.stop));
  sim::SimOptions server_options = options.server;
  if (!options.now.empty()) {
    CHANDLER_ASSIGN(server_options.now, parse_instant(options.now));
  }
  server_options.streams.faults.seed = server_options.exchange.archive.seed =
      server_options.exchange.faults.seed;
  CHANDLER_ASSIGN(const auto server, sim::SimServer::start(market, server_options, context.clock));

  const TimeRange extent = market->extent();
  if (context.globals.json) {
    Json symbols = Json::array();
    for (const auto& listing : market->listings()) symbols.push_back(listing->symbol());
    print_json({{"url", server->url()},
                {"stream_url", server->stream_url()},
                {"archive_url", server->archive_url()},
                {"now", format_instant(server->now())},
                {"speed", server_options.speed},
                {"first", format_instant(extent.begin)},
                {"end", format_instant(extent.end)},
                {"symbols", std::move(symbols)}});
  } else {
    print(fmt::format("The exchange is open at {}\n", server->url()));
    print(fmt::format("  {} symbol(s), candles from {} to {}\n", market->listings().size(),
                      format_minute(extent.begin), format_minute(extent.end)));
    print(fmt::format("  its clock says {} and runs at {}x\n", format_instant(server->now()),
                      server_options.speed));
    print(fmt::format("  statistics at {}/sim/stats; stop it with Ctrl-C\n", server->url()));
  }
  std::fflush(stdout);  // whoever started it reads the address from a pipe
  while (context.clock.sleep(std::chrono::hours(1), context.stop)) {
  }
  server->stop();
  if (!context.globals.json && !context.globals.quiet) print(server->statistics().to_json() + "\n");
  return kDone;
}

// Stores a number of units as milliseconds.
Target scaled(Millis& value, std::int64_t unit_ms) {
  return std::function<void(double)>([&value, unit_ms](double units) {
    value = Millis(static_cast<std::int64_t>(units * static_cast<double>(unit_ms)));
  });
}

}  // namespace

void add_sim_command(Registry& registry) {
  auto options = std::make_shared<Options>();
  Flags& flags =
      registry.add("sim", "A look-alike of the exchange over a lake or candle files, for tests and demos",
                   [options](Context& context) { return run(*options, context); });
  sim::SimOptions& server = options->server;
  flags
      .option("--data", &options->data,
              "A lake, or files or folders of 1m and 1d candles (zip, CSV, CSV.gz); the lake if none")
      .type("PATH");
  flags.option("--address", &server.address, "Address to listen on").show_default();
  flags.option("--port", &server.port, "Port to listen on; 0 takes a free one").show_default();
  flags
      .option("--now", &options->now,
              "Where the exchange's clock starts; 90 minutes before the end of the minutes if not given")
      .type("TIME");
  flags.option("--speed", &server.speed, "Seconds of the market per second; 0 stands still").show_default();
  flags.option("--latency", scaled(server.exchange.latency, 1), "Milliseconds that every answer takes")
      .range(0, 600'000)
      .type("MS");
  flags.option("--faults", &server.exchange.faults.rate, "Share of the requests that fail")
      .range(0, 1)
      .show_default();
  flags.option("--seed", &server.exchange.faults.seed, "Which requests fail, and how; one seed replays")
      .show_default();
  flags
      .option("--damaged-archives", &server.exchange.archive.damaged,
              "Share of the archive files that are wrong whenever they are fetched")
      .range(0, 1)
      .show_default();
  sim::ArchiveOptions& archive = server.exchange.archive;
  flags
      .option("--month-lag", scaled(archive.month_lag, kDayMs),
              "Days from a month's end until its archive appears")
      .range(0, 3650)
      .show_default("3")
      .type("DAYS");
  flags
      .option("--day-lag", scaled(archive.day_lag, 3'600'000),
              "Hours from a day's end until its archive appears")
      .range(0, 87'600)
      .show_default("10")
      .type("HOURS");
  flags
      .option("--stream-faults", &server.streams.faults.rate,
              "Share of the stream messages that are doubled, swapped, late, lost or the last")
      .range(0, 1)
      .show_default();
  const auto seconds = [&flags](const char* name, Millis& value, const char* about) {
    flags.option(name, scaled(value, 1000), about)
        .range(0.001, 1e9)
        .type("SECONDS")
        .show_default(fmt::format("{}", value.count() / 1000));
  };
  seconds("--stream-life", server.streams.life, "Market time after which a stream connection is cut");
  seconds("--stream-ping", server.streams.ping_every, "Time between two pings");
  seconds("--stream-cadence", server.streams.cadence.klines, "Market time between two updates of a candle");
  flags
      .option("--weight-limit", &server.exchange.limits.weight_per_minute,
              "Request weight per minute and address")
      .at_least(1)
      .show_default();
}

}  // namespace chandler::cli
