#include <fmt/format.h>

#include "batch/status.hpp"
#include "cli/candle_writer.hpp"
#include "cli/commands.hpp"
#include "serving/candle_service.hpp"

namespace chandler::cli {
namespace {

// How many candles a table shows when nobody said which.
constexpr std::size_t kTableRows = 50;

struct Options {
  std::string symbol;
  std::string interval = "1d";
  std::string from, to;
  std::size_t last = 0;
  bool fill = false;
  std::string format = "table";
  std::string file;
};

Result<serving::CandleQuery> query_of(const Options& options) {
  serving::CandleQuery query;
  query.interval = *candles::parse_interval(options.interval);
  query.fill = options.fill;
  if (!options.from.empty()) {
    CHANDLER_ASSIGN(query.from, parse_instant(options.from));
  }
  if (!options.to.empty()) {
    if (const auto day = parse_day(options.to)) {
      query.to = end_of(*day);
    } else {
      CHANDLER_ASSIGN(query.to, parse_instant(options.to));
    }
  }
  if (query.from && query.to && *query.to <= *query.from) {
    return fail(ErrorCode::usage, fmt::format("--to {} is before --from {}", options.to, options.from));
  }
  return query;
}

Result<int> run(const Options& options, Context& context) {
  CHANDLER_ASSIGN(const auto query, query_of(options));
  CHANDLER_ASSIGN(auto symbols, parse_symbols({options.symbol}));
  CHANDLER_ASSIGN(const auto storage, context.open_lake());
  CHANDLER_ASSIGN(symbols, batch::select_symbols(*storage, symbols));
  CHANDLER_ASSIGN(const auto series, serving::SymbolSeries::open(*storage, symbols.front()));

  CandleOutput output{options.format, options.file, symbols.front(), query.interval, context.colour};
  if (context.globals.json) output.format = "json";
  std::size_t last = options.last;
  if (last == 0 && output.format == "table" && !query.from && !query.to) last = kTableRows;
  CHANDLER_ASSIGN(const auto writer, make_candle_writer(output));
  if (last > 0) {
    CHANDLER_ASSIGN(const auto candles, serving::read_last(series, query, last));
    CHANDLER_TRY(writer->write(candles));
  } else {
    CHANDLER_TRY(serving::serve(series, query, [&](serving::Candles&& piece) -> Status {
      if (context.stop.stop_requested()) return fail(ErrorCode::interrupted, "interrupted");
      return writer->write(piece);
    }));
  }
  CHANDLER_TRY(writer->finish());
  return kDone;
}

}  // namespace

void add_candles_command(Registry& registry) {
  auto options = std::make_shared<Options>();
  Flags& flags = registry.add("candles", "Candles of any interval: batch and speed layer together",
                              [options](Context& context) { return run(*options, context); });
  flags.argument("symbol", &options->symbol, "Symbol").type("SYMBOL").required();
  std::vector<std::string> intervals;
  for (const auto interval : candles::kIntervals) intervals.emplace_back(candles::name(interval));
  flags.option("--interval", &options->interval, "How long a candle is")
      .type("INTERVAL")
      .choices(std::move(intervals))
      .show_default();
  flags.option("--from", &options->from, "First candle: a UTC day or instant (2024-05-01, 2024-05-01T13:00)")
      .type("DATE|TIME");
  flags.option("--to", &options->to, "Last candle: a UTC day, inclusive, or an instant before which it opens")
      .type("DATE|TIME");
  flags.option("--last", &options->last, "Only the newest N of them (a table without --from and --to: 50)")
      .type("N");
  flags.toggle("--fill", &options->fill,
               "Candles without any minute carry the last close on, marked as filled");
  flags.option("--format", &options->format, "How they are written")
      .choices({"table", "csv", "json", "parquet"})
      .show_default();
  flags.option("-o,--output", &options->file, "Write to a file instead of stdout").type("FILE");
}

}  // namespace chandler::cli
