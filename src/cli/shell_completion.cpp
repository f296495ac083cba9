#include "cli/shell_completion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace chandler::cli {
namespace {

enum class ValueKind { none, choice, file, folder, symbol };

// What may stand where the value stands: told by the list of choices, or else by what the value is called.
ValueKind kind_of(const Flag& flag) {
  if (!flag.allowed.empty()) return ValueKind::choice;
  const auto is = [&](std::string_view name) { return flag.value_name.starts_with(name); };
  if (is("SYMBOL")) return ValueKind::symbol;
  if (is("FILE") || is("PATH")) return ValueKind::file;
  return is("DIR") ? ValueKind::folder : ValueKind::none;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

std::string joined(const std::vector<std::string>& words, std::string_view between = " ") {
  return fmt::format("{}", fmt::join(words, between));
}

std::vector<std::string> spellings(const Flag& flag) {
  std::vector<std::string> all{"--" + flag.name};
  if (flag.letter != 0) all.push_back(fmt::format("-{}", flag.letter));
  return all;
}

const Flag* argument_of(const Command& command) {
  const auto found = std::ranges::find(command.flags.all(), FlagKind::argument, &Flag::kind);
  return found == command.flags.all().end() ? nullptr : &*found;
}

// The flags of all commands that are followed by a value.
std::vector<std::string> valued_flags(const Program& program) {
  std::set<std::string> all;
  const auto add = [&](const Flags& flags) {
    for (const Flag& flag : flags.all()) {
      if (flag.kind != FlagKind::option) continue;
      for (const std::string& spelling : spellings(flag)) all.insert(spelling);
    }
  };
  add(program.globals);
  for (const Command& command : program.commands) add(command.flags);
  return {all.begin(), all.end()};
}

std::vector<std::string> flag_words(const Flags& flags) {
  std::vector<std::string> words;
  for (const Flag& flag : flags.all()) {
    if (flag.kind != FlagKind::argument) words.push_back("--" + flag.name);
  }
  return words;
}

std::string with_program(std::string text, const Program& program) {
  return replaced(std::move(text), "PROGRAM", program.name);
}

// ---- bash

std::string bash_action(const Flag& flag) {
  switch (kind_of(flag)) {
    case ValueKind::choice:
      return fmt::format("_PROGRAM_words '{}'", joined(flag.allowed));
    case ValueKind::file:
      return "_PROGRAM_paths -f";
    case ValueKind::folder:
      return "_PROGRAM_paths -d";
    case ValueKind::symbol:
      return "_PROGRAM_symbols";
    case ValueKind::none:
      break;
  }
  return ":";
}

std::string bash_values(const std::string& command, const Flags& flags) {
  std::string text;
  for (const Flag& flag : flags.all()) {
    if (flag.kind != FlagKind::option) continue;
    std::vector<std::string> patterns;
    for (const std::string& spelling : spellings(flag)) patterns.push_back(command + ':' + spelling);
    text += fmt::format("    {}) {}; return ;;\n", joined(patterns, "|"), bash_action(flag));
  }
  return text;
}

constexpr const char* kBashHead = R"sh(# bash completion for PROGRAM, made by `PROGRAM completion bash`
_PROGRAM_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }
_PROGRAM_paths() {
  mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
  compopt -o filenames 2>/dev/null
}
_PROGRAM_symbols() {
  local cur=${cur^^}
  _PROGRAM_words "$("$program" symbols "${lake[@]}" 2>/dev/null)"
}
_PROGRAM() {
  local program=${COMP_WORDS[0]} cur=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD-1]} command= word i
  local lake=()
  COMPREPLY=()
  # Readline takes --flag=value for three words.
  if [[ $cur == = ]]; then
    cur=
  elif [[ $flag == = ]]; then
    flag=${COMP_WORDS[COMP_CWORD-2]}
  fi
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${COMP_WORDS[i]}
    case $word in
)sh";
constexpr const char* kBashAfterFlags = R"sh(
        ((++i))
        [[ ${COMP_WORDS[i]} == = ]] && ((++i))
        [[ $word == --lake || $word == --config ]] && lake+=("$word" "${COMP_WORDS[i]/#\~/$HOME}") ;;
      -*|=) ;;
      *) command=${command:-$word} ;;
    esac
  done
  case $command:$flag in
)sh";

