#include "cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/terminal.hpp"

namespace chandler::cli {
namespace {

constexpr std::size_t kWidestLeft = 30;  // a longer flag has its text on the next line

constexpr std::size_t kListed = 5;  // more values than these stand after the text

struct Row {
  std::string left, right;
};

std::string number(double value) {
  return fmt::format("{}", value);
}

std::string shown_value(const Flag& flag) {
  std::string value = flag.value_name;
  if (!flag.allowed.empty() && flag.allowed.size() <= kListed)
    value = fmt::format("{}", fmt::join(flag.allowed, "|"));
  return flag.takes_many() && !value.ends_with("…") ? value + "…" : value;
}

std::string lines(std::string_view text, std::size_t width, std::size_t indent) {
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    if (used > 0 && used + 1 + text_width(word) > width) {
      out += '\n' + std::string(indent, ' ');
      used = 0;
    }
    if (used > 0) {
      out += ' ';
      ++used;
    }
    out += word;
    used += text_width(word);
  }
  return out;
}

std::string section(std::string_view heading, const std::vector<Row>& rows, std::size_t width) {
  if (rows.empty()) return {};
  std::size_t left = 0;
  for (const Row& row : rows) {
    if (text_width(row.left) <= kWidestLeft) left = std::max(left, text_width(row.left));
  }
  const std::size_t indent = 2 + left + 2;
  const std::size_t room = std::max<std::size_t>(width, indent + 20) - indent;
  std::string text = fmt::format("\n{}:\n", heading);
  for (const Row& row : rows) {
    const std::size_t taken = text_width(row.left);
    text += "  " + row.left;
    text += taken > left ? '\n' + std::string(indent, ' ') : std::string(indent - 2 - taken, ' ');
    text += lines(row.right, room, indent) + '\n';
  }
  return text;
}

std::vector<Row> rows_of(const Flags& flags, bool arguments) {
  std::vector<Row> rows;
  for (const Flag& flag : flags.all()) {
    if ((flag.kind == FlagKind::argument) == arguments)
      rows.push_back({flag_label(flag), flag.about + flag_limits(flag)});
  }
  return rows;
}

}  // namespace

std::string flag_label(const Flag& flag) {
  if (flag.kind == FlagKind::argument) return shown_value(flag);
  std::string text = flag.letter == 0 ? "" : fmt::format("-{}, ", flag.letter);
  text += "--" + flag.name;
  if (flag.kind == FlagKind::option) text += " " + shown_value(flag);
  return text;
}

std::string flag_limits(const Flag& flag) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
  if (flag.is_required && flag.kind != FlagKind::argument) add("required");
  if (flag.bounds && flag.bounds->most) {
    add(fmt::format("{} to {}", number(flag.bounds->least), number(*flag.bounds->most)));
  } else if (flag.bounds) {
    add(fmt::format("at least {}", number(flag.bounds->least)));
  }
  if (flag.allowed.size() > kListed) add(fmt::format("{}", fmt::join(flag.allowed, " ")));
  if (!flag.default_text.empty()) add("default " + flag.default_text);
  return text.empty() ? "" : fmt::format(" ({})", text);
}

std::string usage_line(const Program& program, const Command* command) {
  if (command == nullptr) return fmt::format("{} COMMAND [FLAG…]", program.name);
  std::string text = fmt::format("{} {}", program.name, command->name);
  for (const Flag& flag : command->flags.all()) {
    if (flag.kind == FlagKind::argument) {
      text += flag.is_required ? " " + flag_label(flag) : fmt::format(" [{}]", flag_label(flag));
    } else if (flag.is_required) {
      text += " " + flag_label(flag);
    }
  }
  return text + " [FLAG…]";
}

std::string help_text(const Program& program, const Command* command, std::size_t width) {
  std::string text = lines(command == nullptr ? program.about : command->about, width, 0) + "\n\n";
  text += "Usage: " + usage_line(program, command) + '\n';
  if (command == nullptr) {
    std::vector<Row> rows;
    for (const Command& each : program.commands) {
      if (!each.is_hidden) rows.push_back({each.name, each.about});
    }
    text += section("Commands", rows, width);
  } else {
    text += section("Arguments", rows_of(command->flags, true), width);
    text += section("Flags", rows_of(command->flags, false), width);
  }
  std::vector<Row> common = rows_of(program.globals, false);
  common.push_back({"-h, --help", "Print this help and stop"});
  if (command == nullptr) common.push_back({"--version", "Print the version and stop"});
  text += section("Flags of every command", common, width);
  if (command == nullptr)
    text += fmt::format("\n`{} COMMAND --help` tells the flags of a command.\n", program.name);
  return text;
}

}  // namespace chandler::cli
