// Encoded answers, kept until the files they were made from change. What makes a warm request cheap: one
// look-up, and the bytes leave without being copied.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "net/http_message.hpp"
#include "web/answer.hpp"

namespace chandler::web {

struct CachedResponse {
  // As it leaves: compressed where the key says so. A large one is a file, another one is not.
  net::SharedBody body;
  std::shared_ptr<const net::MemoryFile> file;
  std::shared_ptr<const std::string> headers;  // rendered lines, ETag among them
  std::string etag;
  Freshness freshness;
  std::uint64_t generation = 0;  // of the symbol's or the lake's files when it was made
  std::chrono::nanoseconds made_at{0};

  std::size_t body_bytes() const { return file ? file->bytes().size() : body->size(); }
};

// Thread safe. Bounded by bytes: the least recently used go first.
class ResponseCache {
 public:
  explicit ResponseCache(std::size_t max_bytes) : max_bytes_per_shard_(max_bytes / kShards) {}

  std::optional<CachedResponse> find(std::string_view key);
  void store(std::string_view key, CachedResponse response);
  void erase(std::string_view key);

  struct Counts {
    std::uint64_t hits = 0, misses = 0;
    std::size_t entries = 0, bytes = 0;
  };
  Counts counts();

 private:
  static constexpr std::size_t kShards = 16;
  struct Entry {
    std::string key;
    CachedResponse response;
    std::size_t bytes() const { return response.body_bytes() + response.headers->size() + key.size() + 256; }
  };
  struct Shard {
    std::mutex mutex;
    std::list<Entry> entries;                                                 // the most recently used first
    std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key;  // views into the entries' keys
    std::size_t bytes = 0;
    std::uint64_t hits = 0, misses = 0;
    void remove(std::list<Entry>::iterator entry);
  };
  Shard& shard_of(std::string_view key) { return shards_[std::hash<std::string_view>{}(key) % kShards]; }

  std::size_t max_bytes_per_shard_;
  std::array<Shard, kShards> shards_;
};

}  // namespace chandler::web
