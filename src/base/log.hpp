// Logs go to stderr, as text or as one JSON object a line. Libraries below cli/ log through these three only;
// what a user must act on is an Error, not a log line.
#pragma once

#include <spdlog/spdlog.h>

namespace chandler {

enum class LogFormat { text, json };

// verbosity: -1 quiet (errors only), 0 warnings, 1 (-v) information, 2 (-vv) everything.
void configure_logging(int verbosity, LogFormat format);

}  // namespace chandler
