// What files the lake has right now, looked at again and again: from it everything here knows when an answer
// that was made before is still right. Readers never lock the lake; files are replaced whole.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "lake/layout.hpp"
#include "lake/speed_snapshot.hpp"
#include "lake/storage.hpp"

namespace chandler::web {

struct PartitionFile {
  lake::Partition partition;
  std::int64_t bytes = 0;
  std::uint64_t version = 0;
};

// The partitions of one symbol, each list in order of time.
struct SymbolFiles {
  std::string symbol;
  std::vector<PartitionFile> minutes, days, speed, daily, prophet;
  std::uint64_t batch_generation = 0;  // changes with any file but those of speed_1m
  std::uint64_t speed_generation = 0;
  std::uint64_t generation() const { return batch_generation ^ (speed_generation * 31); }
  std::int64_t bytes() const;
  const std::vector<PartitionFile>& of(lake::Table table) const;
};

struct LakeListing {
  std::vector<SymbolFiles> symbols;  // sorted by name
  std::uint64_t generation = 0;      // changes with any file
  std::uint64_t forecasts_generation = 0;
  std::vector<lake::SpeedSnapshot> snapshots;  // the open candles, by stream
  std::uint64_t snapshots_generation = 0;
  std::optional<Error> error;  // why the lake could not be listed; the rest is then the last good listing

  const SymbolFiles* find(std::string_view symbol) const;
};

using ListingPtr = std::shared_ptr<const LakeListing>;

// What has not changed since `before` is not read again.
Result<LakeListing> list_lake(const lake::Storage& storage, const LakeListing* before = nullptr);

// Looks every `period` (longer where a look itself is expensive), on a thread of its own. Thread safe.
class LakeWatch {
 public:
  // The first look is taken before the constructor returns.
  LakeWatch(std::shared_ptr<const lake::Storage> storage, Clock& clock, std::chrono::milliseconds period);
  ~LakeWatch();
  LakeWatch(const LakeWatch&) = delete;
  LakeWatch& operator=(const LakeWatch&) = delete;

  ListingPtr now() const;
  // Called on the watching thread after each change, with what is there now. Set before the first change
  // matters.
  void on_change(std::function<void(const ListingPtr&)> call);
  // Looks at once, and returns when that is done: for tests and after a request that must see the newest.
  void look();
  // Nobody is called after it returns. Idempotent.
  void stop();

 private:
  void run(const std::stop_token& stop);

  std::shared_ptr<const lake::Storage> storage_;
  Clock& clock_;
  std::chrono::milliseconds period_;
  mutable std::mutex mutex_;
  std::mutex looking_;
  ListingPtr listing_;
  std::vector<std::function<void(const ListingPtr&)>> calls_;
  std::jthread thread_;
};

}  // namespace chandler::web
