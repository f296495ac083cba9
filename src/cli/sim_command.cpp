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
  CHANDLER_ASSIGN(const auto market, sim::Market::load(data));
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

}  // namespace

void add_sim_command(Registry& registry) {
  auto options = std::make_shared<Options>();
  CLI::App& app =
      registry.add("sim", "A look-alike of the exchange over a lake or candle files, for tests and demos",
                   [options](Context& context) { return run(*options, context); });
  sim::SimOptions& server = options->server;
  app.add_option("--data", options->data,
                 "A lake, or files or folders of 1m and 1d candles (zip, CSV, CSV.gz); the lake if none")
      ->type_name("PATH");
  app.add_option("--address", server.address, "Address to listen on")->capture_default_str();
  app.add_option("--port", server.port, "Port to listen on; 0 takes a free one")->capture_default_str();
  app.add_option("--now", options->now,
                 "Where the exchange's clock starts; 90 minutes before the end of the minutes if not given")
      ->type_name("TIME");
  app.add_option("--speed", server.speed, "Seconds of the market per second; 0 stands still")
      ->capture_default_str();
  app.add_option_function<std::int64_t>(
         "--latency",
         [options](std::int64_t ms) { options->server.exchange.latency = std::chrono::milliseconds(ms); },
         "Milliseconds that every answer takes")
      ->check(CLI::Range(0, 600'000))
      ->type_name("MS");
  app.add_option("--faults", server.exchange.faults.rate, "Share of the requests that fail, 0 to 1")
      ->capture_default_str();
  app.add_option("--seed", server.exchange.faults.seed, "Which requests fail, and how; one seed replays")
      ->capture_default_str();
  app.add_option("--damaged-archives", server.exchange.archive.damaged,
                 "Share of the archive files that are wrong whenever they are fetched, 0 to 1")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option_function<double>(
         "--month-lag",
         [options](double days) {
           options->server.exchange.archive.month_lag = Millis(static_cast<std::int64_t>(days * kDayMs));
         },
         "Days from a month's end until its archive appears (3)")
      ->check(CLI::Range(0.0, 3650.0))
      ->type_name("DAYS");
  app.add_option_function<double>(
         "--day-lag",
         [options](double hours) {
           options->server.exchange.archive.day_lag = Millis(static_cast<std::int64_t>(hours * 3.6e6));
         },
         "Hours from a day's end until its archive appears (10)")
      ->check(CLI::Range(0.0, 87'600.0))
      ->type_name("HOURS");
  app.add_option("--stream-faults", server.streams.faults.rate,
                 "Share of the stream messages that are doubled, swapped, late, lost or the last, 0 to 1")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  const auto seconds = [&app](const std::string& flag, Millis& value, const std::string& what) {
    app.add_option_function<double>(
           flag, [&value](double s) { value = Millis(static_cast<std::int64_t>(s * 1000)); }, what)
        ->check(CLI::Range(0.001, 1e9))
        ->type_name("SECONDS");
  };
  seconds("--stream-life", server.streams.life, "Market time after which a stream connection is cut (86400)");
  seconds("--stream-ping", server.streams.ping_every, "Time between two pings (20)");
  seconds("--stream-cadence", server.streams.cadence.klines,
          "Market time between two updates of a candle (2)");
  app.add_option("--weight-limit", server.exchange.limits.weight_per_minute,
                 "Request weight per minute and address")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

}  // namespace chandler::cli
