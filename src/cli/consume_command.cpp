#include "cli/commands.hpp"
#include "cli/speed_flags.hpp"
#include "cli/speed_screen.hpp"
#include "speed/kafka_sink.hpp"

namespace chandler::cli {
namespace {

struct Options {
  std::vector<std::string> symbols;
  KafkaFlags kafka;
  PipelineFlags pipeline;
  std::string group = "chandler";
  bool once = false;
};

Result<std::unique_ptr<speed::DeadLetters>> dead_letters_of(const Options& options,
                                                            speed::KafkaAddress address, Context& context) {
  constexpr std::string_view kTopic = "topic:";
  if (!options.pipeline.dead_letter.starts_with(kTopic)) {
    return speed::dead_letter_file(dead_letter_path(options.pipeline, context.globals));
  }
  address.topic = options.pipeline.dead_letter.substr(kTopic.size());
  return speed::dead_letter_topic(address, context.clock);
}

Result<int> run(const Options& options, Context& context) {
  speed::ConsumeOptions job;
  CHANDLER_ASSIGN(job.address, options.kafka.address());
  job.address.stop = context.stop;
  CHANDLER_ASSIGN(job.pipeline, options.pipeline.options("consume"));
  CHANDLER_ASSIGN(const auto symbols, parse_symbols(options.symbols));
  job.pipeline.symbols.insert(symbols.begin(), symbols.end());
  job.group = options.group;
  job.once = options.once;

  CHANDLER_ASSIGN(const auto storage, context.open_lake());
  CHANDLER_ASSIGN(const auto dead_letters, dead_letters_of(options, job.address, context));
  speed::Figures figures;
  SpeedScreen screen(context, *storage, figures, !options.once);
  CHANDLER_ASSIGN(const auto metrics, options.pipeline.metrics.serve(
                                          [&](metrics::Families& families) { add_to(families, figures); }));
  const speed::SpeedEnvironment environment{*storage, context.clock, *dead_letters,
                                            figures,  screen,        context.stop};
  CHANDLER_TRY(speed::consume(environment, job));
  CHANDLER_TRY(screen.print_days());
  return figures.rejected_total() > 0 && options.once ? kDoneInPart : kDone;
}

}  // namespace

void add_consume_command(Registry& registry) {
  auto options = std::make_shared<Options>();
  Flags& flags = registry.add("consume", "Kafka topic → speed_1m, each minute exactly once",
                              [options](Context& context) { return run(*options, context); });
  flags.argument("symbols", &options->symbols, "Take only these symbols; every one if none").type("SYMBOL");
  options->kafka.add_to(flags, "klines");
  flags.option("--group", &options->group, "Consumer group: its members share the partitions")
      .type("NAME")
      .show_default();
  flags.toggle("--once", &options->once,
               "Read from the earliest to the latest message, store, print the days and stop");
  options->pipeline.add_to(flags);
}

}  // namespace chandler::cli
