// The bytes under a lake: whole files that are replaced atomically. Nothing above this file knows whether
// they lie on a disk or in an object store.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace arrow {
class Buffer;
namespace io {
class RandomAccessFile;
}
}  // namespace arrow

namespace chandler::lake {

struct StoredFile {
  std::string path;  // relative to the root
  std::int64_t bytes = 0;
  std::uint64_t version = 0;  // another one after each replacement, where the listing tells; else 0
};

// Releases on destruction, and with the process however that ends.
class WriterLock {
 public:
  virtual ~WriterLock() = default;
};

// Tables that share a writer. The batch layer holds its lock for a whole job; the speed layer, whose writers
// run for ever, holds the one of speed_1m for each commit only, so that both write side by side, and several
// consumers take turns.
enum class TableGroup {
  batch,  // everything but speed_1m
  speed   // speed_1m
};

struct PendingFile {
  std::string path;
  std::shared_ptr<arrow::Buffer> bytes;

  std::size_t size() const;
};

// Files of which none is visible before all are known to be good and on the disk, whatever memory there is.
// Destroyed without a commit it leaves nothing behind; a kill leaves what remove_unfinished() takes away.
class Staging {
 public:
  virtual ~Staging() = default;
  // Keeps the content aside; a file that has been added before is superseded. Thread safe.
  virtual Status add(PendingFile file) = 0;
  // The content that was added; not_found if there is none. Thread safe.
  virtual Result<std::shared_ptr<arrow::io::RandomAccessFile>> open(std::string_view path) const = 0;
  // Puts every file in place as Storage::replace does. Nothing may be added afterwards.
  virtual Status commit() = 0;
};

// Paths are relative to the root. Thread safe: several threads may read and replace different files at once.
class Storage {
 public:
  virtual ~Storage() = default;
  virtual const std::string& uri() const = 0;
  // How many threads reading or replacing files keep it busy. More than the cores where they mostly wait.
  virtual std::size_t concurrency() const;

  // All files below a folder, sorted by path; none if the folder is not there. Names that start with a dot
  // (unfinished writes, locks) are left out.
  virtual Result<std::vector<StoredFile>> list(std::string_view folder) const = 0;
  // Names of the folders directly inside a folder, sorted.
  virtual Result<std::vector<std::string>> folders(std::string_view folder) const = 0;
  // The file as it was when opened, also while it is being replaced. not_found if there is none.
  virtual Result<std::shared_ptr<arrow::io::RandomAccessFile>> open(std::string_view path) const = 0;

  // The same for readers of a Parquet footer, which come with less of the file at once where bytes have a
  // price.
  virtual Result<std::shared_ptr<arrow::io::RandomAccessFile>> open_footer(std::string_view path) const {
    return open(path);
  }

  // After it returns, the new content is there and stays there through a power cut; a kill at any instant
  // before leaves each file as it was or as it will be. The files of one call appear in no particular order:
  // what must be seen later goes into a later call.
  virtual Status replace(std::span<const PendingFile> files) = 0;
  Status replace(std::string path, std::shared_ptr<arrow::Buffer> bytes);
  // For more files than fit in memory, or that must not be seen before all of them are known to be good. The
  // storage must outlive it.
  virtual Result<std::unique_ptr<Staging>> stage();
  Status replace_text(std::string path, std::string text);
  // Not an error if it is not there. Folders that become empty go too.
  virtual Status remove(std::string_view path) = 0;
  // Gives a file, which need not be readable, another path; what is there is replaced. not_found if there is
  // none. After it returns it stays so through a power cut; a kill leaves it at one path or at both. Here: by
  // a copy.
  virtual Status move(std::string_view from, std::string_view to);

  // Only one process at a time may write a group of tables: `locked`, after `patience`, says which one does.
  // `purpose` is what others are told.
  virtual Result<std::unique_ptr<WriterLock>> lock_for_writing(
      std::string_view purpose, TableGroup group = TableGroup::batch,
      std::chrono::milliseconds patience = std::chrono::milliseconds{0}) = 0;
  // Removes what killed writers of the group left behind. Only while holding its lock.
  virtual Status remove_unfinished(TableGroup group = TableGroup::batch) = 0;
};

// A folder, which is created when first written to. `uri` is a path or file://…
Result<std::shared_ptr<Storage>> open_local_storage(std::string_view uri);
// s3://bucket[/prefix]; endpoint, region and credentials as s3/settings.hpp finds them. Nothing is asked yet.
// When a stop is requested, requests get a few more seconds.
Result<std::shared_ptr<Storage>> open_s3_storage(std::string_view uri, std::stop_token stop = {});
// A path, file:// or s3:// address.
Result<std::shared_ptr<Storage>> open_storage(std::string_view uri, std::stop_token stop = {});

// The whole content of a (small) file.
Result<std::string> read_text(const Storage& storage, std::string_view path);

}  // namespace chandler::lake
