// The second half of an import: rows are gathered by partition, and a partition that the file has moved on
// from is cleaned, merged with what is stored, encoded and staged. Nothing is visible before commit().
#pragma once

#include <deque>
#include <future>
#include <map>
#include <set>
#include <stop_token>

#include "base/worker_pool.hpp"
#include "batch/import_blocks.hpp"
#include "candles/merge.hpp"
#include "lake/storage.hpp"

namespace chandler::batch {

struct PartitionCounts {
  std::size_t repeats = 0;      // rows that said the same as another one of their candle
  std::size_t conflicting = 0;  // rows that gave way to a different one of their candle in the same import
  std::size_t added = 0;        // candles that were not stored
  std::size_t differing = 0;    // stored candles that differ from the imported one; the stored one stays
  std::vector<candles::Difference> examples;  // of these, a few
  bool staged = false;

  void add(const PartitionCounts& other);
};

// Used by one thread; hands the work to the pool's. The references must outlive it.
inline constexpr const char* kNothingImported = "interrupted; nothing was imported";

class ImportPartitions {
 public:
  ImportPartitions(lake::Storage& storage, lake::Staging& staging, lake::Table table, std::string symbol,
                   WorkerPool& pool, std::size_t flushes_at_once);

  // Takes the rows; waits while memory is short.
  Status add(const ParsedBlock& block);
  // All rows have been added: finishes what is pending, or is interrupted.
  Status finish(const std::stop_token& stop);

  const PartitionCounts& counts() const { return counts_; }
  std::size_t partitions() const { return staged_.size(); }

 private:
  struct Slice {
    std::shared_ptr<const exchange::KlineCsvBatch> batch;
    std::size_t first = 0, last = 0;
  };
  struct Pending {
    std::vector<Slice> slices;
    std::size_t rows = 0;
    std::uint64_t touched = 0;
  };
  struct Flush {
    Timestamp begin;
    std::future<Result<PartitionCounts>> result;
  };

  Status flush(Timestamp begin);
  Status flush_least_recent();
  Status wait_for_oldest();
  Result<PartitionCounts> stage(const lake::Partition& partition, const Pending& pending, bool again) const;

  lake::Storage& storage_;
  lake::Staging& staging_;
  lake::Table table_;
  std::string symbol_;
  WorkerPool& pool_;
  std::size_t flushes_at_once_;

  std::map<Timestamp, Pending> pending_;
  std::size_t pending_rows_ = 0;
  std::uint64_t clock_ = 0;
  std::deque<Flush> flushes_;
  std::set<Timestamp> flushed_, staged_;
  PartitionCounts counts_;
};

}  // namespace chandler::batch
