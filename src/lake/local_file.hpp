// One file or folder on a local disk: written whole, synced, read.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "lake/file_system.hpp"

namespace arrow::io {
class RandomAccessFile;
}

namespace chandler::lake {

// Ends the names, which begin with a dot, of files that a writer has not put in place yet.
inline constexpr std::string_view kUnfinishedSuffix = ".chandler-unfinished";

// The absolute folder of a lake that is named by a path or file://…; it need not be there. usage: it is a
// file, or has no name.
Result<std::filesystem::path> local_root(std::string_view uri, FileSystem& files);

// Calls again while a signal interrupts.
template <class Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

// What a failed call means to the user: `unreachable`, the system's words, and what to do.
Error system_error(std::string what, const std::filesystem::path& path, int error);

class Descriptor {
 public:
  Descriptor(FileSystem& files, int fd) : files_(&files), fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : files_(other.files_), fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) files_->close(fd_);
  }
  FileSystem& files() const { return *files_; }
  int get() const { return fd_; }
  // Closing may be what reports a failed write.
  int close() { return files_->close(std::exchange(fd_, -1)); }

 private:
  FileSystem* files_;
  int fd_;
};

// What holds after a file was written: nothing, that the disk has begun with it, that it is on the disk.
enum class Durability { none, begun, synced };

Status write_whole(FileSystem& files, const std::filesystem::path& path, std::span<const std::uint8_t> bytes,
                   Durability durability);

Result<Descriptor> open_folder(FileSystem& files, const std::filesystem::path& folder);
// The names in a folder.
Status sync_folder(FileSystem& files, const std::filesystem::path& folder);
// Everything done on the file system since the descriptor was opened.
Status sync_all(const Descriptor& folder, const std::filesystem::path& path);

// Random access for any number of threads. not_found only if there certainly is no such file: what merely
// cannot be opened must not be taken for absent, or its content would be lost with the next replacement.
Result<std::shared_ptr<arrow::io::RandomAccessFile>> open_for_reading(FileSystem& files,
                                                                      const std::filesystem::path& path);

}  // namespace chandler::lake
