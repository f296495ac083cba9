#include "cli/command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/log.hpp"
#include "lake/layout.hpp"

namespace chandler::cli {
namespace {

void write_all(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
}

bool stderr_is_terminal() {
  return ::isatty(STDERR_FILENO) != 0;
}

void print_marked(std::string_view colour, std::string_view mark, std::string_view text) {
  std::fflush(stdout);
  if (log_format() == LogFormat::json) {
    write_all(stderr, json_log_line(mark.substr(0, mark.find(':')), text));
  } else if (stderr_is_terminal()) {
    write_all(stderr, fmt::format("\x1b[{}m{}\x1b[0m{}\n", colour, mark, text));
  } else {
    write_all(stderr, fmt::format("{}{}\n", mark, text));
  }
}

}  // namespace

Flags& Registry::add(std::string name, std::string about, Run run) {
  runs_.emplace(name, std::move(run));
  return program_.commands.emplace_back(Command{std::move(name), std::move(about), false, {}}).flags;
}

Flags& Registry::add_hidden(std::string name, std::string about, Run run) {
  Flags& flags = add(std::move(name), std::move(about), std::move(run));
  program_.commands.back().is_hidden = true;
  return flags;
}

// Flushed at once: whoever reads the pipe of a long-running command waits for the line.
void print(std::string_view text) {
  write_all(stdout, text);
  std::fflush(stdout);
}

// On one line, so that a reader of a pipe knows where the document ends.
void print_json(const Json& document) {
  print(document.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n');
}

Json to_json(const Error& error) {
  Json j;
  j["code"] = name(error.code);
  j["what"] = error.what;
  if (!error.where.empty()) j["where"] = error.where;
  if (!error.remedy.empty()) j["remedy"] = error.remedy;
  return j;
}

void print_error(const Error& error) {
  print_marked("1;31", "error: ", to_text(error));
}
void print_warning(std::string_view text) {
  print_marked("1;33", "warning: ", text);
}

void DayFlags::add_to(Flags& flags) {
  flags.option("--since", &since, "First UTC day, inclusive").type("DATE");
  flags.option("--until", &until, "Last UTC day, inclusive").type("DATE");
}

Result<std::optional<Timestamp>> DayFlags::begin() const {
  if (since.empty()) return std::nullopt;
  CHANDLER_ASSIGN(const Day day, parse_day(since));
  return begin_of(day);
}

Result<std::optional<Timestamp>> DayFlags::end() const {
  if (until.empty()) return std::nullopt;
  CHANDLER_ASSIGN(const Day day, parse_day(until));
  if (!since.empty()) {
    CHANDLER_ASSIGN(const Day first, parse_day(since));
    if (day < first) {
      return fail(ErrorCode::usage, fmt::format("--until {} is before --since {}", until, since));
    }
  }
  return end_of(day);
}

Result<std::vector<std::string>> parse_symbols(const std::vector<std::string>& arguments) {
  std::vector<std::string> symbols;
  for (std::string symbol : arguments) {
    for (char& c : symbol) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    if (!lake::is_symbol(symbol)) {
      return fail(ErrorCode::usage, fmt::format("'{}' cannot be a symbol", symbol), {},
                  "write it as the exchange does, e.g. BTCUSDT");
    }
    if (std::ranges::find(symbols, symbol) == symbols.end()) symbols.push_back(std::move(symbol));
  }
  return symbols;
}

}  // namespace chandler::cli
