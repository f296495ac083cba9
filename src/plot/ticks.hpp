// Where an axis is marked, and what is written there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace chandler::plot {

struct Tick {
  double at = 0;
  std::string label;
};

// Multiples of 1, 2 or 5 times a power of ten inside [low, high], about `wanted` of them; labels have as many
// decimals as the step needs, and thousands separators. low < high, both finite.
std::vector<Tick> number_ticks(double low, double high, int wanted);

// For a logarithmic axis: 1, 2 and 5 times powers of ten, or powers of ten only where those are many already;
// number_ticks where fewer than two fall inside. 0 < low < high.
std::vector<Tick> log_ticks(double low, double high, int wanted);

// Days since 1970-01-01: first days of years, quarters or months, or every few days, about `wanted` of them.
// A label says the year where it changes.
std::vector<Tick> day_ticks(std::int32_t low, std::int32_t high, int wanted);

}  // namespace chandler::plot
