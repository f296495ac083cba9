// What a failed HTTP request means to the user.
#pragma once

#include <string_view>

#include "base/error.hpp"
#include "http/transport.hpp"

namespace chandler::exchange {

// Whom a client talks to, in errors: "the exchange", and the flag that names another address.
struct Service {
  std::string_view name;
  std::string_view flag;
};

// `where` is left to the caller.
Error error_of(const http::Failure& failure, const Service& service);
// For a status that is no answer to the question.
Error error_of_status(int status, const Service& service);

// Whether the same request may succeed later.
bool may_pass(http::Failure::Kind kind);

inline constexpr std::string_view kLaterRemedy =
    "try again later; what was fetched is kept and is not fetched again";

}  // namespace chandler::exchange
