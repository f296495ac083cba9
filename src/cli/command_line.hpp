// The command line as data: what arguments and flags each command takes, what they mean and where their
// values go. Parsing, help, the configuration file, shell completion, the man page and the checks of the
// documentation all read these definitions; which library does the parsing is known to command_parser.cpp
// alone.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"

namespace chandler::cli {

// Where a value goes once everything has been parsed. What is pointed at must outlive the parse; a function
// is called with the value.
using Target =
    std::variant<std::string*, std::vector<std::string>*, int*, std::int64_t*, std::uint16_t*, std::uint64_t*,
                 double*, bool*, std::function<void(std::int64_t)>, std::function<void(double)>>;

struct Bounds {
  double least = 0;
  std::optional<double> most;
};

enum class FlagKind {
  argument,  // has no name on the command line: BTCUSDT
  option,    // --since DATE
  toggle     // --json; a counter if its target is an int
};

// One argument or flag. The functions below add to the definition that `option`, `toggle` or `argument`
// began.
class Flag {
 public:
  FlagKind kind = FlagKind::option;
  std::string name;        // without dashes: since
  char letter = 0;         // the o of -o; 0 for none
  std::string about;       // what it does, no full stop
  std::string value_name;  // what stands for the value in help, and tells completion what it may be: FILE
  std::string default_text;
  std::vector<std::string> allowed;  // the only values that may be given; empty for any
  std::optional<Bounds> bounds;
  char delimiter = 0;  // splits one value into many
  bool is_required = false;
  Target target;

  bool takes_many() const { return std::holds_alternative<std::vector<std::string>*>(target); }
  // A whole number, as opposed to one with a fraction or a text.
  bool is_integral() const;

  Flag& type(std::string value) { return value_name = std::move(value), *this; }
  Flag& choices(std::vector<std::string> values) { return allowed = std::move(values), *this; }
  Flag& range(double least, double most) { return bounds = Bounds{least, most}, *this; }
  Flag& at_least(double least) { return bounds = Bounds{least, std::nullopt}, *this; }
  Flag& split_at(char c) { return delimiter = c, *this; }
  Flag& required() { return is_required = true, *this; }
  // The target's present value is the default that help tells.
  Flag& show_default();
  Flag& show_default(std::string text) { return default_text = std::move(text), *this; }
};

// The arguments and flags of one command, or those that every command takes. References to them stay valid.
class Flags {
 public:
  // `names`: "--since" or "-o,--output".
  Flag& option(std::string_view names, Target target, std::string about);
  Flag& toggle(std::string_view names, Target target, std::string about);
  Flag& argument(std::string name, Target target, std::string about);

  const std::deque<Flag>& all() const { return flags_; }
  // The flag with this long name; null if there is none. Arguments have no such name.
  const Flag* find(std::string_view name) const;

 private:
  std::deque<Flag> flags_;
};

struct Command {
  std::string name;
  std::string about;       // one line
  bool is_hidden = false;  // not in the list of commands
  Flags flags;
};

struct Program {
  std::string name;
  std::string about;
  std::string version;                        // 0.1.0
  std::function<std::string()> version_text;  // what --version prints
  Flags globals;                              // may stand before and after the command
  std::deque<Command> commands;

  const Command* find(std::string_view command) const;
};

struct Parsed {
  const Command* command = nullptr;  // null if only `text` is asked for
  std::string text;                  // the help or version that was asked for
};

// Stores what the arguments (argv without the program) say into the flags' targets. An argument that cannot
// be used is a usage error whose remedy names the help to read.
Result<Parsed> parse(const Program& program, const std::vector<std::string>& arguments);

}  // namespace chandler::cli
