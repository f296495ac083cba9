#include "lake/local_file.hpp"

#include <arrow/util/io_util.h>
#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "lake/positioned_file.hpp"

namespace chandler::lake {
namespace {

namespace fs = std::filesystem;

class LocalFile final : public PositionedFile {
 public:
  LocalFile(Descriptor fd, std::int64_t size, std::string path)
      : fd_(std::move(fd)), size_(size), path_(std::move(path)) {}

  arrow::Result<std::int64_t> GetSize() override { return size_; }
  bool supports_zero_copy() const override { return false; }

  arrow::Result<std::int64_t> ReadAt(std::int64_t position, std::int64_t count, void* out) override {
    if (position < 0 || count < 0) return arrow::Status::Invalid("negative position or count");
    auto* const bytes = static_cast<std::uint8_t*>(out);
    std::int64_t done = 0;
    while (done < count) {
      const auto read = uninterrupted([&] {
        return fd_.files().read_at(fd_.get(), bytes + done, static_cast<std::size_t>(count - done),
                                   position + done);
      });
      if (read < 0) return arrow::internal::IOErrorFromErrno(errno, "cannot read ", path_);
      if (read == 0) break;
      done += read;
    }
    return done;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(std::int64_t position, std::int64_t count) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(std::max<std::int64_t>(count, 0)));
    ARROW_ASSIGN_OR_RAISE(const auto read, ReadAt(position, count, buffer->mutable_data()));
    if (read < count) ARROW_RETURN_NOT_OK(buffer->Resize(read));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }

 private:
  Descriptor fd_;
  std::int64_t size_;
  std::string path_;
};

}  // namespace

Error system_error(std::string what, const fs::path& path, int error) {
  std::string remedy;
  if (error == ENOSPC || error == EDQUOT) remedy = "free some disk space; what was stored before is intact";
  if (error == EFBIG) remedy = "raise the limit of file sizes (ulimit -f); what was stored before is intact";
  if (error == EROFS) remedy = "mount the disk of the lake for writing, or pass --lake another folder";
  if (error == EACCES || error == EPERM) remedy = "check the permissions of the lake's folder";
  if (error == EIO) remedy = "check the disk (dmesg, smartctl); what was stored before is as it was";
  return {ErrorCode::unreachable, fmt::format("{}: {}", what, std::strerror(error)), path.string(),
          std::move(remedy)};
}

Status write_whole(FileSystem& files, const fs::path& path, std::span<const std::uint8_t> bytes,
                   Durability durability) {
  Descriptor fd(files, uninterrupted([&] {
                  return files.open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
                }));
  if (fd.get() < 0) return std::unexpected(system_error("cannot create a file", path, errno));
  for (std::size_t done = 0; done < bytes.size();) {
    const auto written = uninterrupted([&] {
      return files.write_at(fd.get(), bytes.data() + done, bytes.size() - done,
                            static_cast<std::int64_t>(done));
    });
    if (written < 0) return std::unexpected(system_error("cannot write", path, errno));
    done += static_cast<std::size_t>(written);
  }
  if (durability == Durability::synced && uninterrupted([&] { return files.sync(fd.get()); }) != 0)
    return std::unexpected(system_error("cannot sync", path, errno));
  // Only a hint: what counts is the sync before the file is put in place.
  if (durability == Durability::begun) files.start_writing(fd.get());
  // Interrupted or not, Linux has closed it; a write that failed says so in another way.
  if (fd.close() != 0 && errno != EINTR) return std::unexpected(system_error("cannot close", path, errno));
  return {};
}

Result<Descriptor> open_folder(FileSystem& files, const fs::path& folder) {
  Descriptor fd(files, uninterrupted([&] {
                  return files.open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
                }));
  if (fd.get() < 0) return std::unexpected(system_error("cannot open a folder", folder, errno));
  return fd;
}

Status sync_folder(FileSystem& files, const fs::path& folder) {
  CHANDLER_ASSIGN(const Descriptor fd, open_folder(files, folder));
  if (uninterrupted([&] { return files.sync(fd.get()); }) != 0)
    return std::unexpected(system_error("cannot sync a folder", folder, errno));
  return {};
}

Status sync_all(const Descriptor& folder, const fs::path& path) {
  if (uninterrupted([&] { return folder.files().sync_all(folder.get()); }) != 0)
    return std::unexpected(system_error("cannot sync the file system", path, errno));
  return {};
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> open_for_reading(FileSystem& files,
                                                                      const fs::path& path) {
  Descriptor fd(files, uninterrupted([&] { return files.open(path.c_str(), O_RDONLY | O_CLOEXEC, 0); }));
  if (fd.get() < 0) {
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR)
      return fail(ErrorCode::not_found, "no such file in the lake", path.string());
    return std::unexpected(system_error("cannot open a file of the lake", path, error));
  }
  const std::int64_t size = files.size_of(fd.get());
  if (size < 0) return std::unexpected(system_error("cannot open a file of the lake", path, errno));
  return std::make_shared<LocalFile>(std::move(fd), size, path.string());
}

Result<fs::path> local_root(std::string_view uri, FileSystem& files) {
  std::string_view path = uri;
  if (path.starts_with("file://")) path.remove_prefix(7);
  if (path.empty())
    return fail(ErrorCode::usage, "the lake's folder has an empty name", {}, "pass --lake DIR");
  std::error_code error;
  fs::path root = fs::absolute(fs::path(path), error).lexically_normal();
  if (root.filename().empty()) root = root.parent_path();  // "lake/" is "lake"
  if (files.kind_of(root.c_str()) == EntryKind::file) {
    return fail(ErrorCode::usage, fmt::format("the lake '{}' is a file", path), {}, "pass --lake a folder");
  }
  return root;
}

}  // namespace chandler::lake
