// The manual page, from the definitions of the command line.
#pragma once

#include "cli/command_line.hpp"

namespace chandler::cli {

// Section 1, in the man macros of roff. The same program gives the same text: no date, no machine.
std::string man_page(const Program& program);

}  // namespace chandler::cli
