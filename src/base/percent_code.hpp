// Percent-encoding of RFC 3986 ("a b" as "a%20b").
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace chandler {

// Encodes everything that the RFC does not call unreserved, but for the characters of `keep`.
std::string percent_encode(std::string_view text, std::string_view keep = {});

// None where a percent sign is not followed by two hexadecimal digits, and where a NUL would come out: no
// name has one, and some readers would see the text end there. `plus_is_space` as in the query of a form.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

}  // namespace chandler
