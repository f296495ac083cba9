// Decimal text to numbers, exactly and fast. Exchange payloads and CSV files are nothing but decimals, so
// this is where their parsing time goes.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace chandler::exchange {

// Correctly rounded value of a whole text: digits with an optional sign, point and exponent. nullopt for
// anything else; "inf" and "nan" are not numbers. Locale plays no part.
std::optional<double> parse_decimal(std::string_view text);
// A whole number, which may be written with a fraction of zeros (1578.0) or an exponent (1.5e3).
std::optional<std::int64_t> parse_whole(std::string_view text);

// The functions below look at up to 16 bytes at once, so 16 bytes after the last one of the number must be
// readable.
namespace swar {

inline constexpr std::size_t kPadding = 16;

inline std::uint64_t load8(const char* p) {
  std::uint64_t x;
  std::memcpy(&x, p, sizeof x);
  if constexpr (std::endian::native == std::endian::big) x = __builtin_bswap64(x);
  return x;
}

// Bit i is set where character i of the 16 is no digit.
inline unsigned others_portable(const char* p) {
  const auto of_eight = [](std::uint64_t chars) {
    // A digit xored with '0' is 0…9 and stays below 0x80 when 0x76 is added; without the upper bits nothing
    // is carried.
    const std::uint64_t values = chars ^ 0x3030303030303030ULL;
    const std::uint64_t others =
        (((values & 0x7F7F7F7F7F7F7F7FULL) + 0x7676767676767676ULL) | values) & 0x8080808080808080ULL;
    // One bit of each byte, side by side in the uppermost byte.
    return static_cast<unsigned>(((others >> 7) * 0x0102040810204080ULL) >> 56);
  };
  return of_eight(load8(p)) | of_eight(load8(p + 8)) << 8;
}

inline unsigned others(const char* p) {
#ifdef __SSE2__
  __m128i chars;
  std::memcpy(&chars, p, sizeof chars);
  const __m128i values = _mm_sub_epi8(chars, _mm_set1_epi8('0'));
  const __m128i digits = _mm_cmpeq_epi8(_mm_min_epu8(values, _mm_set1_epi8(9)), values);
  return static_cast<unsigned>(_mm_movemask_epi8(digits)) ^ 0xFFFFU;
#else
  return others_portable(p);
#endif
}

// Value of the first `count` (1…8) characters, which are digits: pairs, then fours, then all eight are joined
// by three multiplications (Lemire, "Quickly parsing eight digits", 2018).
inline std::uint64_t digits_value(std::uint64_t chars, unsigned count) {
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

// Up to here every whole number is a double.
inline constexpr std::uint64_t kExactMantissa = std::uint64_t{1} << 53;

// Moves `p` over at most 16 digits and gives their value; returns how many there were. With 16, more may
// follow.
inline unsigned take_digits(const char*& p, std::uint64_t& value) {
  const auto count = static_cast<unsigned>(std::countr_zero(others(p) | 0x10000U));
  if (count == 0) {
    value = 0;
  } else if (count <= 8) {
    value = digits_value(load8(p), count);
  } else {
    value = digits_value(load8(p), 8) * kPowers[count - 8] + digits_value(load8(p + 8), count - 8);
  }
  p += count;
  return count;
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
  if (digits == 0 || mantissa > kExactMantissa) return false;
  number = static_cast<double>(mantissa) / kExactPowers[scale];
  p = at;
  return true;
}

}  // namespace swar
}  // namespace chandler::exchange
