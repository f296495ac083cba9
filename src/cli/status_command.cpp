#include <fmt/format.h>

#include <algorithm>

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

void print_table(const std::vector<SymbolStatus>& all, bool colour) {
  TextTable table({{"symbol"},
                   {"minutes", Align::right, 2},
                   {"first", Align::left, 5},
                   {"last"},
                   {"coverage", Align::right},
                   {"holes", Align::right, 3},
                   {"missing", Align::right},
                   {"not asked", Align::right},
                   {"days", Align::right, 4},
                   {"filled", Align::right, 7},
                   {"last day", Align::left, 6},
                   {"speed", Align::right, 8},
                   {"lag", Align::right}});
  const auto count = [](std::size_t n) { return group_digits(n); };
  for (const SymbolStatus& s : all) {
    table.add({s.symbol, count(s.minutes), instant_or_dash(s.first), instant_or_dash(s.last),
               s.minutes > 0 ? fmt::format("{:.3f}%", s.coverage * 100) : "-", count(s.holes),
               count(s.missing_minutes), count(s.not_asked_minutes), count(s.days), count(s.filled_days),
               s.last_day ? format_day(*s.last_day) : "-", count(s.speed_minutes),
               s.lag.count() == 0 ? "-" : format_duration(s.lag)});
  }
  print(table.to_text(colour, stdout_columns()));
}

void order(std::vector<SymbolStatus>& all, const std::string& by) {
  if (by == "worst") {
    std::ranges::stable_sort(all, std::ranges::greater{}, [](const SymbolStatus& s) {
      return std::pair(s.not_asked_minutes, s.missing_minutes);
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
