// Pictures as PNG files. Charts are flat: rows compress well as they are, and trying each of the format's
// filters on every row, as libpng does for Cairo, takes as long as all the rest and makes larger files.
// Inside the module only.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/error.hpp"

namespace chandler::plot {

// Rows of pixels from the top, `stride` bytes apart; a pixel is the number 0x00RRGGBB in the machine's order.
Result<std::string> encode_png(std::span<const std::uint8_t> pixels, int width, int height, int stride);

}  // namespace chandler::plot
