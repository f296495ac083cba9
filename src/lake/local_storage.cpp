#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>

#include "base/clock.hpp"
#include "base/parallel.hpp"
#include "lake/local_file.hpp"
#include "lake/local_lock.hpp"
#include "lake/storage.hpp"

namespace chandler::lake {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSpeedFolder = "speed_1m";
// How often a lock that others hold is asked for again.
constexpr std::chrono::milliseconds kLockPoll{10};
// For a lock that another process gives back soon, so that what is pending can still be stored.
constexpr std::chrono::milliseconds kPatienceAfterStop{1'000};
// From this many files on, one sync of the file system is cheaper than one of each file.
constexpr std::size_t kSyncTogether = 8;

// A file aside, and the path that it will have.
struct Aside {
  fs::path temporary;
  std::string path;
};

class LocalStorage final : public Storage {
 public:
  LocalStorage(std::string uri, fs::path root, FileSystem& files, std::stop_token stop)
      : uri_(std::move(uri)), root_(std::move(root)), files_(files), stop_(std::move(stop)) {}

  const std::string& uri() const override { return uri_; }
  FileSystem& files() const { return files_; }

  Result<std::vector<StoredFile>> list(std::string_view folder) const override {
    std::vector<StoredFile> files;
    CHANDLER_TRY(list_into(root_ / folder, folder.empty() ? "" : std::string(folder) + '/', files));
    std::ranges::sort(files, {}, &StoredFile::path);
    return files;
  }

  Result<std::vector<std::string>> folders(std::string_view folder) const override {
    std::vector<std::string> names;
    CHANDLER_ASSIGN(auto entries, entries_of(root_ / folder, false));
    for (FolderEntry& entry : entries) {
      if (entry.is_folder && entry.name[0] != '.') names.push_back(std::move(entry.name));
    }
    std::ranges::sort(names);
    return names;
  }

  Result<std::shared_ptr<arrow::io::RandomAccessFile>> open(std::string_view path) const override {
    return open_for_reading(files_, root_ / path);
  }

  Status replace(std::span<const PendingFile> files) override {
    if (files.empty()) return settle();
    if (Status replaced = replace_all(files); !replaced) {
      state_->failed();
      return replaced;
    }
    return {};
  }

  Result<std::unique_ptr<Staging>> stage() override;

  // Starts writing a new file to the disk without waiting for it.
  Result<fs::path> put_aside(const PendingFile& file) {
    fs::path aside = root_ / fmt::format(".staged.{}.{}{}", ::getpid(),
                                         counter_.fetch_add(1, std::memory_order_relaxed), kUnfinishedSuffix);
    if (Status written = write_whole(files_, aside, bytes_of(file), Durability::begun); !written) {
      files_.unlink(aside.c_str());
      return std::unexpected(std::move(written).error());
    }
    return aside;
  }

  // Opened before anything is staged, so that its sync answers for all of it.
  Result<Descriptor> open_root() {
    CHANDLER_TRY(make_folder(root_));
    return open_folder(files_, root_);
  }

  Status put_all_in_place(std::span<const Aside> files, const Descriptor& root) {
    if (files.empty()) return settle();
    CHANDLER_TRY(sync_all(root, root_));
    Status placed = [&]() -> Status {
      std::set<fs::path> folders;
      for (const auto& [temporary, path] : files) {
        const fs::path target = root_ / path;
        if (folders.insert(target.parent_path()).second)
          CHANDLER_TRY(make_folder(target.parent_path(), false));
        CHANDLER_TRY(put_in_place(temporary, target));
      }
      return sync_all(root, root_);
    }();
    if (!placed) state_->failed();
    return placed;
  }

  Status remove(std::string_view path) override {
    const fs::path full = root_ / path;
    if (uninterrupted([&] { return files_.unlink(full.c_str()); }) != 0 && errno != ENOENT) {
      return std::unexpected(system_error("cannot remove a file", full, errno));
    }
    remove_empty_folders(full.parent_path());
    return {};
  }

  Status move(std::string_view from, std::string_view to) override {
    const fs::path source = root_ / from, target = root_ / to;
    if (files_.kind_of(source.c_str()) == EntryKind::none)
      return fail(ErrorCode::not_found, "no such file in the lake", source.string());
    const Status moved = [&]() -> Status {
      CHANDLER_TRY(make_folder(target.parent_path()));
      CHANDLER_TRY(put_in_place(source, target));
      CHANDLER_TRY(sync_folder(files_, target.parent_path()));
      return sync_folder(files_, source.parent_path());
    }();
    if (!moved) {
      state_->failed();
      return moved;
    }
    remove_empty_folders(source.parent_path());
    return {};
  }

  Result<std::unique_ptr<WriterLock>> lock_for_writing(std::string_view purpose, TableGroup group,
                                                       std::chrono::milliseconds patience) override {
    CHANDLER_TRY(make_folder(root_));
    const fs::path path = root_ / kLockNames[static_cast<std::size_t>(group)];
    Descriptor fd(
        files_, uninterrupted([&] { return files_.open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666); }));
    if (fd.get() < 0) return std::unexpected(system_error("cannot open the lake's lock", path, errno));
    SystemClock clock;
    auto deadline = clock.steady() + patience;
    bool stopping = false;
    while (files_.lock(fd.get()) != 0) {
      if (errno == EINTR) continue;
      if (errno != EWOULDBLOCK) return std::unexpected(system_error("cannot lock the lake", path, errno));
      if (!std::exchange(stopping, stop_.stop_requested()) && stopping)
        deadline = std::min(deadline, clock.steady() + kPatienceAfterStop);
      if (clock.steady() >= deadline) return std::unexpected(held_by_another(fd, path));
      clock.sleep(kLockPoll);
    }
    // The writer before was killed or failed (or there was none, and the root is new).
    if (!was_released(fd) || !state_->settled()) {
      CHANDLER_TRY(remove_unfinished(group));
      CHANDLER_TRY(sync_everything());
    } else if (group == TableGroup::speed && !speed_looked_at_.exchange(true)) {
      // What the lock file tells of the writer before may itself have been lost with the power. Batch jobs
      // look once at their start; for the speed layer this is the start.
      CHANDLER_TRY(remove_unfinished(group));
    }
    char host[256] = {};
    ::gethostname(host, sizeof host - 1);
    const std::string holder = fmt::format("process {} on {} (chandler {}, since {})", ::getpid(), host,
                                           purpose, format_instant(clock.now()));
    if (!write_holder(fd, holder))
      return std::unexpected(system_error("cannot write the lake's lock", path, errno));
    return std::make_unique<FileLock>(std::move(fd), state_);
  }

  Status remove_unfinished(TableGroup group) override {
    const bool speed = group == TableGroup::speed;
    return remove_unfinished_in(speed ? root_ / kSpeedFolder : root_, !speed);
  }

 private:
  static std::span<const std::uint8_t> bytes_of(const PendingFile& file) {
    return {file.bytes->data(), static_cast<std::size_t>(file.bytes->size())};
  }

  // None if the folder is not there.
  Result<std::vector<FolderEntry>> entries_of(const fs::path& folder, bool with_sizes) const {
    std::vector<FolderEntry> entries;
    if (files_.list(folder.c_str(), with_sizes, entries) != 0 && errno != ENOENT && errno != ENOTDIR)
      return std::unexpected(system_error("cannot list a folder", folder, errno));
    return entries;
  }

  Status list_into(const fs::path& folder, const std::string& prefix, std::vector<StoredFile>& files) const {
    CHANDLER_ASSIGN(const auto entries, entries_of(folder, true));
    for (const FolderEntry& entry : entries) {
      if (entry.name[0] == '.') continue;
      if (entry.is_folder) {
        CHANDLER_TRY(list_into(folder / entry.name, prefix + entry.name + '/', files));
      } else {
        files.push_back({prefix + entry.name, entry.bytes});
      }
    }
    return {};
  }

  Status remove_unfinished_in(const fs::path& folder, bool leave_speed_out) {
    CHANDLER_ASSIGN(const auto entries, entries_of(folder, false));
    for (const FolderEntry& entry : entries) {
      if (entry.is_folder) {
        if (leave_speed_out && entry.name == kSpeedFolder) continue;
        CHANDLER_TRY(remove_unfinished_in(folder / entry.name, false));
      } else if (entry.name[0] == '.' && entry.name.ends_with(kUnfinishedSuffix)) {
        files_.unlink((folder / entry.name).c_str());
      }
    }
    return {};
  }

  Status sync_everything() {
    const std::uint64_t failures = state_->failures();
    CHANDLER_ASSIGN(const Descriptor root, open_folder(files_, root_));
    CHANDLER_TRY(sync_all(root, root_));
    state_->cover(failures);
    return {};
  }

  Status settle() { return state_->settled() ? Status{} : sync_everything(); }

  Status replace_all(std::span<const PendingFile> files) {
    const bool together = files.size() >= kSyncTogether;
    CHANDLER_TRY(make_folder(root_));
    CHANDLER_ASSIGN(const Descriptor root, open_folder(files_, root_));
    std::set<fs::path> touched;
    std::vector<fs::path> aside;
    Status status = write_aside(files, !together, touched, aside);
    if (status && together) status = sync_all(root, root_);  // the content of all files, in one go
    for (std::size_t i = 0; status && i < files.size(); ++i) {
      status = put_in_place(aside[i], root_ / files[i].path);
    }
    if (!status) {
      for (const fs::path& path : aside) files_.unlink(path.c_str());
      return status;
    }
    if (together) return sync_all(root, root_);
    for (const fs::path& folder : touched) CHANDLER_TRY(sync_folder(files_, folder));
    // What this writer found in place, e.g. a folder, may be left from a replacement that failed.
    return settle();
  }

  Status put_in_place(const fs::path& aside, const fs::path& target) {
    if (uninterrupted([&] { return files_.rename(aside.c_str(), target.c_str()); }) == 0) return {};
    return std::unexpected(system_error("cannot put a file in place", target, errno));
  }

  void remove_empty_folders(fs::path folder) {
    while (folder != root_ && files_.remove_folder(folder.c_str()) == 0) folder = folder.parent_path();
  }

  // A new folder is durable only when its parent has been synced. One thread at a time: another one that
  // finds the folder there must be able to rely on it.
  Status make_folder(const fs::path& folder, bool sync = true) {
    if (files_.kind_of(folder.c_str()) == EntryKind::folder && !making_.load()) return {};
    const std::lock_guard lock(folders_mutex_);
    making_.store(true);
    const Status made = make_folder_chain(folder, sync);
    if (!made) state_->failed();
    making_.store(false);
    return made;
  }

  Status make_folder_chain(const fs::path& folder, bool sync) {
    const bool is_root = !folder.has_relative_path();
    if (is_root || files_.kind_of(folder.c_str()) == EntryKind::folder) return {};
    CHANDLER_TRY(make_folder_chain(folder.parent_path(), sync));
    if (uninterrupted([&] { return files_.make_folder(folder.c_str(), 0777); }) != 0 && errno != EEXIST) {
      return std::unexpected(system_error("cannot create a folder", folder, errno));
    }
    return sync ? sync_folder(files_, folder.parent_path()) : Status{};
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
      CHANDLER_TRY(
          write_whole(files_, aside.back(), bytes_of(file), sync ? Durability::synced : Durability::none));
    }
    return {};
  }

