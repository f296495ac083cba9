#include "lake/local_survey.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "lake/local_file.hpp"
#include "lake/local_lock.hpp"

namespace chandler::lake {
namespace {

namespace fs = std::filesystem;

Status try_to_write(FileSystem& files, const fs::path& folder) {
  const fs::path path = folder / fmt::format(".doctor.{}{}", ::getpid(), kUnfinishedSuffix);
  constexpr std::uint8_t content[] = {'o', 'k'};
  const Status written = write_whole(files, path, content, Durability::synced);
  files.unlink(path.c_str());
  return written;
}

Result<std::uint64_t> free_bytes_of(const fs::path& folder) {
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0)
    return std::unexpected(system_error("cannot tell the free space of a disk", folder, errno));
  return static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
}

// A lock that its last holder has given back is not touched. Otherwise it is asked for, shared and for an
// instant: a writer that begins within that instant is told to come again.
void find_writer(FileSystem& files, const fs::path& path, std::vector<Error>& writers) {
  const Descriptor fd(files,
                      uninterrupted([&] { return files.open(path.c_str(), O_RDONLY | O_CLOEXEC, 0); }));
  if (fd.get() < 0 || was_released(fd)) return;
  if (uninterrupted([&] { return ::flock(fd.get(), LOCK_SH | LOCK_NB); }) != 0 && errno == EWOULDBLOCK)
    writers.push_back(held_by_another(fd, path));
}

// Folders that vanish meanwhile have nothing to tell.
void count_unfinished(FileSystem& files, const fs::path& folder, LocalSurvey& survey) {
  std::vector<FolderEntry> entries;
  files.list(folder.c_str(), false, entries);
  for (const FolderEntry& entry : entries) {
    if (entry.is_folder) {
      if (entry.name[0] != '.') count_unfinished(files, folder / entry.name, survey);
    } else if (entry.name[0] == '.' && entry.name.ends_with(kUnfinishedSuffix)) {
      std::error_code gone;
      const auto bytes = fs::file_size(folder / entry.name, gone);
      ++survey.unfinished;
      if (!gone) survey.unfinished_bytes += static_cast<std::int64_t>(bytes);
    }
  }
}

}  // namespace

Result<LocalSurvey> survey_local_lake(std::string_view uri) {
  FileSystem& files = system_calls();
  LocalSurvey survey;
  CHANDLER_ASSIGN(survey.root, local_root(uri, files));
  survey.exists = files.kind_of(survey.root.c_str()) == EntryKind::folder;
  fs::path nearest = survey.root;
  while (files.kind_of(nearest.c_str()) == EntryKind::none && nearest.has_relative_path())
    nearest = nearest.parent_path();
  if (survey.exists) {
    std::vector<FolderEntry> entries;
    if (files.list(survey.root.c_str(), false, entries) != 0)
      survey.readable = std::unexpected(system_error("cannot list a folder", survey.root, errno));
    for (const std::string_view name : kLockNames) find_writer(files, survey.root / name, survey.writers);
    count_unfinished(files, survey.root, survey);
  }
  survey.writable = try_to_write(files, nearest);
  survey.free_bytes = free_bytes_of(nearest);
  return survey;
}

}  // namespace chandler::lake
