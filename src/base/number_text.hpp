// Numbers as people read them.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace chandler {

// "-1234567.5" gives "-1,234,567.5". Text that does not begin as a decimal number does ("1e+15", "nan") stays
// as it is.
std::string group_digits(std::string text);

std::string group_digits(std::integral auto number) {
  return group_digits(std::to_string(number));  // 228,000
}

// "1 file", "2,000 files"
std::string counted(std::integral auto number, std::string_view one, std::string_view many) {
  return group_digits(number).append(" ").append(number == 1 ? one : many);
}

}  // namespace chandler