  std::string uri_;
  fs::path root_;
  FileSystem& files_;
  std::stop_token stop_;
  std::shared_ptr<Settled> state_ = std::make_shared<Settled>();
  std::atomic<std::uint64_t> counter_{0};
  std::atomic<bool> speed_looked_at_{false};
  std::mutex folders_mutex_;
  std::atomic<bool> making_{false};  // a folder may be there whose name is not yet on the disk
};

class LocalStaging final : public Staging {
 public:
  LocalStaging(LocalStorage& storage, Descriptor root) : storage_(storage), root_(std::move(root)) {}
  ~LocalStaging() override {
    for (const auto& [path, temporary] : files_) storage_.files().unlink(temporary.c_str());
  }

  Status add(PendingFile file) override {
    CHANDLER_ASSIGN(fs::path temporary, storage_.put_aside(file));
    const std::lock_guard lock(mutex_);
    fs::path& slot = files_[file.path];
    if (!slot.empty()) storage_.files().unlink(slot.c_str());
    slot = std::move(temporary);
    return {};
  }

  Result<std::shared_ptr<arrow::io::RandomAccessFile>> open(std::string_view path) const override {
    const std::lock_guard lock(mutex_);
    const auto it = files_.find(path);
    if (it == files_.end()) return fail(ErrorCode::not_found, "no such staged file", std::string(path));
    auto file = open_for_reading(storage_.files(), it->second);
    // Staged and gone is not the same as never staged.
    if (!file && file.error().code == ErrorCode::not_found) file.error().code = ErrorCode::unreachable;
    return file;
  }

