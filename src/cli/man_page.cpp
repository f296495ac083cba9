#include "cli/man_page.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/help.hpp"

namespace chandler::cli {
namespace {

// Text as roff takes it literally: no escapes, no requests, hyphens that can be copied.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

// The flag in bold, its value in italics.
std::string label(const Flag& flag) {
  const std::string text = flag_label(flag);
  if (flag.kind == FlagKind::argument) return fmt::format("\\fI{}\\fR", escaped(text));
  const std::size_t value = text.find(' ', flag.letter == 0 ? 0 : 4);
  std::string out = fmt::format("\\fB{}\\fR", escaped(text.substr(0, value)));
  if (value != std::string::npos) out += fmt::format(" \\fI{}\\fR", escaped(text.substr(value + 1)));
  return out;
}

std::string list_of(const Flags& flags) {
  std::string text;
  for (const Flag& flag : flags.all())
    text += fmt::format(".TP\n{}\n{}\n", label(flag), escaped(flag.about + flag_limits(flag) + "."));
  return text;
}

struct Item {
  std::string_view name, about;
};

std::string list_of(std::initializer_list<Item> items) {
  std::string text;
  for (const Item& item : items)
    text += fmt::format(".TP\n\\fB{}\\fR\n{}\n", escaped(item.name), escaped(item.about));
  return text;
}

}  // namespace

std::string man_page(const Program& program) {
  std::string capitals = program.name;
  std::ranges::transform(capitals, capitals.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  std::string about = program.about;
  if (about.starts_with(program.name + " ")) about.erase(0, program.name.size() + 1);
  std::string text =
      fmt::format(".TH {} 1 \"\" \"{} {}\" \"User Commands\"\n", capitals, program.name, program.version);
  text += fmt::format(".SH NAME\n{} \\- {}\n", program.name, escaped(about));
  text += fmt::format(".SH SYNOPSIS\n\\fB{}\\fR \\fICOMMAND\\fR [\\fIFLAG\\fR…]\n", program.name);
  text += R"(.SH DESCRIPTION
One folder of Parquet files, the lake, holds the candles of many symbols.
\fBbackfill\fR finds what is missing in it and fetches only that; \fBlive\fR follows the market;
\fBcandles\fR, \fBserve\fR and any reader of Parquet show what is there.
Dates are UTC days; \fB\-\-since\fR and \fB\-\-until\fR are both inclusive.
Results go to stdout, everything else to stderr.
.SH COMMANDS
)";
  for (const Command& command : program.commands) {
    if (command.is_hidden) continue;
    text += fmt::format(".SS {}\n\\fB{}\\fR\n.PP\n{}.\n", command.name,
                        escaped(usage_line(program, &command)), escaped(command.about));
    text += list_of(command.flags);
  }
  text += ".SH FLAGS OF EVERY COMMAND\n" + list_of(program.globals);
  text += list_of({{"-h, --help", "Print help and stop."},
                   {"--version", "Print the versions of the program and of its libraries and stop."}});
  text += ".SH EXIT STATUS\n" + list_of({{"0", "Done."},
                                         {"1", "Done in part; what failed is named on stderr."},
                                         {"2", "A flag, an argument or the configuration cannot be used."},
                                         {"3", "The exchange, the broker or the lake cannot be reached."},
                                         {"130", "Interrupted; what was finished is kept."}});
  text += ".SH ENVIRONMENT\n" +
          list_of({{"CHANDLER_*",
                    "The value of a flag that was not typed, by its name: CHANDLER_LAKE for --lake. It "
                    "wins over the configuration file."},
                   {"NO_COLOR", "No colours, if it is set."}});
  text += ".SH FILES\n" +
          list_of({{"chandler.toml",
                    "The configuration, read from the folder one is in unless --config names another: "
                    "flags' names as keys, at the top for every command, in tables such as "
                    "[backfill] for one."},
                   {"./lake", "The lake, unless --lake names another."}});
  return text;
}

}  // namespace chandler::cli
