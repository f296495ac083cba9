#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "batch/status_fields.hpp"
#include "cli/commands.hpp"
#include "cli/terminal.hpp"

namespace chandler::cli {
namespace {

using batch::SymbolStatus;

struct Options {
  std::vector<std::string> symbols;
  std::string sort = "symbol";
  bool incomplete = false;
};

template <class T>
Json json_of(const T& value) {
  return value;
}
Json json_of(const std::optional<Timestamp>& t) {
  return t ? Json(format_instant(*t)) : Json(nullptr);
}
Json json_of(const std::optional<Day>& d) {
  return d ? Json(format_day(*d)) : Json(nullptr);
}

Json to_json(const SymbolStatus& s) {
  Json json{{"symbol", s.symbol}};
  batch::each_field(s, [&](const char* name, const auto& value) { json[name] = json_of(value); });
  json["lag_seconds"] = s.lag.count() / 1000;
  return json;
}

std::string instant_or_dash(const std::optional<Timestamp>& t) {
  return t ? format_minute(*t) : "-";
}

// Of so many rows a sum says what is worth looking for.
constexpr std::size_t kManyRows = 20;

void print_table(const std::vector<SymbolStatus>& all, bool colour) {
  // In a lake of days alone nothing can be said of minutes, and on a narrow terminal the last day counts.
  const bool any_minutes = std::ranges::any_of(all, [](const auto& s) { return s.minutes > 0; });
  const auto of_minutes = [&](int spare) { return any_minutes ? spare : 9; };
  TextTable table({{"symbol"},
                   {"minutes", Align::right, of_minutes(2)},
                   {"first", Align::left, of_minutes(5)},
                   {"last", Align::left, of_minutes(0)},
                   {"coverage", Align::right, of_minutes(0)},
                   {"holes", Align::right, of_minutes(3)},
                   {"missing", Align::right},
                   {"not asked", Align::right},
                   {"days", Align::right, any_minutes ? 4 : 0},
                   {"filled", Align::right, any_minutes ? 7 : 0},
                   {"last day", Align::left, any_minutes ? 6 : 0},
                   {"speed", Align::right, 8},
                   {"lag", Align::right}});
  for (const SymbolStatus& s : all) {
    table.add({s.symbol, group_digits(s.minutes), instant_or_dash(s.first), instant_or_dash(s.last),
               s.minutes > 0 ? fmt::format("{:.3f}%", s.coverage * 100) : "-", group_digits(s.holes),
               group_digits(s.missing_minutes), group_digits(s.not_asked_minutes), group_digits(s.days),
               group_digits(s.filled_days), s.last_day ? format_day(*s.last_day) : "-",
               group_digits(s.speed_minutes), s.lag.count() == 0 ? "-" : format_duration(s.lag)});
  }
  print(table.to_text(colour, stdout_columns()));
}

void print_sum(const std::vector<SymbolStatus>& shown, std::size_t of) {
  if (of < kManyRows) return;
  std::size_t minutes = 0, missing = 0, incomplete = 0, late = 0;
  for (const SymbolStatus& s : shown) {
    minutes += s.minutes;
    missing += s.missing_minutes;
    if (s.missing_minutes > 0) ++incomplete;
    if (s.lag.count() > 0) ++late;
  }
  const std::string symbols = shown.size() == of ? counted(of, "symbol", "symbols")
                                                 : fmt::format("{} of {}", group_digits(shown.size()),
                                                               counted(of, "symbol", "symbols"));
  print(fmt::format("{}: {}; {} {}, {} late\n", symbols, counted(minutes, "minute", "minutes"),
                    counted(incomplete, "misses", "miss"), group_digits(missing), group_digits(late)));
}

void order(std::vector<SymbolStatus>& all, const std::string& by) {
  if (by == "worst") {
    std::ranges::stable_sort(all, std::ranges::greater{}, [](const SymbolStatus& s) {
      return std::tuple(s.not_asked_minutes, s.missing_minutes, s.lag);
    });
  } else if (by == "lag") {
    std::ranges::stable_sort(all, std::ranges::greater{}, &SymbolStatus::lag);
  } else if (by == "minutes") {
    std::ranges::stable_sort(all, std::ranges::greater{}, &SymbolStatus::minutes);
  }
}

Result<int> run(const Options& options, Context& context) {
  CHANDLER_ASSIGN(const auto symbols, parse_symbols(options.symbols));
  CHANDLER_ASSIGN(const auto storage, context.open_lake());
  CHANDLER_ASSIGN(auto all, batch::read_status(*storage, symbols));
  const std::size_t symbols_in_all = all.size();
  if (options.incomplete) {
    std::erase_if(all, [](const SymbolStatus& s) { return s.missing_minutes == 0 && s.lag.count() == 0; });
  }
  order(all, options.sort);
  if (context.globals.json) {
    Json list = Json::array();
    for (const SymbolStatus& s : all) list.push_back(to_json(s));
    print_json({{"lake", storage->uri()}, {"symbols", std::move(list)}});
  } else if (all.empty()) {
    print(options.incomplete
              ? "Nothing is missing.\n"
              : fmt::format("The lake {} is empty. Fill it with `chandler backfill BTCUSDT`.\n",
                            storage->uri()));
  } else {
    print_table(all, context.colour);
    print_sum(all, symbols_in_all);
  }
  return kDone;
}

}  // namespace

void add_status_command(Registry& registry) {
  auto options = std::make_shared<Options>();
  Flags& flags = registry.add("status", "Coverage, holes and lag of each symbol",
                              [options](Context& context) { return run(*options, context); });
  flags.argument("symbols", &options->symbols, "Symbols; all of the lake's if none").type("SYMBOL");
  flags.option("--sort", &options->sort, "Order of the rows")
      .choices({"symbol", "worst", "lag", "minutes"})
      .show_default();
  flags.toggle("--incomplete", &options->incomplete, "Only symbols that miss minutes or lag");
}

}  // namespace chandler::cli
