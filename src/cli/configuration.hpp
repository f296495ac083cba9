// Flags > CHANDLER_* environment > chandler.toml > default. What the environment and the file say about the
// chosen command is put in front of the parser as if it had been typed, where it has not been typed.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/command_line.hpp"

namespace chandler::cli {

// The file: `key = value` at the top for every command, and tables `[backfill]` … for one; keys are the long
// names of the flags. `arguments` is argv without the program. Returns them with what was added. Unknown
// keys, wrong types and files that cannot be read are errors; a chandler.toml that was not asked for by
// --config may be absent.
Result<std::vector<std::string>> with_configuration(const Program& program,
                                                    std::vector<std::string> arguments);

}  // namespace chandler::cli
