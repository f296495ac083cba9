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

// Reads one request's parameters and keeps count of them, because the exchange refuses what it did not read.
class Query {
 public:
  explicit Query(const net::HttpRequest& request) : params_(request.query) {}

  Answer<std::string> symbol();  // mandatory
  Answer<std::optional<std::string>> optional_symbol();
  // ["BTCUSDT","ETHUSDT"]
  Answer<std::optional<std::vector<std::string>>> symbols();
  Answer<candles::Interval> interval();  // mandatory
  // Above `most` counts as `most`.
  Answer<std::size_t> limit(std::size_t by_default, std::size_t most);
  Answer<std::optional<Timestamp>> time(std::string_view name);
  Answer<Millis> time_zone();  // -12:00 … +14:00
  Answer<std::string> choice(std::string_view name, std::string_view by_default,
                             std::initializer_list<std::string_view> allowed);
  // Last: fails if something was sent that nobody has asked for, or something was sent twice.
  Answer<void> all_read() const;

 private:
  std::optional<std::string_view> take(std::string_view name);

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
