#include "cli/commands.hpp"
#include "cli/exchange_flags.hpp"
#include "cli/speed_flags.hpp"
#include "cli/speed_screen.hpp"
#include "speed/produce.hpp"

namespace chandler::cli {
namespace {

struct Options {
  std::vector<std::string> symbols;
  StreamFlags stream;
  ExchangeFlags exchange;
  PipelineFlags pipeline;
};

Result<int> run(const Options& options, Context& context) {
  CHANDLER_ASSIGN(const auto storage, context.open_lake());
  speed::LiveOptions job;
  CHANDLER_ASSIGN(job.pipeline, options.pipeline.options("live"));
  CHANDLER_ASSIGN(job.feed, options.stream.options(*storage, options.symbols, options.exchange.seed));

  ExchangeClients clients(options.exchange, context.clock);
  const auto dead_letters = speed::dead_letter_file(dead_letter_path(options.pipeline, context.globals));
  speed::Figures figures;
  SpeedScreen screen(context, *storage, figures, true);
  CHANDLER_ASSIGN(const auto metrics, options.pipeline.metrics.serve([&](metrics::Families& families) {
    add_to(families, figures);
    clients.add_to(families);
  }));
  const speed::SpeedEnvironment environment{*storage, context.clock, *dead_letters,
                                            figures,  screen,        context.stop};
  CHANDLER_TRY(speed::live(environment, clients.rest(), job));
  CHANDLER_TRY(screen.print_days());
  return kDone;
}

}  // namespace

void add_live_command(Registry& registry) {
  auto options = std::make_shared<Options>();
  Flags& flags = registry.add("live", "The exchange's streams → speed_1m in one process, without a broker",
                              [options](Context& context) { return run(*options, context); });
  flags.argument("symbols", &options->symbols, "Symbols, e.g. BTCUSDT; those in the lake if none")
      .type("SYMBOL");
  options->stream.add_to(flags);
  options->exchange.add_to(flags);
  options->pipeline.add_to(flags);
}

}  // namespace chandler::cli
