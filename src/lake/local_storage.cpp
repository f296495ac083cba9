#include <arrow/buffer.h>
#include <arrow/io/file.h>
#include <arrow/result.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>

#include "base/clock.hpp"
#include "lake/storage.hpp"

namespace chandler::lake {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLockNames[] = {".chandler.lock", ".chandler-speed.lock"};
constexpr std::string_view kSpeedFolder = "speed_1m";
// How often a lock that others hold is asked for again.
constexpr std::chrono::milliseconds kLockPoll{10};
constexpr std::string_view kUnfinishedSuffix = ".chandler-unfinished";
// From this many files on, one sync of the file system is cheaper than one of each file.
constexpr std::size_t kSyncTogether = 8;

Error system_error(std::string what, const fs::path& path, int error) {
  std::string remedy;
  if (error == ENOSPC || error == EDQUOT) remedy = "free some disk space; what was stored before is intact";
  if (error == EACCES || error == EPERM || error == EROFS)
    remedy = "check the permissions of the lake's folder";
  return {ErrorCode::unreachable, fmt::format("{}: {}", what, std::strerror(error)), path.string(),
          std::move(remedy)};
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  // Closing may be what reports a failed write.
  int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

Error held_by_another(int fd, const fs::path& path) {
  char holder[512] = {};
  const auto length = ::pread(fd, holder, sizeof holder - 1, 0);
  return {ErrorCode::locked,
          fmt::format("the lake is being written by {}", length > 0 ? holder : "another process"),
          path.string(), "wait until it has finished, or stop it; reading is possible meanwhile"};
}

class FileLock final : public WriterLock {
 public:
  explicit FileLock(int fd) : fd_(fd) {}

 private:
  Descriptor fd_;  // the kernel drops the lock with the last descriptor
};

// What holds after a file was written: nothing, that the disk has begun with it, that it is on the disk.
enum class Durability { none, begun, synced };

Status write_whole(const fs::path& path, const std::uint8_t* data, std::int64_t size, Durability durability) {
  Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (fd.get() < 0) return std::unexpected(system_error("cannot create a file", path, errno));
  while (size > 0) {
    const auto written = ::write(fd.get(), data, static_cast<std::size_t>(size));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return std::unexpected(system_error("cannot write", path, errno));
    data += written;
    size -= written;
  }
  if (durability == Durability::synced && ::fsync(fd.get()) != 0)
    return std::unexpected(system_error("cannot sync", path, errno));
#ifdef SYNC_FILE_RANGE_WRITE
  // Only a hint: what counts is the sync before the file is put in place.
  if (durability == Durability::begun) ::sync_file_range(fd.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
#endif
  if (fd.close() != 0) return std::unexpected(system_error("cannot close", path, errno));
  return {};
}

Status sync_folder(const fs::path& folder, bool whole_file_system) {
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return std::unexpected(system_error("cannot open a folder", folder, errno));
  const int done = whole_file_system ? ::syncfs(fd.get()) : ::fsync(fd.get());
  if (done != 0) return std::unexpected(system_error("cannot sync a folder", folder, errno));
  return {};
}

// A file aside, and the path that it will have.
struct Aside {
  fs::path temporary;
  std::string path;
};

class LocalStaging;

class LocalStorage final : public Storage {
 public:
  LocalStorage(std::string uri, fs::path root) : uri_(std::move(uri)), root_(std::move(root)) {}

  const std::string& uri() const override { return uri_; }

  Result<std::vector<StoredFile>> list(std::string_view folder) const override {
    std::vector<StoredFile> files;
    CHANDLER_TRY(list_into(root_ / folder, folder.empty() ? "" : std::string(folder) + '/', files));
    std::ranges::sort(files, {}, &StoredFile::path);
    return files;
  }

  Result<std::vector<std::string>> folders(std::string_view folder) const override {
    std::vector<std::string> names;
    std::error_code error;
    const fs::path path = root_ / folder;
    for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
      std::string name = it->path().filename().string();
      std::error_code entry_error;
      if (name[0] != '.' && it->is_directory(entry_error)) names.push_back(std::move(name));
    }
    if (error && error.value() != ENOENT && error.value() != ENOTDIR) {
      return std::unexpected(system_error("cannot list a folder", path, error.value()));
    }
    std::ranges::sort(names);
    return names;
  }

  Result<std::shared_ptr<arrow::io::RandomAccessFile>> open(std::string_view path) const override {
    const fs::path full = root_ / path;
    auto file = arrow::io::ReadableFile::Open(full.string());
    if (!file.ok()) {
      std::error_code error;
      if (!fs::exists(full, error))
        return fail(ErrorCode::not_found, "no such file in the lake", full.string());
      return fail(ErrorCode::unreachable, "cannot open a file of the lake", full.string(),
                  "check the permissions of the lake's folder");
    }
    return std::shared_ptr<arrow::io::RandomAccessFile>(*file);
  }

  Status replace(std::span<const PendingFile> files) override {
    const bool together = files.size() >= kSyncTogether;
    std::set<fs::path> touched;
    std::vector<fs::path> aside;
    Status status = write_aside(files, !together, touched, aside);
    if (status && together) status = sync_folder(root_, true);  // the content of all files, in one go
    for (std::size_t i = 0; status && i < files.size(); ++i) {
      status = put_in_place(aside[i], root_ / files[i].path);
    }
    if (!status) {
      for (const fs::path& path : aside) ::unlink(path.c_str());
      return status;
    }
    if (together) return sync_folder(root_, true);
    for (const fs::path& folder : touched) CHANDLER_TRY(sync_folder(folder, false));
    return {};
  }

  Result<std::unique_ptr<Staging>> stage() override;

  // Starts writing a new file to the disk without waiting for it.
  Result<fs::path> put_aside(const PendingFile& file) {
    CHANDLER_TRY(make_folder(root_));
    fs::path aside = root_ / fmt::format(".staged.{}.{}{}", ::getpid(),
                                         counter_.fetch_add(1, std::memory_order_relaxed), kUnfinishedSuffix);
    if (Status written = write_whole(aside, file.bytes->data(), file.bytes->size(), Durability::begun);
        !written) {
      ::unlink(aside.c_str());
      return std::unexpected(std::move(written).error());
    }
    return aside;
  }

  Status put_all_in_place(std::span<const Aside> files) {
    if (files.empty()) return {};
    CHANDLER_TRY(sync_folder(root_, true));
    std::set<fs::path> folders;
    for (const auto& [temporary, path] : files) {
      const fs::path target = root_ / path;
      if (folders.insert(target.parent_path()).second) CHANDLER_TRY(make_folder(target.parent_path(), false));
      CHANDLER_TRY(put_in_place(temporary, target));
    }
    return sync_folder(root_, true);
  }

  Status remove(std::string_view path) override {
    const fs::path full = root_ / path;
    if (::unlink(full.c_str()) != 0 && errno != ENOENT) {
      return std::unexpected(system_error("cannot remove a file", full, errno));
    }
    for (fs::path folder = full.parent_path(); folder != root_ && ::rmdir(folder.c_str()) == 0;) {
      folder = folder.parent_path();
    }
    return {};
  }

  Result<std::unique_ptr<WriterLock>> lock_for_writing(std::string_view purpose, TableGroup group,
                                                       std::chrono::milliseconds patience) override {
    CHANDLER_TRY(make_folder(root_));
    const fs::path path = root_ / kLockNames[static_cast<std::size_t>(group)];
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) return std::unexpected(system_error("cannot open the lake's lock", path, errno));
    auto lock = std::make_unique<FileLock>(fd);
    SystemClock clock;
    const auto deadline = clock.steady() + patience;
    while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno != EWOULDBLOCK) return std::unexpected(system_error("cannot lock the lake", path, errno));
      if (clock.steady() >= deadline) return std::unexpected(held_by_another(fd, path));
      clock.sleep(kLockPoll);
    }
    char host[256] = {};
    ::gethostname(host, sizeof host - 1);
    const std::string holder = fmt::format("process {} on {} (chandler {}, since {})", ::getpid(), host,
                                           purpose, format_instant(clock.now()));
    if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, holder.data(), holder.size(), 0) < 0) {
      return std::unexpected(system_error("cannot write the lake's lock", path, errno));
    }
    return std::unique_ptr<WriterLock>(std::move(lock));
  }

  Status remove_unfinished(TableGroup group) override {
    const bool speed = group == TableGroup::speed;
    std::error_code error;
    for (fs::recursive_directory_iterator it(speed ? root_ / kSpeedFolder : root_, error), end;
         !error && it != end; it.increment(error)) {
      const std::string name = it->path().filename().string();
      if (!speed && it.depth() == 0 && name == kSpeedFolder) it.disable_recursion_pending();
      if (name[0] == '.' && name.ends_with(kUnfinishedSuffix)) ::unlink(it->path().c_str());
    }
    return {};
  }

 private:
  Status list_into(const fs::path& folder, const std::string& prefix, std::vector<StoredFile>& files) const {
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      const std::string name = it->path().filename().string();
      if (name[0] == '.') continue;
      std::error_code entry_error;
      if (it->is_directory(entry_error)) {
        CHANDLER_TRY(list_into(it->path(), prefix + name + '/', files));
      } else if (const auto bytes = it->file_size(entry_error); !entry_error) {
        files.push_back({prefix + name, static_cast<std::int64_t>(bytes)});
      }
    }
    if (error && error.value() != ENOENT && error.value() != ENOTDIR) {
      return std::unexpected(system_error("cannot list a folder", folder, error.value()));
    }
    return {};
  }

  static Status put_in_place(const fs::path& aside, const fs::path& target) {
    if (::rename(aside.c_str(), target.c_str()) == 0) return {};
    return std::unexpected(system_error("cannot put a file in place", target, errno));
  }

  // A new folder is durable only when its parent has been synced.
  Status make_folder(const fs::path& folder, bool sync = true) {
    std::error_code error;
    if (folder.empty() || fs::is_directory(folder, error)) return {};
    CHANDLER_TRY(make_folder(folder.parent_path(), sync));
    if (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) {
      return std::unexpected(system_error("cannot create a folder", folder, errno));
    }
    if (!sync) return {};
    const fs::path parent = folder.parent_path();
    return sync_folder(parent.empty() ? fs::path(".") : parent, false);
  }

  Status write_aside(std::span<const PendingFile> files, bool sync, std::set<fs::path>& touched,
                     std::vector<fs::path>& aside) {
    for (const PendingFile& file : files) {
      const fs::path target = root_ / file.path;
      const fs::path folder = target.parent_path();
      if (touched.insert(folder).second) CHANDLER_TRY(make_folder(folder, sync));
      aside.push_back(folder / fmt::format(".{}.{}.{}{}", target.filename().string(), ::getpid(),
                                           counter_.fetch_add(1, std::memory_order_relaxed),
                                           kUnfinishedSuffix));
      CHANDLER_TRY(write_whole(aside.back(), file.bytes->data(), file.bytes->size(),
                               sync ? Durability::synced : Durability::none));
    }
    return {};
  }

  std::string uri_;
  fs::path root_;
  std::atomic<std::uint64_t> counter_{0};
};

