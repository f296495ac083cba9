// How long an HTTP answer tells its client to send nothing.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/time.hpp"
#include "exchange/backoff.hpp"
#include "http/transport.hpp"

namespace chandler::exchange {

// A plain decimal number of at most nine digits.
std::optional<int> parse_count(std::string_view text);

// An HTTP date, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, section 5.6.7).
std::optional<Timestamp> parse_http_date(std::string_view text);

// Retry-After of a 403, 418, 429 or 503, in seconds or as a date (measured from the answer's own Date, else
// from `now`), at most a week; for 429 and 418 without a readable one the policy's wait. nullopt: no order to
// wait.
std::optional<std::chrono::nanoseconds> wait_told_by(const http::Head& head, const RetryPolicy& policy,
                                                     Timestamp now);

}  // namespace chandler::exchange
