// chandler.toml: any bytes, for a program of two commands.
#include "cli/configuration.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "fuzz_target.hpp"

using namespace chandler;

namespace {

struct Values {
  std::string lake, config, since;
  int in_flight = 0;
  bool json = false, refetch = false;
  std::vector<std::string> symbols, only;
};

void define(cli::Program& program, Values& values) {
  program.name = "chandler";
  program.globals.option("--lake", &values.lake, "");
  program.globals.option("--config", &values.config, "");
  program.globals.toggle("--json", &values.json, "");
  program.commands.emplace_back().name = "live";
  program.commands.emplace_back().name = "fetch";
  cli::Flags& fetch = program.commands.back().flags;
  fetch.argument("symbols", &values.symbols, "");
  fetch.option("--since", &values.since, "");
  fetch.option("--in-flight", &values.in_flight, "");
  fetch.option("--only", &values.only, "");
  fetch.toggle("--refetch", &values.refetch, "");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int file = ::memfd_create("chandler.toml", MFD_CLOEXEC);
  fuzz::require(file >= 0 && ::write(file, data, size) == static_cast<ssize_t>(size),
                "the input can be written");
  const std::vector<std::string> typed = {"--config", fmt::format("/proc/self/fd/{}", file), "fetch",
                                          "--since=2024-01-01", "BTCUSDT"};
  cli::Program program;
  Values values;
  define(program, values);
  const auto all = cli::with_configuration(program, typed);
  ::close(file);
  if (!all) {
    fuzz::require(all.error().code == ErrorCode::usage, "a refused file is a usage error");
    fuzz::require(!all.error().what.empty() && !all.error().where.empty(), "an error says what and where");
    return 0;
  }
  fuzz::require(all->size() >= typed.size() && std::equal(typed.begin(), typed.end(), all->begin()),
                "what was typed stays in front");
  if (!cli::parse(program, *all)) return 0;  // a value that the flag does not take
  fuzz::require(values.since == "2024-01-01", "a flag that was typed wins");
  fuzz::require(!values.symbols.empty() && values.symbols.front() == "BTCUSDT",
                "arguments stay what they are");
  return 0;
}