class LocalStaging final : public Staging {
 public:
  explicit LocalStaging(LocalStorage& storage) : storage_(storage) {}
  ~LocalStaging() override {
    for (const auto& [path, temporary] : files_) ::unlink(temporary.c_str());
  }

  Status add(PendingFile file) override {
    CHANDLER_ASSIGN(fs::path temporary, storage_.put_aside(file));
    const std::lock_guard lock(mutex_);
    fs::path& slot = files_[file.path];
    if (!slot.empty()) ::unlink(slot.c_str());
    slot = std::move(temporary);
    return {};
  }

  Result<std::shared_ptr<arrow::io::RandomAccessFile>> open(std::string_view path) const override {
    const std::lock_guard lock(mutex_);
    const auto it = files_.find(path);
    if (it == files_.end()) return fail(ErrorCode::not_found, "no such staged file", std::string(path));
    auto file = arrow::io::ReadableFile::Open(it->second.string());
    if (!file.ok()) return fail(ErrorCode::unreachable, "cannot open a staged file", it->second.string());
    return std::shared_ptr<arrow::io::RandomAccessFile>(*file);
  }

  Status commit() override {
    std::vector<Aside> all;
    for (const auto& [path, temporary] : files_) all.push_back({temporary, path});
    CHANDLER_TRY(storage_.put_all_in_place(all));
    files_.clear();
    return {};
  }

