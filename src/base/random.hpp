// Randomness is handed in as a seeded generator: the same seed gives the same numbers on every machine and
// standard library (std:: distributions do not promise that).
#pragma once

#include <cstdint>

namespace chandler {

// SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators"). Not thread safe.
__extension__ using Wide = unsigned __int128;

class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) : state_(seed) {}

  constexpr std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  // Uniform in [0, 1).
  constexpr double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  // Uniform in [0, n); n > 0. The bias of the multiplication is below 2^-32 for the n used here.
  constexpr std::uint64_t below(std::uint64_t n) {
    return static_cast<std::uint64_t>((static_cast<Wide>(next()) * n) >> 64);
  }
  constexpr bool chance(double probability) { return uniform() < probability; }
  // An independent stream, e.g. one per thread or symbol.
  constexpr Random split() { return Random(next()); }
  double normal();  // standard normal

 private:
  std::uint64_t state_;
};

}  // namespace chandler
