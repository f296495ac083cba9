// Logs go to stderr, as text or as one JSON object a line. Libraries below cli/ log through these three only;
// what a user must act on is an Error, not a log line.
#pragma once

#include <spdlog/spdlog.h>

#include <string>
#include <string_view>

namespace chandler {

enum class LogFormat { text, json };

// verbosity: -1 quiet (errors only), 0 warnings, 1 (-v) information, 2 (-vv) everything.
void configure_logging(int verbosity, LogFormat format);

// What the last configure_logging said; text before it. Whoever writes to stderr past the logger asks it.
LogFormat log_format();

// One JSON object and a newline, as the JSON log has it: for errors, warnings and notes, which are shown
// whatever the verbosity is. `level`: error, warning or info.
std::string json_log_line(std::string_view level, std::string_view message);

}  // namespace chandler