std::string bash_script(const Program& program) {
  std::string text = kBashHead;
  text += fmt::format("      {})", joined(valued_flags(program), "|"));
  text += kBashAfterFlags;
  text += bash_values("*", program.globals);
  for (const Command& command : program.commands) text += bash_values(command.name, command.flags);
  text += "  esac\n  if [[ $cur == -* ]]; then\n";
  text +=
      fmt::format("    local flags='{} --help'\n    case $command in\n", joined(flag_words(program.globals)));
  text += "      '') flags+=' --version' ;;\n";
  std::vector<std::string> names;
  for (const Command& command : program.commands) {
    if (command.is_hidden) continue;
    names.push_back(command.name);
    text += fmt::format("      {}) flags+=' {}' ;;\n", command.name, joined(flag_words(command.flags)));
  }
  text += "    esac\n    _PROGRAM_words \"$flags\"\n    return\n  fi\n  case $command in\n";
  text += fmt::format("    '') _PROGRAM_words '{}' ;;\n", joined(names));
  for (const Command& command : program.commands) {
    if (const Flag* argument = argument_of(command); argument != nullptr && !command.is_hidden)
      text += fmt::format("    {}) {} ;;\n", command.name, bash_action(*argument));
  }
  return text + "  esac\n}\ncomplete -F _PROGRAM PROGRAM\n";
}

// ---- zsh

std::string zsh_quoted(const std::string& text) {
  return replaced(text, "'", "'\\''");
}

// Inside [] and between colons of an _arguments specification.
std::string zsh_about(const Flag& flag) {
  std::string text;
  for (const char c : flag.about) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') text += '\\';
    text += c;
  }
  return text;
}

std::string zsh_action(const Flag& flag) {
  switch (kind_of(flag)) {
    case ValueKind::choice:
      return fmt::format("({})", joined(flag.allowed));
    case ValueKind::file:
      return "_files";
    case ValueKind::folder:
      return "_files -/";
    case ValueKind::symbol:
      return "_PROGRAM_symbols";
    case ValueKind::none:
      break;
  }
  return " ";
}

std::string zsh_value(const Flag& flag) {
  return fmt::format(":{}:{}", replaced(flag.value_name, ":", "\\:"), zsh_action(flag));
}

std::string zsh_specifications(const Flags& flags, std::string_view indent) {
  std::string text;
  for (const Flag& flag : flags.all()) {
    if (flag.kind == FlagKind::argument) {
      text += fmt::format("{}'{}{}'\n", indent, flag.takes_many() ? "*" : "1", zsh_quoted(zsh_value(flag)));
      continue;
    }
    const bool repeats = flag.takes_many() || std::holds_alternative<int*>(flag.target);
    for (const std::string& spelling : spellings(flag)) {
      const std::string value = flag.kind == FlagKind::option ? (spelling.size() > 2 ? "=" : "+") : "";
      text += fmt::format("{}'{}{}{}[{}]{}'\n", indent, repeats ? "*" : "", spelling, value,
                          zsh_quoted(zsh_about(flag)),
                          flag.kind == FlagKind::option ? zsh_quoted(zsh_value(flag)) : "");
    }
  }
  return text;
}

std::string zsh_script(const Program& program) {
  std::string text = R"sh(#compdef PROGRAM
# zsh completion for PROGRAM, made by `PROGRAM completion zsh`
_PROGRAM_symbols() {
  local given=${opt_args[--lake]:-$_PROGRAM_lake}
  local -a lake symbols
  [[ -n $given ]] && lake=(--lake ${~${(Q)given}})
  symbols=(${(f)"$(_call_program symbols PROGRAM symbols $lake 2>/dev/null)"})
  compadd -M 'm:{a-z}={A-Z}' -a symbols
}
_PROGRAM() {
  local curcontext=$curcontext state line _PROGRAM_lake
  typeset -A opt_args
  local -a globals commands
  globals=(
)sh";
  text += zsh_specifications(program.globals, "    ");
  text += "    '(- *)--help[Print help and stop]'\n  )\n  commands=(\n";
  for (const Command& command : program.commands) {
    if (!command.is_hidden) text += fmt::format("    '{}:{}'\n", command.name, zsh_quoted(command.about));
  }
  text += R"sh(  )
  _arguments -C $globals '(- *)--version[Print the version and stop]' '1:command:->command' '*::argument:->argument' && return
  case $state in
    command) _describe command commands ;;
    argument)
      _PROGRAM_lake=${opt_args[--lake]}
      case $line[1] in
)sh";
  for (const Command& command : program.commands) {
    if (command.is_hidden) continue;
    text += fmt::format("        {}) _arguments $globals", command.name);
    std::string own = zsh_specifications(command.flags, "          ");
    if (!own.empty()) text += " \\\n" + replaced(own.substr(0, own.size() - 1), "'\n", "' \\\n");
    text += " ;;\n";
  }
  return text +
         "      esac ;;\n  esac\n}\nif [[ $funcstack[1] == _PROGRAM ]]; then _PROGRAM; else compdef _PROGRAM "
         "PROGRAM; fi\n";
}

