// What the fuzz targets share. Each target is one file with one LLVMFuzzerTestOneInput; libFuzzer
// (llvm.org/docs/LibFuzzer.html) brings main().
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "candles/klines.hpp"

namespace chandler::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// What must hold for every input. libFuzzer keeps the input that broke it.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// Equal as values: two NaNs are, and so are both zeros.
inline bool same(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

inline bool columns_are_of_one_length(const candles::Klines& klines) {
  bool equal = true;
  candles::for_each_column([&](auto column) { equal = equal && (klines.*column).size() == klines.size(); });
  return equal;
}

inline bool same_rows(const candles::Klines& a, const candles::Klines& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a.source[i] != b.source[i] || !candles::same_values(a.at(i), b.at(i))) return false;
  }
  return true;
}

}  // namespace chandler::fuzz
