#include "web/answer.hpp"

#include <nlohmann/json.hpp>

namespace chandler::web {

int http_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage:
    case ErrorCode::invalid_data:
      return 400;
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::unreachable:
    case ErrorCode::locked:
    case ErrorCode::interrupted:
      return 503;
    case ErrorCode::damaged:
    case ErrorCode::incomplete:
    case ErrorCode::internal:
      return 500;
  }
  return 500;
}

namespace {

Answer make_error(int status, std::string_view code, std::string_view message, std::string_view where,
                  std::string_view remedy) {
  nlohmann::ordered_json error{{"code", code}, {"message", message}};
  if (!where.empty()) error["where"] = where;
  if (!remedy.empty()) error["remedy"] = remedy;
  Answer answer;
  answer.status = status;
  // What came from the request may be no UTF-8: replaced, never thrown.
  answer.body = nlohmann::ordered_json{{"error", error}}.dump(
      -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  return answer;
}

}  // namespace

Answer error_answer(int status, std::string_view code, std::string_view message, std::string_view remedy) {
  return make_error(status, code, message, {}, remedy);
}

Answer error_answer(const Error& error) {
  return make_error(http_status(error.code), name(error.code), error.what, error.where, error.remedy);
}

}  // namespace chandler::web