// ---- fish

std::string fish_quoted(const std::string& text) {
  return "'" + replaced(replaced(text, "\\", "\\\\"), "'", "\\'") + "'";
}

std::string fish_action(const Flag& flag) {
  switch (kind_of(flag)) {
    case ValueKind::choice:
      return " -x -a " + fish_quoted(joined(flag.allowed));
    case ValueKind::file:
      return " -r -F";
    case ValueKind::folder:
      return " -x -a '(__fish_complete_directories)'";
    case ValueKind::symbol:
      return " -x -a '(__PROGRAM_symbols)'";
    case ValueKind::none:
      break;
  }
  return " -x";
}

std::string fish_flags(const Flags& flags, const std::string& condition) {
  std::string text;
  for (const Flag& flag : flags.all()) {
    if (flag.kind == FlagKind::argument) {
      text += fmt::format("complete -c PROGRAM{}{}\n", condition,
                          replaced(replaced(fish_action(flag), " -x", " -f"), " -r -F", " -F"));
      continue;
    }
    text += fmt::format("complete -c PROGRAM{} -l {}", condition, flag.name);
    if (flag.letter != 0) text += fmt::format(" -s {}", flag.letter);
    if (flag.kind == FlagKind::option) text += fish_action(flag);
    text += fmt::format(" -d {}\n", fish_quoted(flag.about));
  }
  return text;
}

std::string fish_script(const Program& program) {
  std::string text = "# fish completion for PROGRAM, made by `PROGRAM completion fish`\n";
  text += fmt::format("set -g __PROGRAM_valued {}\n", joined(valued_flags(program)));
  text += R"sh(function __PROGRAM_command # the command that has been typed; nothing if there is none yet
    set -l skip no
    for word in (commandline -opc)[2..-1]
        if test $skip = yes
            set skip no
        else if contains -- $word $__PROGRAM_valued
            set skip yes
        else if not string match -q -- '-*' $word
            echo $word
            return
        end
    end
end
function __PROGRAM_is
    test "$(__PROGRAM_command)" = "$argv[1]"
end
function __PROGRAM_symbols
    set -l words (commandline -opc)
    set -l lake
    for i in (seq (count $words))
        switch $words[$i]
            case --lake
                set -l next (math $i + 1)
                set -q words[$next]; and set lake --lake (string replace -r '^~' $HOME -- $words[$next])
            case '--lake=*'
                set lake $words[$i]
        end
    end
    PROGRAM symbols $lake 2>/dev/null
end
complete -c PROGRAM -f
complete -c PROGRAM -n '__PROGRAM_is ""' -l version -d 'Print the version and stop'
complete -c PROGRAM -s h -l help -d 'Print help and stop'
)sh";
  text += fish_flags(program.globals, "");
  for (const Command& command : program.commands) {
    if (command.is_hidden) continue;
    text += fmt::format("complete -c PROGRAM -n '__PROGRAM_is \"\"' -a {} -d {}\n", command.name,
                        fish_quoted(command.about));
    text += fish_flags(command.flags, fmt::format(" -n '__PROGRAM_is {}'", command.name));
  }
  return text;
}

}  // namespace

std::string completion_script(const Program& program, std::string_view shell) {
  return with_program(shell == "bash"  ? bash_script(program)
                      : shell == "zsh" ? zsh_script(program)
                                       : fish_script(program),
                      program);
}

}  // namespace chandler::cli
