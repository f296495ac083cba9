#include "batch/import_partitions.hpp"

#include <algorithm>

#include "candles/clean.hpp"
#include "lake/kline_file.hpp"

namespace chandler::batch {
namespace {

using candles::Klines;

// Rows that may wait for their partition to be complete: a file in order keeps two or three months here, one
// in disorder as many as fit.
constexpr std::size_t kPendingRows = 200'000;  // 16 MB
constexpr std::size_t kExamples = 5;

// Rows of `rows` whose candle is not in `stored`; both sorted and unique.
Klines without(const Klines& rows, const Klines& stored) {
  Klines rest;
  std::size_t s = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    while (s < stored.size() && stored.open_time[s] < rows.open_time[i]) ++s;
    if (s == stored.size() || stored.open_time[s] != rows.open_time[i]) rest.push_back(rows.at(i));
  }
  return rest;
}

}  // namespace

void PartitionCounts::add(const PartitionCounts& other) {
  repeats += other.repeats;
  conflicting += other.conflicting;
  added += other.added;
  differing += other.differing;
  for (const auto& example : other.examples) {
    if (examples.size() < kExamples) examples.push_back(example);
  }
}

ImportPartitions::ImportPartitions(lake::Storage& storage, lake::Staging& staging, lake::Table table,
                                   std::string symbol, WorkerPool& pool, std::size_t flushes_at_once)
    : storage_(storage),
      staging_(staging),
      table_(table),
      symbol_(std::move(symbol)),
      pool_(pool),
      flushes_at_once_(flushes_at_once) {}

Status ImportPartitions::add(const ParsedBlock& block) {
  for (const PartitionRun& run : block.runs) {
    Pending& pending = pending_[run.partition_begin];
    pending.slices.push_back({block.batch, run.first, run.last});
    pending.rows += run.last - run.first;
    pending.touched = ++clock_;
    pending_rows_ += run.last - run.first;
  }
  if (pending_rows_ <= kPendingRows) return {};
  while (pending_rows_ > kPendingRows / 2 && pending_.size() > 1) CHANDLER_TRY(flush_least_recent());
  // One partition alone outgrows the memory when its rows repeat again and again.
  return pending_rows_ > 2 * kPendingRows ? flush_least_recent() : Status{};
}

Status ImportPartitions::finish(const std::stop_token& stop) {
  while (!pending_.empty()) {
    if (stop.stop_requested()) return fail(ErrorCode::interrupted, kNothingImported);
    CHANDLER_TRY(flush(pending_.begin()->first));
  }
  while (!flushes_.empty()) CHANDLER_TRY(wait_for_oldest());
  return {};
}

Status ImportPartitions::flush_least_recent() {
  const auto oldest =
      std::ranges::min_element(pending_, {}, [](const auto& entry) { return entry.second.touched; });
  return flush(oldest->first);
}

Status ImportPartitions::flush(Timestamp begin) {
  const auto in_flight = [&] { return std::ranges::find(flushes_, begin, &Flush::begin) != flushes_.end(); };
  while (flushes_.size() >= flushes_at_once_ || in_flight()) CHANDLER_TRY(wait_for_oldest());
  const auto node = pending_.extract(begin);
  pending_rows_ -= node.mapped().rows;
  const bool again = !flushed_.insert(begin).second;
  auto work = [this, again, partition = partition_at(table_, symbol_, begin),
               pending = std::make_shared<Pending>(node.mapped())] {
    return stage(partition, *pending, again);
  };
  flushes_.push_back({begin, pool_.submit(std::move(work))});
  return {};
}

Status ImportPartitions::wait_for_oldest() {
  Flush flush = std::move(flushes_.front());
  flushes_.pop_front();
  CHANDLER_ASSIGN(const PartitionCounts counts, flush.result.get());
  counts_.add(counts);
  if (counts.staged) staged_.insert(flush.begin);
  return {};
}

// A stored candle never gives way to an imported one (candles::merge), so what has been staged before of a
// partition that comes again is the stored rows plus imported ones, and the two can be told apart.
Result<PartitionCounts> ImportPartitions::stage(const lake::Partition& partition, const Pending& pending,
                                                bool again) const {
  PartitionCounts counts;
  CHANDLER_ASSIGN(const lake::KlineFile stored, lake::read_kline_file(storage_, partition));
  Klines rows;
  std::size_t staged_before = 0;
  if (again) {
    if (auto file = staging_.open(lake::path_of(partition))) {
      CHANDLER_ASSIGN(const Klines before, lake::read_klines(std::move(*file), partition));
      rows = without(before, stored.rows);
      staged_before = rows.size();
    }
  }
  rows.reserve(rows.size() + pending.rows);
  for (const Slice& slice : pending.slices) rows.append(slice.batch->rows, slice.first, slice.last);

  if (!candles::is_sorted_unique(rows.open_time)) {
    auto cleaned = candles::unify(std::move(rows));
    counts.repeats = cleaned.exact_repeats;
    counts.conflicting = cleaned.conflicting.size();
    rows = std::move(cleaned.rows);
  }
  if (!stored.rows.empty()) {
    auto merged = candles::merge(stored.rows, rows, candles::Ties::stored_wins);
    counts.added = merged.added - staged_before;
    counts.differing = merged.differences.size();
    merged.differences.resize(std::min(merged.differences.size(), kExamples));
    counts.examples = std::move(merged.differences);
    if (merged.added == 0) return counts;
    rows = std::move(merged.rows);
  } else {
    counts.added = rows.size() - staged_before;
  }
  CHANDLER_ASSIGN(auto file, lake::kline_file(partition, rows, stored.asked));
  CHANDLER_TRY(staging_.add(std::move(file)));
  counts.staged = true;
  return counts;
}

}  // namespace chandler::batch
