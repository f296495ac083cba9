// Bytes in an anonymous file in memory (memfd), which the kernel sends by itself: an answer of 150 KB that is
// asked for again and again costs no copy on its way into the socket, as a file on a disk would not.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace chandler::net {

// Nobody changes the bytes once it is made. Its pages are shared memory: no part of the heap, and of the
// resident memory only where `bytes` is read.
class MemoryFile {
 public:
  // Nothing where the system gives none, or where the process holds kMost already, each being an open file.
  static std::shared_ptr<const MemoryFile> make(std::string_view bytes);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int descriptor() const { return descriptor_; }
  std::string_view bytes() const { return bytes_; }

  static constexpr std::size_t kMost = 1024;

 private:
  MemoryFile(int descriptor, std::string_view bytes) : descriptor_(descriptor), bytes_(bytes) {}

  int descriptor_;
  std::string_view bytes_;  // mapped
};

}  // namespace chandler::net