  Status commit() override {
    std::vector<Aside> all;
    for (const auto& [path, temporary] : files_) all.push_back({temporary, path});
    CHANDLER_TRY(storage_.put_all_in_place(all, root_));
    files_.clear();
    return {};
  }

 private:
  LocalStorage& storage_;
  Descriptor root_;
  mutable std::mutex mutex_;
  std::map<std::string, fs::path, std::less<>> files_;  // path to where it lies now
};

Result<std::unique_ptr<Staging>> LocalStorage::stage() {
  CHANDLER_ASSIGN(Descriptor root, open_root());
  return std::make_unique<LocalStaging>(*this, std::move(root));
}

}  // namespace

std::size_t Storage::concurrency() const {
  return core_count();
}

Status Storage::replace(std::string path, std::shared_ptr<arrow::Buffer> bytes) {
  const PendingFile file{std::move(path), std::move(bytes)};
  return replace(std::span(&file, 1));
}

Status Storage::move(std::string_view from, std::string_view to) {
  CHANDLER_ASSIGN(std::string bytes, read_text(*this, from));
  CHANDLER_TRY(replace_text(std::string(to), std::move(bytes)));
  return remove(from);
}

Status Storage::replace_text(std::string path, std::string text) {
  return replace(std::move(path), arrow::Buffer::FromString(std::move(text)));
}

