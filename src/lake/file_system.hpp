// The calls of the operating system that a lake in a folder makes, and nothing else: tests put a disk beneath
// that fails and loses power (lake/test_disk.hpp). Each call is the POSIX one of its name, with its meaning.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace chandler::lake {

class Storage;

struct FolderEntry {
  std::string name;
  bool is_folder = false;
  std::int64_t bytes = 0;  // of a file; 0 where sizes were not asked for
};

enum class EntryKind { none, file, folder };

// Paths are absolute. What returns an int or ssize_t returns -1 on failure and sets errno. Thread safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual int open(const char* path, int flags, mode_t mode) = 0;
  virtual int close(int fd) = 0;
  virtual ssize_t write_at(int fd, const void* bytes, std::size_t count, std::int64_t offset) = 0;
  virtual ssize_t read_at(int fd, void* bytes, std::size_t count, std::int64_t offset) = 0;
  virtual std::int64_t size_of(int fd) = 0;
  virtual int truncate(int fd, std::int64_t size) = 0;
  // The content of a file, or the names in a folder, are on the disk when it returns 0.
  virtual int sync(int fd) = 0;
  // The same for everything that was done on the file system that holds fd. It reports failures since the
  // descriptor was opened, so that it has to be open before what it is to answer for is written.
  virtual int sync_all(int fd) = 0;
  // A hint: the disk may begin with this file. Failures show at the next sync.
  virtual void start_writing(int fd) = 0;
  // Does not wait: EWOULDBLOCK if another descriptor holds the lock. Closing it, also by a kill, unlocks.
  virtual int lock(int fd) = 0;

  virtual int rename(const char* from, const char* to) = 0;
  virtual int unlink(const char* path) = 0;
  virtual int make_folder(const char* path, mode_t mode) = 0;
  virtual int remove_folder(const char* path) = 0;
  // Whatever its name; links are followed. The order is the disk's. Returns 0 or -1, as above.
  virtual int list(const char* folder, bool with_sizes, std::vector<FolderEntry>& entries) = 0;
  // `none` also for what cannot be told.
  virtual EntryKind kind_of(const char* path) = 0;
};

// The operating system's own.
FileSystem& system_calls();

// As open_local_storage of storage.hpp, on another file system, which must outlive it.
Result<std::shared_ptr<Storage>> open_local_storage(std::string_view uri, FileSystem& files);

}  // namespace chandler::lake
