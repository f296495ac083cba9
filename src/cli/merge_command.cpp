#include <fmt/format.h>

#include <cmath>

#include "batch/merge.hpp"
#include "batch/status.hpp"
#include "cli/commands.hpp"
#include "cli/kline_difference.hpp"
#include "cli/terminal.hpp"

namespace chandler::cli {
namespace {

Json to_json(const candles::Kline& k) {
  const auto known = [](double value) { return std::isnan(value) ? Json(nullptr) : Json(value); };
  return {{"open", k.open},
          {"high", k.high},
          {"low", k.low},
          {"close", k.close},
          {"volume", k.volume},
          {"quote_volume", known(k.quote_volume)},
          {"trades", k.trades == candles::kUnknownTrades ? Json(nullptr) : Json(k.trades)},
          {"taker_buy_volume", known(k.taker_buy_volume)},
          {"taker_buy_quote_volume", known(k.taker_buy_quote_volume)}};
}

Json to_json(const batch::SymbolMerge& s) {
  Json differences = Json::array();
  for (const auto& d : s.differences) {
    differences.push_back({{"open_time", format_instant(from_ms(d.stored.open_time))},
                           {"batch", to_json(d.stored)},
                           {"speed", to_json(d.incoming)}});
  }
  return {{"symbol", s.symbol},
          {"added", s.added},
          {"covered", s.covered},
          {"different", s.different},
          {"differences", std::move(differences)},
          {"files_removed", s.files_removed},
          {"files_kept", s.files_kept}};
}

void print_report(const batch::MergeReport& report, bool colour) {
  if (report.symbols.empty()) return print("The speed layer has nothing to merge.\n");
  TextTable table({{"symbol"},
                   {"added", Align::right},
                   {"in batch already", Align::right},
                   {"different", Align::right},
                   {"files removed", Align::right},
                   {"kept", Align::right}});
  const auto count = [](std::size_t n) { return group_digits(n); };
  for (const auto& s : report.symbols) {
    table.add({s.symbol, count(s.added), count(s.covered), count(s.different), count(s.files_removed),
               count(s.files_kept)});
  }
  print(table.to_text(colour));
  for (const auto& s : report.symbols) {
    for (const auto& d : s.differences) {
      const auto [batch, stream] = difference_of(d.stored, d.incoming);
      print_warning(fmt::format("{} {}: batch has {}, the stream told {}; batch's stays", s.symbol,
                                format_minute(from_ms(d.stored.open_time)), batch, stream));
    }
    if (s.different > s.differences.size()) {
      print_warning(
          fmt::format("{}: and {} further differences", s.symbol, s.different - s.differences.size()));
    }
  }
}

Result<int> run(const std::vector<std::string>& arguments, Context& context) {
  CHANDLER_ASSIGN(const auto wanted, parse_symbols(arguments));
  CHANDLER_ASSIGN(const auto storage, context.open_lake());
  CHANDLER_ASSIGN(const auto lock, storage->lock_for_writing("merge"));
  CHANDLER_TRY(storage->remove_unfinished());
  CHANDLER_ASSIGN(const auto symbols, batch::select_symbols(*storage, wanted));
  CHANDLER_ASSIGN(const auto report, batch::merge_speed(*storage, symbols, context.progress, context.stop));
  if (context.globals.json) {
    Json list = Json::array();
    for (const auto& s : report.symbols) list.push_back(to_json(s));
    print_json({{"symbols", std::move(list)}});
  } else {
    print_report(report, context.colour);
  }
  return kDone;
}

}  // namespace

void add_merge_command(Registry& registry) {
  auto symbols = std::make_shared<std::vector<std::string>>();
  Flags& flags =
      registry.add("merge", "Make the speed layer's closed minutes part of klines_1m and derive the days",
                   [symbols](Context& context) { return run(*symbols, context); });
  flags.argument("symbols", symbols.get(), "Symbols; all of the lake's if none").type("SYMBOL");
}

}  // namespace chandler::cli