 private:
  LocalStorage& storage_;
  mutable std::mutex mutex_;
  std::map<std::string, fs::path, std::less<>> files_;  // path to where it lies now
};

Result<std::unique_ptr<Staging>> LocalStorage::stage() {
  return std::make_unique<LocalStaging>(*this);
}

}  // namespace

Status Storage::replace(std::string path, std::shared_ptr<arrow::Buffer> bytes) {
  const PendingFile file{std::move(path), std::move(bytes)};
  return replace(std::span(&file, 1));
}

Status Storage::replace_text(std::string path, std::string text) {
  return replace(std::move(path), arrow::Buffer::FromString(std::move(text)));
}

Result<std::shared_ptr<Storage>> open_local_storage(std::string_view uri) {
  std::string_view path = uri;
  if (path.starts_with("file://")) path.remove_prefix(7);
  if (path.empty())
    return fail(ErrorCode::usage, "the lake's folder has an empty name", {}, "pass --lake DIR");
  std::error_code error;
  fs::path root = fs::absolute(fs::path(path), error).lexically_normal();
  if (root.filename().empty()) root = root.parent_path();  // "lake/" is "lake"
  if (fs::exists(root, error) && !fs::is_directory(root, error)) {
    return fail(ErrorCode::usage, fmt::format("the lake '{}' is a file", path), {}, "pass --lake a folder");
  }
  return std::make_shared<LocalStorage>(std::string(uri), std::move(root));
}

Result<std::shared_ptr<Storage>> open_storage(std::string_view uri) {
  if (const auto scheme = uri.find("://"); scheme != std::string_view::npos && !uri.starts_with("file://")) {
    return fail(ErrorCode::usage, fmt::format("lakes at {}:// are not known", uri.substr(0, scheme)),
                std::string(uri), "pass --lake a folder");
  }
  return open_local_storage(uri);
}

Result<std::string> read_text(const Storage& storage, std::string_view path) {
  CHANDLER_ASSIGN(const auto file, storage.open(path));
  const auto size = file->GetSize();
  const auto buffer =
      size.ok() ? file->ReadAt(0, *size) : arrow::Result<std::shared_ptr<arrow::Buffer>>(size.status());
  if (!buffer.ok()) return fail(ErrorCode::unreachable, "cannot read a file of the lake", std::string(path));
  return (*buffer)->ToString();
}

}  // namespace chandler::lake
