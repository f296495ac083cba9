// What every command shares. A command is one file `<name>_command.cpp` with one function
// `add_<name>_command`, which declares the flags on a subcommand and hands over what to run; commands.hpp
// lists them. Flags are known nowhere else.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/progress.hpp"
#include "cli/command_line.hpp"
#include "lake/storage.hpp"

namespace chandler::cli {

using Json = nlohmann::ordered_json;

inline constexpr int kDone = 0;
inline constexpr int kDoneInPart = 1;

struct Globals {
  std::string lake = "./lake";
  std::string config;
  bool json = false;
  bool quiet = false;
  int verbosity = 0;
  std::size_t threads = 0;  // 0: one per core
  std::string log_format = "text";
};

// What a running command is given. Results go to stdout through `out` or `json`, everything else to stderr.
struct Context {
  const Globals& globals;
  std::stop_token stop;  // requested by SIGINT and SIGTERM
  Clock& clock;
  Progress& progress;   // a bar on a terminal, nothing elsewhere
  bool colour = false;  // stdout is a terminal that shows colours

  Result<std::shared_ptr<lake::Storage>> open_lake() const { return lake::open_storage(globals.lake, stop); }
};

// Prints its result and returns the exit code; an Error is printed and turned into one by main.
using Run = std::function<Result<int>(Context&)>;

class Registry {
 public:
  explicit Registry(Program& program) : program_(program) {}
  // A command; its flags are added to the result. The flags' targets must outlive the parse: keep them in a
  // shared_ptr that the Run captures.
  Flags& add(std::string name, std::string about, Run run);
  // One that programs call and users hardly ever do: not in the list of commands.
  Flags& add_hidden(std::string name, std::string about, Run run);
  // What to run for a command that was added here.
  const Run& run_of(const Command& command) const { return runs_.at(command.name); }
  const Program& program() const { return program_; }

 private:
  Program& program_;
  std::map<std::string, Run> runs_;
};

// Writes to stdout. With --json a command prints exactly one document and no other text.
void print(std::string_view text);
void print_json(const Json& document);
Json to_json(const Error& error);
// "error: …" on stderr, coloured on a terminal.
void print_error(const Error& error);
void print_warning(std::string_view text);

// --since and --until: both inclusive days. Returns the half-open range, each side if given.
struct DayFlags {
  std::string since, until;
  void add_to(Flags& flags);
  Result<std::optional<Timestamp>> begin() const;  // 00:00 of since
  Result<std::optional<Timestamp>> end() const;    // 24:00 of until
};

// Upper-cased; not_found with a suggestion is the business of whoever knows the symbols.
Result<std::vector<std::string>> parse_symbols(const std::vector<std::string>& arguments);

}  // namespace chandler::cli
