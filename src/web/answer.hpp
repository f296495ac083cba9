// What a handler of the APIs gives back, before caching, compression and the headers that all answers share.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace chandler::web {

inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kCsv = "text/csv; charset=utf-8";
inline constexpr std::string_view kArrowStream = "application/vnd.apache.arrow.stream";

// What an answer was made from, and so for how long it may be given again.
struct Freshness {
  enum class Kind {
    never,    // made anew for each request
    symbol,   // as long as no file of the symbol changes
    lake,     // as long as no file of the lake changes
    forever,  // as long as the program runs
  };
  Kind kind = Kind::never;
  std::string symbol;
  // Where not zero, also no longer than this: for answers that the clock enters into.
  std::chrono::milliseconds at_most{0};

  static Freshness of_symbol(std::string_view symbol) { return {Kind::symbol, std::string(symbol), {}}; }
  static Freshness of_lake(std::chrono::milliseconds at_most = {}) { return {Kind::lake, {}, at_most}; }
};

struct Answer {
  int status = 200;
  std::string type{kJson};
  std::string body;
  std::string headers;    // rendered lines of its own
  std::string file_name;  // where set, a browser saves the body under this name
  Freshness freshness;
};

// The HTTP status that tells a client what kind of error it met.
int http_status(ErrorCode code);
// {"error": {"code", "message", "where", "remedy"}}: every error of /api/v1 looks like this; the last two
// only where something is known.
Answer error_answer(const Error& error);
Answer error_answer(int status, std::string_view code, std::string_view message,
                    std::string_view remedy = {});

}  // namespace chandler::web
