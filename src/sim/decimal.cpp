#include "sim/decimal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

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

int places_of(double value) {
  const WideInt units = to_units(value);
  int places = kPlaces;
  while (places > 0 && units % kPowers[static_cast<std::size_t>(kPlaces - places + 1)] == 0) --places;
  return places;
}

}  // namespace chandler::sim
