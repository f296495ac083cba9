#include "lake/local_lock.hpp"

#include <fmt/format.h>

#include <cerrno>

namespace chandler::lake {
namespace {

constexpr std::string_view kReleased = "nobody";

std::string holder_in(const Descriptor& fd) {
  char text[512] = {};
  const auto length = uninterrupted([&] { return fd.files().read_at(fd.get(), text, sizeof text - 1, 0); });
  return length > 0 ? std::string(text, static_cast<std::size_t>(length)) : std::string();
}

}  // namespace

bool was_released(const Descriptor& fd) {
  return holder_in(fd) == kReleased;
}

bool write_holder(const Descriptor& fd, std::string_view text) {
  if (uninterrupted([&] { return fd.files().truncate(fd.get(), 0); }) != 0) return false;
  for (std::size_t done = 0; done < text.size();) {
    const auto written = uninterrupted([&] {
      return fd.files().write_at(fd.get(), text.data() + done, text.size() - done,
                                 static_cast<std::int64_t>(done));
    });
    if (written < 0) return false;
    done += static_cast<std::size_t>(written);
  }
  return true;
}

Error held_by_another(const Descriptor& fd, const std::filesystem::path& path) {
  const std::string holder = holder_in(fd);
  const bool named = !holder.empty() && holder != kReleased;
  return {ErrorCode::locked,
          fmt::format("the lake is being written by {}", named ? holder : "another process"), path.string(),
          "wait until it has finished, or stop it; reading is possible meanwhile"};
}

FileLock::~FileLock() {
  if (state_->settled()) write_holder(fd_, kReleased);
}

}  // namespace chandler::lake
