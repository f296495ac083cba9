// Errors are values: what happened, where, and what to do about it.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace chandler {

enum class ErrorCode {
  usage,         // a flag, argument or configuration value cannot be used
  not_found,     // a symbol, file or candle that does not exist
  invalid_data,  // foreign bytes that are not what they claim to be
  damaged,       // our own file fails a check
  unreachable,   // the exchange, the broker or the lake cannot be reached (deadline, refusal, permissions,
                 // disk)
  locked,        // another process writes this lake
  incomplete,    // some of the work was done, some was not
  interrupted,   // cancelled by the user; what was finished is kept
  internal       // a defect of chandler
};

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string what;    // one sentence, no full stop
  std::string where;   // file:line, URL, path@offset; empty where there is none
  std::string remedy;  // what the user can do; empty where nothing is known
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> fail(ErrorCode code, std::string what, std::string where = {},
                                   std::string remedy = {}) {
  return std::unexpected(Error{code, std::move(what), std::move(where), std::move(remedy)});
}

// The process exit code of the design: 1 done in part, 2 usage, 3 unreachable, 130 interrupted.
int exit_code(ErrorCode code);

// A stable lower-case name, used in JSON and documented in docs/errors.md.
const char* name(ErrorCode code);

// "what\n  at: where\n  try: remedy", without the lines that are empty.
std::string to_text(const Error& error);

}  // namespace chandler

#define CHANDLER_CONCAT_(a, b) a##b
#define CHANDLER_CONCAT(a, b) CHANDLER_CONCAT_(a, b)

// Returns the error of a Status or Result from the enclosing function.
#define CHANDLER_TRY(expression)                                  \
  do {                                                            \
    if (auto chandler_status = (expression); !chandler_status) {  \
      return std::unexpected(std::move(chandler_status).error()); \
    }                                                             \
  } while (false)

// Declares `lhs` with the value of a Result, or returns its error from the enclosing function.
#define CHANDLER_ASSIGN(lhs, expression) \
  CHANDLER_ASSIGN_(CHANDLER_CONCAT(chandler_result_, __LINE__), lhs, expression)
#define CHANDLER_ASSIGN_(result, lhs, expression)                 \
  auto result = (expression);                                     \
  if (!result) return std::unexpected(std::move(result).error()); \
  lhs = std::move(*result)
