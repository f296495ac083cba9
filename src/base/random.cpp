#include "base/random.hpp"

#include <cmath>
#include <numbers>

namespace chandler {

// Box-Muller; the second value is thrown away so that the state alone determines what comes next.
double Random::normal() {
  const double u = 1.0 - uniform();
  const double v = uniform();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

}  // namespace chandler
