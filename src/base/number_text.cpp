#include "base/number_text.hpp"

#include <algorithm>
#include <string_view>

namespace chandler {

std::string group_digits(std::string text) {
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  const std::size_t point = std::min(text.find('.'), text.size());
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!std::ranges::all_of(std::string_view(text).substr(first, point - first), is_digit)) return text;
  for (std::size_t at = point; at > first + 3; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

}  // namespace chandler
