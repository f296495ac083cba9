// The lock file of a writer: who holds it, and whether the one before ended with everything on the disk.
#pragma once

#include <atomic>
#include <memory>

#include "lake/local_file.hpp"
#include "lake/storage.hpp"

namespace chandler::lake {

// The lock files in the root, in the order of TableGroup.
inline constexpr std::string_view kLockNames[] = {".chandler.lock", ".chandler-speed.lock"};

// Whether everything that was done to the lake through one Storage is on the disk. After a failure names may
// have changed that no sync covered, and a job that finds them there must not take them for stored.
class Settled {
 public:
  bool settled() const { return failures_.load() == covered_.load(); }
  void failed() { failures_.fetch_add(1); }
  std::uint64_t failures() const { return failures_.load(); }
  // A sync of everything began after so many failures.
  void cover(std::uint64_t failures) {
    std::uint64_t before = covered_.load();
    while (before < failures && !covered_.compare_exchange_weak(before, failures)) {
    }
  }

 private:
  std::atomic<std::uint64_t> failures_{0}, covered_{0};
};

// The writer before has ended with everything it did on the disk. Otherwise, or if there was none, what is
// seen in the lake may still be lost by a power cut.
bool was_released(const Descriptor& fd);
// Replaces what the lock file says; false with errno set on failure.
bool write_holder(const Descriptor& fd, std::string_view text);
Error held_by_another(const Descriptor& fd, const std::filesystem::path& path);

class FileLock final : public WriterLock {
 public:
  FileLock(Descriptor fd, std::shared_ptr<const Settled> state)
      : fd_(std::move(fd)), state_(std::move(state)) {}
  ~FileLock() override;

 private:
  Descriptor fd_;  // the kernel drops the lock with the last descriptor
  std::shared_ptr<const Settled> state_;
};

}  // namespace chandler::lake
