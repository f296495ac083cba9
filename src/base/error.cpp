#include "base/error.hpp"

namespace chandler {

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage:
    case ErrorCode::not_found:
      return 2;
    case ErrorCode::invalid_data:
    case ErrorCode::damaged:
    case ErrorCode::incomplete:
    case ErrorCode::internal:
      return 1;
    case ErrorCode::unreachable:
    case ErrorCode::locked:
      return 3;
    case ErrorCode::interrupted:
      return 130;
  }
  return 1;
}

const char* name(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage:
      return "usage";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::invalid_data:
      return "invalid_data";
    case ErrorCode::damaged:
      return "damaged";
    case ErrorCode::unreachable:
      return "unreachable";
    case ErrorCode::locked:
      return "locked";
    case ErrorCode::incomplete:
      return "incomplete";
    case ErrorCode::interrupted:
      return "interrupted";
    case ErrorCode::internal:
      return "internal";
  }
  return "internal";
}

std::string to_text(const Error& error) {
  std::string text = error.what;
  if (!error.where.empty()) text += "\n  at:  " + error.where;
  if (!error.remedy.empty()) text += "\n  try: " + error.remedy;
  return text;
}

}  // namespace chandler
