// Decimal text. References: a grammar written out by hand, and the C library's strtod.
#include "exchange/decimal.hpp"

#include <cstring>

#include "fuzz_target.hpp"

using namespace chandler;

namespace {

bool digit(char c) {
  return c >= '0' && c <= '9';
}

// [+-] digits [. digits] [e [+-] digits], with a digit before or after the point.
bool is_decimal(std::string_view t) {
  std::size_t i = 0, digits = 0;
  if (i < t.size() && (t[i] == '+' || t[i] == '-')) ++i;
  for (; i < t.size() && digit(t[i]); ++i) ++digits;
  if (i < t.size() && t[i] == '.') ++i;
  for (; i < t.size() && digit(t[i]); ++i) ++digits;
  if (digits == 0) return false;
  if (i < t.size() && (t[i] == 'e' || t[i] == 'E')) {
    ++i;
    if (i < t.size() && (t[i] == '+' || t[i] == '-')) ++i;
    if (i == t.size()) return false;
    for (; i < t.size() && digit(t[i]); ++i) {
    }
  }
  return i == t.size();
}

void check_quick(const std::string& text) {
  std::string padded = text;
  padded.append(exchange::swar::kPadding, '\n');
  const char* at = padded.data();
  double number = 0;
  if (!exchange::swar::take_decimal(at, number)) {
    fuzz::require(at == padded.data(), "what is not taken is left");
    return;
  }
  const std::string taken(padded.data(), static_cast<std::size_t>(at - padded.data()));
  fuzz::require(taken.size() <= text.size(), "no padding is taken");
  fuzz::require(number == std::strtod(taken.c_str(), nullptr), "the quick way gives the nearest double");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::text_of(data, size));
  const auto number = exchange::parse_decimal(text);
  fuzz::require(!number || is_decimal(text), "what is read is a decimal number");
  if (is_decimal(text)) {
    const double expected = std::strtod(text.c_str(), nullptr);
    if (number) {
      fuzz::require(std::memcmp(&*number, &expected, sizeof expected) == 0, "it is the nearest double");
    } else {
      fuzz::require(expected == 0 || std::isinf(expected), "only what no double holds is refused");
    }
  }
  if (const auto whole = exchange::parse_whole(text)) {
    fuzz::require(is_decimal(text), "a whole number is a decimal number");
    fuzz::require(std::strtod(text.c_str(), nullptr) == static_cast<double>(*whole), "of the same value");
  }
  if (text.find('\0') == std::string::npos) check_quick(text);
  return 0;
}