namespace {

Result<std::shared_ptr<Storage>> open_local(std::string_view uri, FileSystem& files, std::stop_token stop) {
  CHANDLER_ASSIGN(fs::path root, local_root(uri, files));
  return std::make_shared<LocalStorage>(std::string(uri), std::move(root), files, std::move(stop));
}

}  // namespace

Result<std::shared_ptr<Storage>> open_local_storage(std::string_view uri) {
  return open_local(uri, system_calls(), {});
}

Result<std::shared_ptr<Storage>> open_local_storage(std::string_view uri, FileSystem& files) {
  return open_local(uri, files, {});
}

Result<std::shared_ptr<Storage>> open_storage(std::string_view uri, std::stop_token stop) {
  if (uri.starts_with("s3://")) return open_s3_storage(uri, std::move(stop));
  if (const auto scheme = uri.find("://"); scheme != std::string_view::npos && !uri.starts_with("file://")) {
    return fail(ErrorCode::usage, fmt::format("lakes at {}:// are not known", uri.substr(0, scheme)),
                std::string(uri), "pass --lake a folder or s3://bucket/prefix");
  }
  return open_local(uri, system_calls(), std::move(stop));
}

std::size_t PendingFile::size() const {
  return static_cast<std::size_t>(bytes->size());
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
