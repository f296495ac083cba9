#include "sim/decimal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

namespace chandler::sim {
namespace {

constexpr std::array<std::int64_t, kPlaces + 1> kPowers{1,       10,        100,        1'000, 10'000,
                                                        100'000, 1'000'000, 10'000'000, kUnit};

}  // namespace

void append_units(std::string& out, WideInt units, int places) {
  if (units < 0) {
    out += '-';
    units = -units;
  }
  // Almost every number fits 64 bits, and dividing 128 bits digit by digit is an order of magnitude slower.
  constexpr WideInt kNarrow = std::numeric_limits<std::int64_t>::max() / 2;
  if (units <= kNarrow) {
    const auto divisor = static_cast<std::uint64_t>(kPowers[static_cast<std::size_t>(kPlaces - places)]);
    const auto scale = static_cast<std::uint64_t>(kPowers[static_cast<std::size_t>(places)]);
    const std::uint64_t rounded = (static_cast<std::uint64_t>(units) + divisor / 2) / divisor;
    const fmt::format_int whole(rounded / scale);
    out.append(whole.data(), whole.size());
    if (places == 0) return;
    const fmt::format_int fraction(rounded % scale);
    out += '.';
    out.append(static_cast<std::size_t>(places) - fraction.size(), '0');
    out.append(fraction.data(), fraction.size());
    return;
  }
  const auto divisor = static_cast<WideInt>(kPowers[static_cast<std::size_t>(kPlaces - places)]);
  units = (units + divisor / 2) / divisor;
  std::array<char, 48> digits;  // least significant first
  std::size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + static_cast<int>(units % 10));
    units /= 10;
  } while (units > 0 || count <= static_cast<std::size_t>(places));
  while (count > static_cast<std::size_t>(places)) out += digits[--count];
  if (places == 0) return;
  out += '.';
  while (count > 0) out += digits[--count];
}

void append_decimal(std::string& out, double value, int places) {
  append_units(out, to_units(value), places);
}

void append_integer(std::string& out, std::int64_t value) {
  const fmt::format_int digits(value);
  out.append(digits.data(), digits.size());
}

void append_field(std::string& out, std::string_view name, double value, int places) {
  out.append(",\"").append(name).append("\":\"");
  append_decimal(out, value, places);
  out += '"';
}

void append_field(std::string& out, std::string_view name, std::int64_t value) {
  out.append(",\"").append(name).append("\":");
  append_integer(out, value);
}

int places_of(double value) {
  const WideInt units = to_units(value);
  int places = kPlaces;
  while (places > 0 && units % kPowers[static_cast<std::size_t>(kPlaces - places + 1)] == 0) --places;
  return places;
}

}  // namespace chandler::sim
