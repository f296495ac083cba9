#include "cli/commands.hpp"
#include "cli/help.hpp"

namespace chandler::cli {
namespace {

const char* kind_of(const Flag& flag) {
  switch (flag.kind) {
    case FlagKind::argument:
      return "argument";
    case FlagKind::option:
      return "option";
    case FlagKind::toggle:
      break;
  }
  return "toggle";
}

Json to_json(const Flag& flag) {
  Json j = {{"name", flag.name}, {"kind", kind_of(flag)}, {"about", flag.about}};
  if (flag.letter != 0) j["letter"] = std::string(1, flag.letter);
  if (!flag.value_name.empty()) j["value"] = flag.value_name;
  if (!flag.default_text.empty()) j["default"] = flag.default_text;
  if (!flag.allowed.empty()) j["choices"] = flag.allowed;
  if (flag.bounds) j["least"] = flag.bounds->least;
  if (flag.bounds && flag.bounds->most) j["most"] = *flag.bounds->most;
  j["required"] = flag.is_required;
  j["many"] = flag.takes_many();
  return j;
}

Json to_json(const Flags& flags) {
  Json list = Json::array();
  for (const Flag& flag : flags.all()) list.push_back(to_json(flag));
  return list;
}

Json to_json(const Program& program) {
  Json commands = Json::array();
  for (const Command& command : program.commands) {
    commands.push_back({{"name", command.name},
                        {"about", command.about},
                        {"usage", usage_line(program, &command)},
                        {"hidden", command.is_hidden},
                        {"flags", to_json(command.flags)}});
  }
  return {{"program", program.name},
          {"about", program.about},
          {"version", program.version},
          {"flags", to_json(program.globals)},
          {"commands", std::move(commands)}};
}

Result<int> run(const Program& program, const Context& context) {
  if (context.globals.json) {
    print_json(to_json(program));
    return kDone;
  }
  for (const Command& command : program.commands) {
    if (!command.is_hidden) print(command.name + '\n');
  }
  return kDone;
}

}  // namespace

void add_commands_command(Registry& registry) {
  registry.add_hidden("commands", "The definitions of all commands and flags; --json for programs to read",
                      [&registry](Context& context) { return run(registry.program(), context); });
}

}  // namespace chandler::cli
