#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>
#include <map>

#include "base/edit_distance.hpp"
#include "cli/command_line.hpp"
#include "cli/help.hpp"

namespace chandler::cli {
namespace {

constexpr std::size_t kWidestHelp = 120;

template <class T>
constexpr bool is_function_v = !std::is_pointer_v<T>;

// Adds the option whatever its target is; a function is called with the value.
CLI::Option* add_valued(CLI::App& app, const std::string& names, const Flag& flag) {
  return std::visit(
      [&](const auto& target) -> CLI::Option* {
        using T = std::remove_cvref_t<decltype(target)>;
        if constexpr (std::is_same_v<T, std::function<void(std::int64_t)>>)
          return app.add_option_function<std::int64_t>(names, target, flag.about);
        else if constexpr (std::is_same_v<T, std::function<void(double)>>)
          return app.add_option_function<double>(names, target, flag.about);
        else
          return app.add_option(names, *target, flag.about);
      },
      flag.target);
}

CLI::Option* add_toggle(CLI::App& app, const std::string& names, const Flag& flag) {
  if (const auto* counter = std::get_if<int*>(&flag.target))
    return app.add_flag(names, **counter, flag.about);
  return app.add_flag(names, *std::get<bool*>(flag.target), flag.about);
}

// A number as a user would write it: 0.05, 1000000.
std::string number(double value) {
  return fmt::format("{}", value);
}

// "is not in 1 to 64": the reason, which CLI11 puts after the flag's name.
CLI::Validator bounds_of(const Flag& flag) {
  const Bounds bounds = *flag.bounds;
  return CLI::Validator(
      [bounds](std::string& text) -> std::string {
        double value = 0;
        if (!CLI::detail::lexical_cast(text, value)) return fmt::format("'{}' is not a number", text);
        if (value >= bounds.least && (!bounds.most || value <= *bounds.most)) return {};
        if (!bounds.most) return fmt::format("{} is less than {}", text, number(bounds.least));
        return fmt::format("{} is not between {} and {}", text, number(bounds.least), number(*bounds.most));
      },
      "");
}

void add(CLI::App& app, const Flag& flag) {
  std::string names = flag.kind == FlagKind::argument ? flag.name : "--" + flag.name;
  if (flag.letter != 0) names = fmt::format("-{},{}", flag.letter, names);
  if (flag.kind == FlagKind::toggle) {
    add_toggle(app, names, flag);
    return;
  }
  CLI::Option* option = add_valued(app, names, flag);
  if (flag.delimiter != 0) option->delimiter(flag.delimiter);
  if (flag.is_required) option->required();
  if (flag.bounds) option->check(bounds_of(flag));
  if (!flag.allowed.empty()) {
    option->check(CLI::Validator(
        [&flag](std::string& text) -> std::string {
          if (std::ranges::find(flag.allowed, text) != flag.allowed.end()) return {};
          return fmt::format("'{}' is none of {}", text, fmt::join(flag.allowed, ", "));
        },
        ""));
  }
}

// "; did you mean --since?", or nothing where nothing is near.
std::string suggestion(std::string_view written, const std::vector<std::string>& known) {
  if (written.size() < 2) return {};
  const auto away = [&](const std::string& word) { return edit_distance(written, word); };
  const auto nearest = std::ranges::min_element(known, {}, away);
  if (nearest == known.end() || away(*nearest) > 1 + written.size() / 4) return {};
  return fmt::format("; did you mean {}?", *nearest);
}

// What was typed and is not known: a flag of the command, or the command itself.
std::optional<std::string> unknown_word(const Program& program, const Command* command,
                                        const std::vector<std::string>& extras) {
  if (extras.empty()) return std::nullopt;
  const std::string word = extras.front().substr(0, extras.front().find('='));
  std::vector<std::string> known;
  if (word.starts_with("-")) {
    for (const Flag& flag : program.globals.all()) known.push_back("--" + flag.name);
    for (const Flag& flag : command != nullptr ? command->flags.all() : std::deque<Flag>{}) {
      if (flag.kind != FlagKind::argument) known.push_back("--" + flag.name);
    }
    const std::string owner = command == nullptr ? "" : " of " + command->name;
    return fmt::format("{} is not a flag{}{}", word, owner, suggestion(word, known));
  }
  if (command != nullptr) return fmt::format("'{}' was not expected", extras.front());
  for (const Command& each : program.commands) {
    if (!each.is_hidden) known.push_back(each.name);
  }
  return fmt::format("'{}' is not a command{}", word, suggestion(word, known));
}

// What has to be given and was not.
std::optional<std::string> missing_word(const Command* command, std::string_view complaint) {
  constexpr std::string_view kEnd = " is required";  // CLI11's words
  if (command == nullptr || !complaint.ends_with(kEnd)) return std::nullopt;
  complaint.remove_suffix(kEnd.size());
  for (const Flag& flag : command->flags.all()) {
    const bool argument = flag.kind == FlagKind::argument;
    if (complaint != (argument ? flag.name : "--" + flag.name)) continue;
    const std::string name = argument ? flag.value_name : fmt::format("--{} {}", flag.name, flag.value_name);
    return fmt::format("{}{} is missing: {}", name,
                       argument && flag.takes_many() && !name.ends_with("…") ? "…" : "", flag.about);
  }
  return std::nullopt;
}

std::size_t help_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 40) return kWidestHelp;
  return std::min<std::size_t>(size.ws_col, kWidestHelp);
}

}  // namespace

Result<Parsed> parse(const Program& program, const std::vector<std::string>& arguments) {
  CLI::App app(program.about, program.name);
  app.require_subcommand(1);
  app.set_version_flag("--version", program.version);
  for (const Flag& flag : program.globals.all()) add(app, flag);
  std::map<const CLI::App*, const Command*> commands;
  for (const Command& command : program.commands) {
    CLI::App* sub = app.add_subcommand(command.name, command.about);
    sub->fallthrough();  // global flags may stand after the command
    for (const Flag& flag : command.flags.all()) add(*sub, flag);
    commands[sub] = &command;
  }
  const auto chosen = [&]() -> const Command* {
    const auto parsed = app.get_subcommands();
    return parsed.empty() ? nullptr : commands.at(parsed.front());
  };
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    return Parsed{nullptr, help_text(program, chosen(), help_width())};
  } catch (const CLI::CallForVersion&) {
    return Parsed{nullptr, program.version_text()};
  } catch (const CLI::ParseError& e) {
    const std::string command = chosen() == nullptr ? "" : chosen()->name + " ";
    auto what = unknown_word(program, chosen(), app.remaining(true));
    if (!what) what = missing_word(chosen(), e.what());
    return fail(ErrorCode::usage, what.value_or(e.what()), {},
                fmt::format("{} {}--help", program.name, command));
  }
  return Parsed{chosen(), {}};
}

}  // namespace chandler::cli
