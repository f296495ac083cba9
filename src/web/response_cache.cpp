#include "web/response_cache.hpp"

namespace chandler::web {

void ResponseCache::Shard::remove(std::list<Entry>::iterator entry) {
  bytes -= entry->bytes();
  by_key.erase(entry->key);
  entries.erase(entry);
}

std::optional<CachedResponse> ResponseCache::find(std::string_view key) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto it = shard.by_key.find(key);
  if (it == shard.by_key.end()) {
    ++shard.misses;
    return std::nullopt;
  }
  ++shard.hits;
  shard.entries.splice(shard.entries.begin(), shard.entries, it->second);
  return it->second->response;
}

void ResponseCache::store(std::string_view key, CachedResponse response) {
  Shard& shard = shard_of(key);
  Entry entry{std::string(key), std::move(response)};
  const std::size_t bytes = entry.bytes();
  if (bytes > max_bytes_per_shard_ / 2) return;  // one answer must not empty the shard
  const std::lock_guard lock(shard.mutex);
  if (const auto it = shard.by_key.find(key); it != shard.by_key.end()) shard.remove(it->second);
  while (!shard.entries.empty() && shard.bytes + bytes > max_bytes_per_shard_) {
    shard.remove(std::prev(shard.entries.end()));
  }
  shard.entries.push_front(std::move(entry));
  shard.by_key.emplace(shard.entries.front().key, shard.entries.begin());
  shard.bytes += bytes;
}

void ResponseCache::erase(std::string_view key) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  if (const auto it = shard.by_key.find(key); it != shard.by_key.end()) shard.remove(it->second);
}

ResponseCache::Counts ResponseCache::counts() {
  Counts counts;
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    counts.hits += shard.hits;
    counts.misses += shard.misses;
    counts.entries += shard.entries.size();
    counts.bytes += shard.bytes;
  }
  return counts;
}

}  // namespace chandler::web
