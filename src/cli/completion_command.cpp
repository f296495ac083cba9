#include "cli/commands.hpp"
#include "cli/man_page.hpp"
#include "cli/shell_completion.hpp"
#include "lake/catalog.hpp"

namespace chandler::cli {
namespace {

// What completion scripts ask: a line per symbol. A lake that is not there has none.
Result<int> print_symbols(Context& context) {
  CHANDLER_ASSIGN(const auto storage, context.open_lake());
  constexpr lake::Table kTables[] = {lake::Table::klines_1m, lake::Table::klines_1d, lake::Table::speed_1m};
  CHANDLER_ASSIGN(const auto symbols, lake::symbols_of(*storage, kTables));
  if (context.globals.json) {
    print_json({{"symbols", symbols}});
    return kDone;
  }
  std::string text;
  for (const std::string& symbol : symbols) text += symbol + '\n';
  print(text);
  return kDone;
}

}  // namespace

void add_completion_command(Registry& registry) {
  auto shell = std::make_shared<std::string>();
  Flags& flags = registry.add("completion", "A script that completes the command line: bash, zsh or fish",
                              [&registry, shell](Context&) -> Result<int> {
                                print(completion_script(registry.program(), *shell));
                                return kDone;
                              });
  flags.argument("shell", shell.get(), "Shell that is to read it, e.g. `source <(chandler completion bash)`")
      .choices({std::begin(kShells), std::end(kShells)})
      .required();
  registry.add_hidden("symbols", "The symbols of the lake, one a line, for completion scripts",
                      print_symbols);
  registry.add_hidden("man", "The manual page, as roff", [&registry](Context&) -> Result<int> {
    print(man_page(registry.program()));
    return kDone;
  });
}

}  // namespace chandler::cli
