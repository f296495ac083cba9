// The first half of an import: from bytes to klines that know their partition, block by block.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "batch/csv_input.hpp"
#include "exchange/kline_csv.hpp"
#include "lake/layout.hpp"

namespace chandler::batch {

// Cuts a stream into blocks of whole lines.
class LineBlocks {
 public:
  explicit LineBlocks(CsvInput& input, std::size_t block_bytes = 1 << 20)
      : input_(input), block_bytes_(block_bytes) {}

  // Empty at the end. The last line of the last block may lack its end. A line that fills a whole block comes
  // as a block of its own, cut off there.
  Result<std::string> next();

 private:
  CsvInput& input_;
  std::size_t block_bytes_;
  std::string carry_;
  bool inside_long_line_ = false;
  bool ended_ = false;
};

// Rows [first, last) of a batch that follow each other and belong into one partition.
struct PartitionRun {
  Timestamp partition_begin;
  std::size_t first = 0, last = 0;
};

struct ParsedBlock {
  std::shared_ptr<const exchange::KlineCsvBatch> batch;  // lines counted from the block's first, which is 1
  std::vector<PartitionRun> runs;
  std::uint64_t lines = 0;
  std::int64_t step_ms =
      0;  // greatest common divisor of all differences of neighbouring open times; 0 for one row
};

// Pure: for any thread. The table decides where partitions begin: klines_1m or klines_1d.
ParsedBlock parse_block(const exchange::KlineCsvRows& rows, std::string_view lines, lake::Table table);

// klines_1m: the month's first instant; klines_1d: the year's.
TimeRange partition_range(lake::Table table, Timestamp t);
lake::Partition partition_at(lake::Table table, const std::string& symbol, Timestamp begin);

}  // namespace chandler::batch
