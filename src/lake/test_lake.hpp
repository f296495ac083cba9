// Lakes for tests: temporary folders, histories stored by a writer that is simpler than the jobs', and the
// bytes of everything.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>

#include "candles/gaps.hpp"
#include "candles/merge.hpp"
#include "candles/test_klines.hpp"
#include "lake/kline_file.hpp"
#include "lake/storage.hpp"

namespace chandler::lake::testing {

template <class T>
T value(Result<T> result) {
  if (!result) throw std::runtime_error(to_text(result.error()));
  return std::move(*result);
}
inline void check(Status status) {
  if (!status) throw std::runtime_error(to_text(status.error()));
}

inline Timestamp at(const char* text) {
  return *parse_instant(text);
}

// A new folder that goes with its object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "chandler-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot create " + name);
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class TemporaryLake {
 public:
  TemporaryLake() : storage_(value(open_local_storage((folder_.path() / "lake").string()))) {}
  Storage& storage() const { return *storage_; }
  std::filesystem::path path() const { return folder_.path() / "lake"; }
  std::filesystem::path file(const std::string& path) const { return this->path() / path; }

 private:
  TemporaryFolder folder_;
  std::shared_ptr<Storage> storage_;
};

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

// Path and content of every file below a folder of the lake ("" is all of it).
inline std::map<std::string, std::string> files_of(const TemporaryLake& lake,
                                                   const std::string& folder = "") {
  std::map<std::string, std::string> files;
  for (const StoredFile& file : value(lake.storage().list(folder))) {
    files[file.path] = read_bytes(lake.file(file.path));
  }
  return files;
}
// Those of the tables that follow from the klines.
inline std::map<std::string, std::string> derived_files(const TemporaryLake& lake) {
  auto files = files_of(lake, "daily_filled");
  files.merge(files_of(lake, "prophet_input"));
  return files;
}

// Merges rows (sorted, unique) and asked ranges into a kline table, partition by partition.
inline void store(Storage& storage, Table table, const std::string& symbol, const candles::Klines& rows,
                  const RangeSet& asked = {}) {
  const auto partition_at = [&](Timestamp t) {
    if (table == Table::klines_1d) return days_partition(symbol, year_number(month_of(t)));
    if (table == Table::speed_1m) return speed_partition(symbol, day_of(t));
    return minutes_partition(symbol, month_of(t));
  };
  std::map<Partition, RangeSet> touched;
  for (const std::int64_t t : rows.open_time) touched[partition_at(from_ms(t))];
  for (const TimeRange& range : asked) {
    for (Timestamp t = range.begin; t < range.end; t = partition_at(t).range().end) {
      const Partition p = partition_at(t);
      touched[p].add({t, std::min(range.end, p.range().end)});
    }
  }
  for (const auto& [partition, newly_asked] : touched) {
    KlineFile stored = value(read_kline_file(storage, partition));
    stored.asked.add(newly_asked);
    const auto merged = candles::merge(stored.rows, candles::slice(rows, partition.range()));
    const PendingFile file = value(kline_file(partition, merged.rows, stored.asked));
    check(storage.replace(std::span(&file, 1)));
  }
}

}  // namespace chandler::lake::testing
