// The exchange's numbers: decimals with eight places, sent as strings.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

namespace chandler::sim {

inline constexpr std::int64_t kUnit = 100'000'000;  // 1.00000000
inline constexpr int kPlaces = 8;

__extension__ using WideInt = __int128;

// The nearest multiple of 1e-8, in units of it. Exact where the double came from such a decimal below 67
// million (2^26: from there on neighbouring doubles are further apart than 1e-8). Zero where the value is not
// finite.
inline WideInt to_units(double value) {
  if (!std::isfinite(value)) return 0;
  // Apart, so that a large whole part does not take digits from the fraction.
  double whole = 0;
  const double fraction = std::modf(value, &whole);
  return static_cast<WideInt>(whole) * kUnit + std::llround(fraction * static_cast<double>(kUnit));
}
// The double nearest to the decimal.
inline double from_units(WideInt units) {
  return static_cast<double>(units) / static_cast<double>(kUnit);
}

// "123.45000000", "-0.00100000". Not finite: "0.00000000".
void append_decimal(std::string& out, double value, int places = kPlaces);
void append_units(std::string& out, WideInt units, int places = kPlaces);
void append_integer(std::string& out, std::int64_t value);

// A further field of a JSON object: ,"name":"123.45000000" as the exchange writes decimals, ,"name":123.
void append_field(std::string& out, std::string_view name, double value, int places = kPlaces);
void append_field(std::string& out, std::string_view name, std::int64_t value);

// Decimal places that the value needs, 0…8: 71280.5 → 1.
int places_of(double value);

}  // namespace chandler::sim
