#include "cli/configuration.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>

namespace chandler::cli {
namespace {

constexpr const char* kDefaultFile = "chandler.toml";

bool is_given(const std::vector<std::string>& arguments, const Flag& flag) {
  return std::ranges::any_of(arguments, [&](const std::string& argument) {
    if (argument == "--" + flag.name || argument.starts_with("--" + flag.name + "=")) return true;
    return flag.letter != 0 && argument.size() > 1 && argument[0] == '-' && argument[1] != '-' &&
           argument.find(flag.letter, 1) != std::string::npos;
  });
}

// An empty variable is as good as none.
const char* environment_value(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr && *value != '\0' ? value : nullptr;
}

// The value that follows --config, typed or in the environment.
std::optional<std::string> config_path(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--config" && i + 1 < arguments.size()) return arguments[i + 1];
    if (arguments[i].starts_with("--config=")) return arguments[i].substr(9);
  }
  if (const char* path = environment_value("CHANDLER_CONFIG")) return path;
  return std::nullopt;
}

std::string environment_name(std::string_view flag) {
  std::string name = "CHANDLER_";
  for (const char c : flag)
    name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

std::string where(const std::string& file, const toml::node& node) {
  return fmt::format("{}:{}", file, node.source().begin.line);
}

Result<std::vector<std::string>> texts_of(const toml::node& node, const std::string& file,
                                          std::string_view key) {
  std::vector<std::string> texts;
  const auto add = [&](const toml::node& value) {
    if (const auto* text = value.as_string()) {
      texts.push_back(text->get());
    } else if (const auto* flag = value.as_boolean()) {
      texts.emplace_back(flag->get() ? "true" : "false");
    } else if (const auto* integer = value.as_integer()) {
      texts.push_back(fmt::format("{}", integer->get()));
    } else if (const auto* real = value.as_floating_point()) {
      texts.push_back(fmt::format("{}", real->get()));
    } else if (const auto* date = value.as_date()) {
      texts.push_back(fmt::format("{:04}-{:02}-{:02}", date->get().year, date->get().month, date->get().day));
    } else {
      return false;
    }
    return true;
  };
  bool usable = true;
  if (const auto* list = node.as_array()) {
    for (const toml::node& value : *list) usable = usable && add(value);
  } else {
    usable = add(node);
  }
  if (!usable) {
    return fail(ErrorCode::usage, fmt::format("'{}' has a value that cannot be used", key), where(file, node),
                "write a string, a number, true, false, a date, or a list of these");
  }
  return texts;
}

void add_values(const Flag& flag, const std::vector<std::string>& values,
                std::vector<std::string>& arguments) {
  const std::string typed = "--" + flag.name;
  if (flag.kind == FlagKind::toggle) {
    if (values.size() == 1 && values[0] != "false" && values[0] != "0") arguments.push_back(typed);
    return;
  }
  for (const std::string& value : values) arguments.push_back(typed + "=" + value);
}

// The first argument that names a command and is not the value of a flag before it (`--lake live status`).
const Command* chosen_command(const Program& program, const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument.starts_with("--")) {
      const Flag* flag = program.globals.find(argument.substr(2));
      if (flag != nullptr && flag->kind == FlagKind::option) ++i;
    } else if (const Command* command = program.find(argument)) {
      return command;
    }
  }
  return nullptr;
}

Result<toml::table> read_file(const std::vector<std::string>& arguments, std::string& file) {
  const auto asked = config_path(arguments);
  file = asked.value_or(kDefaultFile);
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    if (!asked) return toml::table{};
    return fail(ErrorCode::usage, "the configuration file does not exist", file);
  }
  try {
    return toml::parse_file(file);
  } catch (const toml::parse_error& e) {
    return fail(ErrorCode::usage, fmt::format("the configuration file is not TOML: {}", e.description()),
                fmt::format("{}:{}", file, e.source().begin.line));
  } catch (const std::exception&) {
    return fail(ErrorCode::usage, "the configuration file cannot be read", file);
  }
}

// Every key has to be a flag of some command, so that a misspelt one is not ignored.
Status check_keys(const Program& program, const toml::table& table, const std::string& file) {
  for (const auto& [key, value] : table) {
    const std::string_view name = key.str();
    if (const auto* section = value.as_table()) {
      const Command* command = program.find(name);
      if (command == nullptr) {
        return fail(ErrorCode::usage, fmt::format("[{}] is not a command", name), where(file, value));
      }
      for (const auto& [inner, inner_value] : *section) {
        if (command->flags.find(inner.str()) == nullptr && program.globals.find(inner.str()) == nullptr) {
          return fail(ErrorCode::usage, fmt::format("'{}' is not a flag of {}", inner.str(), name),
                      where(file, inner_value), fmt::format("see `chandler {} --help`", name));
        }
      }
      continue;
    }
    const bool known = program.globals.find(name) != nullptr ||
                       std::ranges::any_of(program.commands,
                                           [&](const Command& c) { return c.flags.find(name) != nullptr; });
    if (!known)
      return fail(ErrorCode::usage, fmt::format("'{}' is not a flag of any command", name),
                  where(file, value));
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> with_configuration(const Program& program,
                                                    std::vector<std::string> arguments) {
  std::string file;
  CHANDLER_ASSIGN(const toml::table table, read_file(arguments, file));
  CHANDLER_TRY(check_keys(program, table, file));

  const Command* command = chosen_command(program, arguments);
  if (command == nullptr) return arguments;

  std::vector<std::string> result = arguments;
  const toml::table* section = table[command->name].as_table();
  for (const Flags* scope : {&program.globals, &command->flags}) {
    for (const Flag& flag : scope->all()) {
      if (flag.kind == FlagKind::argument || flag.name == "config" || is_given(arguments, flag)) continue;
      if (const char* value = environment_value(environment_name(flag.name))) {
        add_values(flag, {value}, result);
        continue;
      }
      const toml::node* node = section != nullptr ? section->get(flag.name) : nullptr;
      if (node == nullptr) node = table.get(flag.name);
      if (node == nullptr || node->is_table()) continue;
      CHANDLER_ASSIGN(const auto values, texts_of(*node, file, flag.name));
      add_values(flag, values, result);
    }
  }
  return result;
}

}  // namespace chandler::cli
