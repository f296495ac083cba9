// History files as streams of text: plain, gzipped, or zipped (every CSV inside, one after the other). Told
// apart by their first bytes, not by their names.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/error.hpp"

namespace chandler::batch {

// One stream of CSV text. Not thread safe.
class CsvInput {
 public:
  virtual ~CsvInput() = default;
  // What a person would call it: the path, or "path: entry" inside a zip.
  virtual const std::string& name() const = 0;
  // Up to `to.size()` decompressed bytes; 0 at the end. Errors: unreachable for a failed read, invalid_data
  // for an archive that is cut short or fails its checksum.
  virtual Result<std::size_t> read(std::span<char> to) = 0;
  // Bytes of the file on disk that have been consumed so far, for progress.
  virtual std::uint64_t consumed() const = 0;
};

// Calls visit for each stream of the file in turn. not_found, unreachable, or what `visit` fails with.
Status for_each_csv(const std::string& path, const std::function<Status(CsvInput&)>& visit);

// Size of the file on disk.
Result<std::uint64_t> file_bytes(const std::string& path);

}  // namespace chandler::batch
