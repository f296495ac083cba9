// Staging for storages that cannot put files aside themselves: a local temporary file without a name, which
// the kernel takes away with the process.
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>

#include "lake/storage.hpp"

namespace chandler::lake {
namespace {

// So many bytes are handed to Storage::replace at once.
constexpr std::int64_t kCommitBytes = 16 << 20;

class SpooledStaging final : public Staging {
 public:
  SpooledStaging(Storage& storage, int fd) : storage_(storage), fd_(fd) {}
  ~SpooledStaging() override { ::close(fd_); }

  Status add(PendingFile file) override {
    const std::lock_guard lock(mutex_);
    const std::int64_t begin = end_;
    for (std::int64_t done = 0; done < file.bytes->size();) {
      const auto count = ::pwrite(fd_, file.bytes->data() + done,
                                  static_cast<std::size_t>(file.bytes->size() - done), begin + done);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) {
        return fail(ErrorCode::unreachable,
                    fmt::format("cannot write a temporary file: {}", std::strerror(errno)), {},
                    "free some space for temporary files, or set TMPDIR to a folder that has some");
      }
      done += count;
    }
    end_ += file.bytes->size();
    files_[std::move(file.path)] = {begin, file.bytes->size()};
    return {};
  }

  Result<std::shared_ptr<arrow::io::RandomAccessFile>> open(std::string_view path) const override {
    const std::lock_guard lock(mutex_);
    const auto it = files_.find(path);
    if (it == files_.end()) return fail(ErrorCode::not_found, "no such staged file", std::string(path));
    CHANDLER_ASSIGN(auto bytes, read(it->second));
    return std::make_shared<arrow::io::BufferReader>(std::move(bytes));
  }

  Status commit() override {
    std::vector<PendingFile> files;
    std::int64_t pending = 0;
    for (const auto& [path, piece] : files_) {
      CHANDLER_ASSIGN(auto bytes, read(piece));
      files.push_back({path, std::move(bytes)});
      pending += piece.bytes;
      if (pending < kCommitBytes) continue;
      CHANDLER_TRY(storage_.replace(files));
      files.clear();
      pending = 0;
    }
    files_.clear();
    return files.empty() ? Status{} : storage_.replace(files);
  }

 private:
  struct Piece {
    std::int64_t begin = 0;
    std::int64_t bytes = 0;
  };

  Result<std::shared_ptr<arrow::Buffer>> read(const Piece& piece) const {
    std::string bytes(static_cast<std::size_t>(piece.bytes), '\0');
    for (std::int64_t done = 0; done < piece.bytes;) {
      const auto count =
          ::pread(fd_, bytes.data() + done, static_cast<std::size_t>(piece.bytes - done), piece.begin + done);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return fail(ErrorCode::unreachable, "cannot read a temporary file");
      done += count;
    }
    return arrow::Buffer::FromString(std::move(bytes));
  }

  Storage& storage_;
  int fd_;
  mutable std::mutex mutex_;
  std::int64_t end_ = 0;
  std::map<std::string, Piece, std::less<>> files_;
};

}  // namespace

Result<std::unique_ptr<Staging>> Storage::stage() {
  std::error_code error;
  std::string name = (std::filesystem::temp_directory_path(error) / "chandler-XXXXXX").string();
  const int fd = ::mkstemp(name.data());
  if (fd < 0) {
    return fail(ErrorCode::unreachable,
                fmt::format("cannot create a temporary file: {}", std::strerror(errno)), name,
                "set TMPDIR to a folder that can be written");
  }
  ::unlink(name.c_str());
  return std::make_unique<SpooledStaging>(*this, fd);
}

}  // namespace chandler::lake
