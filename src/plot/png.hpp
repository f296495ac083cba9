// Pictures as PNG files, by libpng's fast settings. Charts are flat: rows compress well as they are, and
// trying each of the format's filters on every row, as Cairo has libpng do, takes as long as all the rest and
// makes larger files. Inside the module only.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/error.hpp"

namespace chandler::plot {

// Rows of pixels from the top, `stride` bytes apart; a pixel is the number 0x00RRGGBB in the machine's order.
// The rows are packed where they lie: afterwards they are of no use.
Result<std::string> encode_png(std::span<std::uint8_t> pixels, int width, int height, int stride);

}  // namespace chandler::plot
