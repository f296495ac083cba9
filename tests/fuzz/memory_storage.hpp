// A lake in memory: what the targets read from and write to, without a system call an input.
#pragma once

#include <arrow/buffer.h>
#include <arrow/io/memory.h>

#include <map>
#include <mutex>
#include <set>

#include "lake/storage.hpp"

namespace chandler::fuzz {

class MemoryStorage final : public lake::Storage {
 public:
  std::map<std::string, std::shared_ptr<arrow::Buffer>, std::less<>> files;

  const std::string& uri() const override { return uri_; }

  Result<std::vector<lake::StoredFile>> list(std::string_view folder) const override {
    const std::lock_guard lock(mutex_);
    std::vector<lake::StoredFile> found;
    for (const auto& [path, bytes] : files) {
      if (is_below(path, folder)) found.push_back({path, bytes->size()});
    }
    return found;
  }
  Result<std::vector<std::string>> folders(std::string_view folder) const override {
    const std::lock_guard lock(mutex_);
    std::set<std::string> names;
    for (const auto& [path, bytes] : files) {
      if (!is_below(path, folder)) continue;
      const std::size_t begin = folder.empty() ? 0 : folder.size() + 1;
      const std::size_t slash = path.find('/', begin);
      if (slash != std::string::npos) names.insert(path.substr(begin, slash - begin));
    }
    return std::vector<std::string>(names.begin(), names.end());
  }
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> open(std::string_view path) const override {
    const std::lock_guard lock(mutex_);
    const auto it = files.find(path);
    if (it == files.end()) return fail(ErrorCode::not_found, "the file is not there", std::string(path));
    return std::make_shared<arrow::io::BufferReader>(it->second);
  }
  Status replace(std::span<const lake::PendingFile> pending) override {
    const std::lock_guard lock(mutex_);
    for (const lake::PendingFile& file : pending) files[file.path] = file.bytes;
    return {};
  }
  Status remove(std::string_view path) override {
    const std::lock_guard lock(mutex_);
    if (const auto it = files.find(path); it != files.end()) files.erase(it);
    return {};
  }
  Result<std::unique_ptr<lake::WriterLock>> lock_for_writing(std::string_view, lake::TableGroup,
                                                             std::chrono::milliseconds) override {
    return std::make_unique<lake::WriterLock>();
  }
  Status remove_unfinished(lake::TableGroup) override { return {}; }

 private:
  static bool is_below(std::string_view path, std::string_view folder) {
    return folder.empty() ||
           (path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/');
  }

  std::string uri_ = "memory";
  mutable std::mutex mutex_;
};

}  // namespace chandler::fuzz
