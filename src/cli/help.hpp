// Texts about the command line, from its definitions.
#pragma once

#include "cli/command_line.hpp"

namespace chandler::cli {

// "-o, --output FILE", "--source auto|rest", "SYMBOL…"
std::string flag_label(const Flag& flag);

// What a flag's sentence does not say, in brackets: " (1 to 64; default 8)"; empty if there is nothing.
std::string flag_limits(const Flag& flag);

// "chandler backfill [SYMBOL…] [FLAG…]"; of the program if there is no command.
std::string usage_line(const Program& program, const Command* command);

// What --help prints, at most `width` columns wide: of one command, or of the whole program if null.
std::string help_text(const Program& program, const Command* command, std::size_t width);

}  // namespace chandler::cli
