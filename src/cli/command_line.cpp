#include "cli/command_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

namespace chandler::cli {
namespace {

template <class... Types>
bool holds_any(const Target& target) {
  return (std::holds_alternative<Types>(target) || ...);
}

// What a value is called where nobody said better.
std::string value_name_of(const Target& target) {
  if (holds_any<int*, std::int64_t*, std::uint16_t*, std::uint64_t*, std::function<void(std::int64_t)>>(
          target))
    return "N";
  return holds_any<double*, std::function<void(double)>>(target) ? "NUMBER" : "TEXT";
}

Flag make(FlagKind kind, std::string_view names, Target target, std::string about) {
  Flag flag;
  flag.kind = kind;
  flag.about = std::move(about);
  if (kind != FlagKind::toggle) flag.value_name = value_name_of(target);
  flag.target = std::move(target);
  if (names.size() > 3 && names[0] == '-' && names[2] == ',') {
    flag.letter = names[1];
    names.remove_prefix(3);
  }
  if (names.starts_with("--")) names.remove_prefix(2);
  flag.name = names;
  return flag;
}

}  // namespace

bool Flag::is_integral() const {
  return holds_any<int*, std::int64_t*, std::uint16_t*, std::uint64_t*, std::function<void(std::int64_t)>>(
      target);
}

Flag& Flag::show_default() {
  default_text = std::visit(
      [](const auto& value) -> std::string {
        using Value = std::remove_cvref_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::vector<std::string>*>)
          return fmt::format("{}", fmt::join(*value, ","));
        else if constexpr (std::is_pointer_v<Value>)
          return fmt::format("{}", *value);
        else
          return {};
      },
      target);
  return *this;
}

Flag& Flags::option(std::string_view names, Target target, std::string about) {
  return flags_.emplace_back(make(FlagKind::option, names, std::move(target), std::move(about)));
}

Flag& Flags::toggle(std::string_view names, Target target, std::string about) {
  return flags_.emplace_back(make(FlagKind::toggle, names, std::move(target), std::move(about)));
}

Flag& Flags::argument(std::string name, Target target, std::string about) {
  return flags_.emplace_back(make(FlagKind::argument, name, std::move(target), std::move(about)));
}

const Flag* Flags::find(std::string_view name) const {
  const auto found = std::ranges::find_if(
      flags_, [&](const Flag& flag) { return flag.kind != FlagKind::argument && flag.name == name; });
  return found == flags_.end() ? nullptr : &*found;
}

const Command* Program::find(std::string_view command) const {
  const auto found = std::ranges::find(commands, command, &Command::name);
  return found == commands.end() ? nullptr : &*found;
}

}  // namespace chandler::cli
