#include "lake/file_system.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace chandler::lake {
namespace {

class SystemCalls final : public FileSystem {
 public:
  int open(const char* path, int flags, mode_t mode) override { return ::open(path, flags, mode); }
  int close(int fd) override { return ::close(fd); }
  ssize_t write_at(int fd, const void* bytes, std::size_t count, std::int64_t offset) override {
    return ::pwrite(fd, bytes, count, offset);
  }
  ssize_t read_at(int fd, void* bytes, std::size_t count, std::int64_t offset) override {
    return ::pread(fd, bytes, count, offset);
  }
  std::int64_t size_of(int fd) override {
    struct stat status {};
    return ::fstat(fd, &status) == 0 ? status.st_size : -1;
  }
  int truncate(int fd, std::int64_t size) override { return ::ftruncate(fd, size); }
  int sync(int fd) override { return ::fsync(fd); }
  int sync_all(int fd) override { return ::syncfs(fd); }
  void start_writing([[maybe_unused]] int fd) override {
#ifdef SYNC_FILE_RANGE_WRITE
    ::sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
#endif
  }
  int lock(int fd) override {
    return ::flock(fd, LOCK_EX | LOCK_NB);
  }

  int rename(const char* from, const char* to) override {
    return ::rename(from, to);
  }
  int unlink(const char* path) override {
    return ::unlink(path);
  }
  int make_folder(const char* path, mode_t mode) override {
    return ::mkdir(path, mode);
  }
  int remove_folder(const char* path) override {
    return ::rmdir(path);
  }

  int list(const char* folder, bool with_sizes, std::vector<FolderEntry>& entries) override {
    DIR* const stream = ::opendir(folder);
    if (stream == nullptr) return -1;
    int error = 0;
    for (;;) {
      errno = 0;
      const dirent* const found = ::readdir(stream);
      if (found == nullptr) {
        error = errno;
        break;
      }
      FolderEntry entry{found->d_name, found->d_type == DT_DIR, 0};
      if (entry.name == "." || entry.name == "..") continue;
      const bool told = found->d_type == DT_DIR || (found->d_type == DT_REG && !with_sizes);
      if (!told) {
        struct stat status {};
        if (::fstatat(::dirfd(stream), found->d_name, &status, 0) != 0) continue;  // gone meanwhile
        if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) continue;
        entry.is_folder = S_ISDIR(status.st_mode);
        entry.bytes = entry.is_folder ? 0 : status.st_size;
      }
      entries.push_back(std::move(entry));
    }
    ::closedir(stream);
    errno = error;
    return error == 0 ? 0 : -1;
  }

  EntryKind kind_of(const char* path) override {
    struct stat status {};
    if (::stat(path, &status) != 0) return EntryKind::none;
    return S_ISDIR(status.st_mode) ? EntryKind::folder : EntryKind::file;
  }
};

}  // namespace

FileSystem& system_calls() {
  static SystemCalls calls;
  return calls;
}

}  // namespace chandler::lake
