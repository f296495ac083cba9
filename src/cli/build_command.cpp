#include <fmt/format.h>

#include "batch/derive.hpp"
#include "batch/status.hpp"
#include "cli/commands.hpp"
#include "cli/terminal.hpp"

namespace chandler::cli {
namespace {

Json to_json(const batch::Derived& d) {
  return {{"symbol", d.symbol},
          {"days", d.days},
          {"filled_days", d.filled},
          {"first_day", d.first ? Json(format_day(*d.first)) : Json(nullptr)},
          {"last_day", d.last ? Json(format_day(*d.last)) : Json(nullptr)},
          {"minutes_read", d.minutes_read},
          {"months", d.months_computed},
          {"files_written", d.files_written},
          {"files_removed", d.files_removed}};
}

Result<int> run(const std::vector<std::string>& arguments, bool reread, Context& context) {
  CHANDLER_ASSIGN(const auto wanted, parse_symbols(arguments));
  CHANDLER_ASSIGN(const auto storage, context.open_lake());
  CHANDLER_ASSIGN(const auto lock, storage->lock_for_writing("build"));
  CHANDLER_TRY(storage->remove_unfinished());
  const auto started = context.clock.steady();
  CHANDLER_ASSIGN(const auto symbols, batch::select_symbols(*storage, wanted));
  CHANDLER_ASSIGN(const auto derived,
                  batch::derive(*storage, symbols, batch::Extent::everything, context.progress,
                                reread ? batch::DaysFrom::minutes : batch::DaysFrom::footers,
                                [&] { return context.stop.stop_requested(); }));
  const auto duration = context.clock.steady() - started;

  std::size_t minutes = 0;
  TextTable table({{"symbol"},
                   {"days", Align::right},
                   {"filled", Align::right},
                   {"first day"},
                   {"last day"},
                   {"minutes", Align::right},
                   {"files written", Align::right}});
  Json list = Json::array();
  for (const batch::Derived& d : derived) {
    const auto count = [](std::size_t n) { return group_digits(n); };
    minutes += d.minutes_read;
    table.add({d.symbol, count(d.days), count(d.filled), d.first ? format_day(*d.first) : "-",
               d.last ? format_day(*d.last) : "-", count(d.minutes_read), count(d.files_written)});
    list.push_back(to_json(d));
  }
  const double seconds = std::chrono::duration<double>(duration).count();
  if (context.globals.json) {
    print_json({{"duration_seconds", seconds}, {"minutes_read", minutes}, {"symbols", std::move(list)}});
  } else {
    print(table.to_text(context.colour));
    print(fmt::format("Derived from {} minutes in {}\n", group_digits(minutes),
                      format_duration(std::chrono::duration_cast<Millis>(duration))));
  }
  return kDone;
}

}  // namespace

void add_build_command(Registry& registry) {
  auto symbols = std::make_shared<std::vector<std::string>>();
  auto reread = std::make_shared<bool>(false);
  Flags& flags =
      registry.add("build", "Derive daily_filled and prophet_input again from the klines",
                   [symbols, reread](Context& context) { return run(*symbols, *reread, context); });
  flags.toggle(
      "--reread", reread.get(),
      "Read every minute, instead of the days that were put beside the minutes when they were written");
  flags.argument("symbols", symbols.get(), "Symbols; all of the lake's if none").type("SYMBOL");
}

}  // namespace chandler::cli
