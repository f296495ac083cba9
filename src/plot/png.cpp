#include "plot/png.hpp"

#include <fmt/format.h>
#include <png.h>

#include <cstring>

namespace chandler::plot {
namespace {

constexpr std::size_t kColors = 3;

// The unused byte of each pixel goes, in place: a second picture would be as large as all else that is drawn.
void pack_row(std::uint8_t* row, std::size_t width) {
  for (std::size_t x = 0; x < width; ++x) {
    std::uint32_t pixel = 0;
    std::memcpy(&pixel, row + x * sizeof pixel, sizeof pixel);
    row[kColors * x] = static_cast<std::uint8_t>(pixel >> 16);
    row[kColors * x + 1] = static_cast<std::uint8_t>(pixel >> 8);
    row[kColors * x + 2] = static_cast<std::uint8_t>(pixel);
  }
}

}  // namespace

Result<std::string> encode_png(std::span<std::uint8_t> pixels, int width, int height, int stride) {
  for (int y = 0; y < height; ++y)
    pack_row(pixels.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(stride),
             static_cast<std::size_t>(width));
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = PNG_FORMAT_RGB;
  image.flags = PNG_IMAGE_FLAG_FAST;
  std::string file;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  int written = 0;
  // Cut off where the file ends; nothing of what lies behind has been touched.
  file.resize_and_overwrite(size, [&](char* data, std::size_t) {
    written = png_image_write_to_memory(&image, data, &size, 0, pixels.data(), stride, nullptr);
    return written != 0 ? size : 0;
  });
  if (written == 0)
    return fail(ErrorCode::internal, fmt::format("libpng cannot write a picture: {}", image.message));
  file.shrink_to_fit();
  return file;
}

}  // namespace chandler::plot
