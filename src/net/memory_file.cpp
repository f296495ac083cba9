#include "net/memory_file.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace chandler::net {
namespace {

std::atomic<std::size_t> held{0};

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

std::shared_ptr<const MemoryFile> MemoryFile::make(std::string_view bytes) {
  if (bytes.empty()) return nullptr;
  if (++held > kMost) {
    --held;
    return nullptr;
  }
  const int descriptor = ::memfd_create("answer", MFD_CLOEXEC);
  void* mapped = MAP_FAILED;
  if (descriptor >= 0 && write_all(descriptor, bytes))
    mapped = ::mmap(nullptr, bytes.size(), PROT_READ, MAP_SHARED, descriptor, 0);
  if (mapped == MAP_FAILED) {
    if (descriptor >= 0) ::close(descriptor);
    --held;
    return nullptr;
  }
  return std::shared_ptr<const MemoryFile>(
      new MemoryFile(descriptor, {static_cast<const char*>(mapped), bytes.size()}));
}

MemoryFile::~MemoryFile() {
  ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
  ::close(descriptor_);
  --held;
}

}  // namespace chandler::net
