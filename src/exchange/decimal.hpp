// Decimal text to numbers, exactly and fast. Exchange payloads and CSV files are nothing but decimals, so
// this is where their parsing time goes.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace chandler::exchange {

// Correctly rounded value of a whole text: digits with an optional sign, point and exponent. nullopt for
// anything else; "inf" and "nan" are not numbers. Locale plays no part.
std::optional<double> parse_decimal(std::string_view text);
// A whole number, which may be written with a fraction of zeros (1578.0) or an exponent (1.5e3).
std::optional<std::int64_t> parse_whole(std::string_view text);

// The functions below take 8 bytes at a time, so 8 bytes after the last one of the number must be readable.
namespace swar {

inline constexpr std::size_t kPadding = 8;

inline std::uint64_t load8(const char* p) {
  std::uint64_t x;
  std::memcpy(&x, p, sizeof x);
  if constexpr (std::endian::native == std::endian::big) x = __builtin_bswap64(x);
  return x;
}

// How many of the 8 characters, from the first on, are digits.
inline unsigned leading_digits(std::uint64_t chars) {
  // A digit xored with '0' is 0…9 and stays below 0x80 when 0x76 is added. A carry can only spoil bytes above
  // the first one that is no digit.
  const std::uint64_t values = chars ^ 0x3030303030303030ULL;
  const std::uint64_t others = ((values + 0x7676767676767676ULL) | values) & 0x8080808080808080ULL;
  return others == 0 ? 8U : static_cast<unsigned>(std::countr_zero(others)) / 8U;
}

// Value of the first `count` (0…8) characters, which are digits: pairs, then fours, then all eight are joined
// by three multiplications (Lemire, "Quickly parsing eight digits", 2018).
inline std::uint64_t digits_value(std::uint64_t chars, unsigned count) {
  if (count == 0) return 0;
  std::uint64_t v = (chars ^ 0x3030303030303030ULL) << (64U - 8U * count);
  v = (v * 10) + (v >> 8);
  constexpr std::uint64_t kMask = 0x000000FF000000FFULL;
  return (((v & kMask) * 0x000F424000000064ULL) + (((v >> 16) & kMask) * 0x0000271000000001ULL)) >> 32;
}

inline constexpr std::array<std::uint64_t, 9> kPowers = {1,       10,        100,        1'000,      10'000,
                                                         100'000, 1'000'000, 10'000'000, 100'000'000};
// 10^22 is the last power of ten that a double holds exactly.
inline constexpr std::array<double, 23> kExactPowers = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                        1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                        1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

// Moves `p` over at most 16 digits and appends them to `value`; returns how many there were. With 16, more
// may follow.
inline unsigned take_digits(const char*& p, std::uint64_t& value) {
  const std::uint64_t first = load8(p);
  const unsigned count = leading_digits(first);
  value = value * kPowers[count] + digits_value(first, count);
  p += count;
  if (count < 8) return count;
  const std::uint64_t second = load8(p);
  const unsigned more = leading_digits(second);
  value = value * kPowers[more] + digits_value(second, more);
  p += more;
  return 8 + more;
}

// digits[.digits] of at most 19 digits whose value is exact as integer / power of ten: one correctly rounded
// division (Clinger, "How to read floating point numbers accurately", 1990). Returns false, with `p` where it
// was, when the text is longer or something else; what follows the number is the caller's to check.
inline bool take_decimal(const char*& p, double& number) {
  const char* at = p;
  std::uint64_t mantissa = 0;
  unsigned digits = take_digits(at, mantissa);
  unsigned scale = 0;
  if (*at == '.') {
    ++at;
    if (digits == 16) return false;
    std::uint64_t fraction = 0;
    scale = take_digits(at, fraction);
    digits += scale;
    if (digits > 19 || scale == 16) return false;
    mantissa =
        (scale > 8 ? mantissa * kPowers[8] * kPowers[scale - 8] : mantissa * kPowers[scale]) + fraction;
  } else if (digits == 16) {
    return false;
  }
  if (digits == 0 || mantissa > (1ULL << 53)) return false;
  number = static_cast<double>(mantissa) / kExactPowers[scale];
  p = at;
  return true;
}

}  // namespace swar
}  // namespace chandler::exchange
