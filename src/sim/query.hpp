// How the exchange reads the parameters of a request, and what it answers when it cannot. Codes and sentences
// are those of Binance's "Error codes" documentation and of recorded answers.
#pragma once

#include <cstdint>
#include <expected>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "candles/interval.hpp"
#include "net/http_message.hpp"

namespace chandler::sim {

// The body of a refusal: {"code":-1121,"msg":"Invalid symbol."}.
struct ApiError {
  int code;
  std::string message;
};
template <class T>
using Answer = std::expected<T, ApiError>;

std::string to_json(const ApiError& error);
net::HttpResponse to_response(const ApiError& error, int status = 400);

// Of the times in an answer: the header X-MBX-TIME-UNIT chooses.
enum class TimeUnit { milliseconds, microseconds };
// Milliseconds in that unit; and the last instant of a millisecond, with which candles end.
constexpr std::int64_t in_unit(std::int64_t ms, TimeUnit unit) {
  return unit == TimeUnit::microseconds ? ms * 1000 : ms;
}
constexpr std::int64_t last_in_unit(std::int64_t ms, TimeUnit unit) {
  return unit == TimeUnit::microseconds ? ms * 1000 + 999 : ms;
}

// Reads one request's parameters and keeps count of them, because the exchange refuses what it did not read.
class Query {
 public:
  explicit Query(const net::HttpRequest& request) : request_(request), params_(request.query) {}

  enum class Rounding { down, up };

  Answer<std::string> symbol();  // mandatory
  Answer<std::optional<std::string>> optional_symbol();
  // ["BTCUSDT","ETHUSDT"]
  Answer<std::optional<std::vector<std::string>>> symbols();
  Answer<std::string> interval_name();  // mandatory; as sent
  // SPOT or ["MARGIN","LEVERAGED"]: nothing where none was sent.
  Answer<std::optional<std::vector<std::string>>> permissions();
  Answer<std::string> symbol_status();  // TRADING, HALT or BREAK; empty where none was sent
  Answer<bool> full_ticker();           // type=FULL, the default, or MINI
  // Above `most` counts as `most`.
  Answer<std::size_t> limit(std::size_t by_default, std::size_t most);
  // In milliseconds or microseconds since 1970, told apart by their size; the latter are rounded.
  Answer<std::optional<Timestamp>> time(std::string_view name, Rounding rounding);
  Answer<Millis> time_zone();  // -12:00 … +14:00
  Answer<std::string> choice(std::string_view name, std::string_view by_default,
                             std::initializer_list<std::string_view> allowed,
                             std::optional<ApiError> refusal = std::nullopt);
  Answer<TimeUnit> time_unit() const;
  // Last: fails if something was sent that nobody has asked for, or something was sent twice.
  Answer<void> all_read() const;

 private:
  // Nothing where it was not sent; refused where it was sent without a value.
  Answer<std::optional<std::string_view>> take(std::string_view name);

  const net::HttpRequest& request_;
  const std::vector<net::QueryParam>& params_;
  std::size_t read_ = 0;
};

}  // namespace chandler::sim

// Declares `lhs` with the value of an Answer, or returns its error as the response of the enclosing function.
#define CHANDLER_ANSWER(lhs, expression) CHANDLER_ANSWER_(CHANDLER_CONCAT(answer_, __LINE__), lhs, expression)
#define CHANDLER_ANSWER_(answer, lhs, expression)  \
  auto answer = (expression);                      \
  if (!answer) return to_response(answer.error()); \
  lhs = std::move(*answer)
