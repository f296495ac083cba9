#include <fmt/format.h>

#include "base/log.hpp"
#include "cli/commands.hpp"
#include "cli/exchange_flags.hpp"
#include "cli/speed_flags.hpp"
#include "speed/produce.hpp"

namespace chandler::cli {
namespace {

struct Options {
  std::vector<std::string> symbols;
  KafkaFlags kafka;
  StreamFlags stream;
  ExchangeFlags exchange;
  std::string channel = "kline";
  int partitions = 4;
  MetricsFlags metrics;
};

Result<int> run(const Options& options, Context& context) {
  CHANDLER_ASSIGN(const auto storage, context.open_lake());
  speed::ProduceOptions job;
  CHANDLER_ASSIGN(job.address, options.kafka.address());
  job.address.stop = context.stop;
  job.channel = options.channel == "ticker" ? speed::Channel::ticker : speed::Channel::kline;
  // Consumers of prices know their topic by this name.
  if (job.channel == speed::Channel::ticker && options.kafka.topic == "klines")
    job.address.topic = "crypto-prices";
  job.partitions = options.partitions;
  CHANDLER_ASSIGN(job.feed, options.stream.options(*storage, options.symbols, options.exchange.seed));

  ExchangeClients clients(options.exchange, context.clock);
  speed::Figures figures;
  CHANDLER_ASSIGN(const auto metrics, options.metrics.serve([&](metrics::Families& families) {
    add_to(families, figures);
    clients.add_to(families);
  }));
  context.progress.note(fmt::format("producing {} symbol(s) to topic {} at {}; stop with Ctrl-C",
                                    job.feed.symbols.size(), job.address.topic, job.address.brokers));
  const speed::ProduceEnvironment environment{*storage, clients.rest(), context.clock, figures, context.stop};
  CHANDLER_TRY(speed::produce(environment, job));
  if (context.globals.json) {
    print_json({{"received", figures.messages.load()},
                {"published", figures.published.load()},
                {"fetched", figures.caught_up.load()},
                {"rejected", rejected_json(figures)},
                {"disconnects", figures.disconnects.load()},
                {"delivery_ms", latency_json(figures.delivery)}});
  } else {
    print(fmt::format(
        "{} events received, {} acknowledged by the broker, {}; {} minutes fetched by REST, {} reconnects.\n",
        figures.messages.load(), figures.published.load(), rejected_text(figures), figures.caught_up.load(),
        figures.disconnects.load()));
  }
  return kDone;
}

}  // namespace

void add_produce_command(Registry& registry) {
  auto options = std::make_shared<Options>();
  Flags& flags = registry.add("produce", "The exchange's streams → a Kafka topic, no minute left out",
                              [options](Context& context) { return run(*options, context); });
  flags.argument("symbols", &options->symbols, "Symbols, e.g. BTCUSDT; those in the lake if none")
      .type("SYMBOL");
  options->kafka.add_to(flags, "klines");
  flags.option("--channel", &options->channel, "1m klines, or 24-hour tickers (topic crypto-prices)")
      .choices({"kline", "ticker"})
      .show_default();
  flags.option("--partitions", &options->partitions, "Partitions of a topic that has to be made")
      .range(1, 1000)
      .show_default();
  options->metrics.add_to(flags);
  options->stream.add_to(flags);
  options->exchange.add_to(flags);
}

}  // namespace chandler::cli
