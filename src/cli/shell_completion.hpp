// Completion of the command line in bash, zsh and fish, from its definitions.
#pragma once

#include "cli/command_line.hpp"

namespace chandler::cli {

inline constexpr const char* kShells[] = {"bash", "zsh", "fish"};

// A script for the shell to read: it completes commands, flags, the values that flags may have, files and
// folders, and asks the program's hidden command `symbols` for those of the lake. `shell` is one of kShells.
std::string completion_script(const Program& program, std::string_view shell);

}  // namespace chandler::cli
