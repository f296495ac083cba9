#include "batch/import_blocks.hpp"

#include <numeric>

namespace chandler::batch {

Result<std::string> LineBlocks::next() {
  while (true) {
    std::string block = std::move(carry_);
    carry_.clear();
    const std::size_t kept = block.size();
    std::size_t size = kept;
    std::optional<Error> error;
    // The standard library of GCC 12 hands over the capacity, which may be more than what was asked for.
    block.resize_and_overwrite(block_bytes_, [&](char* data, std::size_t) {
      while (size < block_bytes_ && !ended_) {
        auto count = input_.read({data + size, block_bytes_ - size});
        if (!count) {
          error = std::move(count).error();
          break;
        }
        ended_ = *count == 0;
        size += *count;
      }
      return size;
    });
    if (error) return std::unexpected(std::move(*error));

    if (inside_long_line_) {
      const std::size_t end = block.find('\n');
      inside_long_line_ = end == std::string::npos && !ended_;
      if (end == std::string::npos)
        block.clear();
      else
        block.erase(0, end + 1);
      if (block.empty()) {
        if (ended_) return block;
        continue;
      }
    }
    if (ended_) return block;
    const std::size_t newline = block.rfind('\n');
    if (newline == std::string::npos) {
      inside_long_line_ = block.size() == block_bytes_;
      if (inside_long_line_) return block;
      carry_ = std::move(block);
      continue;
    }
    carry_.assign(block, newline + 1);
    block.resize(newline + 1);
    return block;
  }
}

TimeRange partition_range(lake::Table table, Timestamp t) {
  const year_month month = month_of(t);
  if (table == lake::Table::klines_1m) return {begin_of(month), end_of(month)};
  const auto january = month.year() / std::chrono::January;
  return {begin_of(january), begin_of(january + std::chrono::years{1})};
}

lake::Partition partition_at(lake::Table table, const std::string& symbol, Timestamp begin) {
  const year_month month = month_of(begin);
  return table == lake::Table::klines_1m ? lake::minutes_partition(symbol, month)
                                         : lake::days_partition(symbol, year_number(month));
}

ParsedBlock parse_block(const exchange::KlineCsvRows& rows, std::string_view lines, lake::Table table) {
  ParsedBlock block;
  auto batch = std::make_shared<exchange::KlineCsvBatch>();
  block.lines = rows.parse(lines, 1, *batch);
  const auto& times = batch->rows.open_time;
  const std::int64_t grid = table == lake::Table::klines_1d ? kDayMs : kMinuteMs;
  TimeRange range{Timestamp::max(), Timestamp::min()};
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (!range.contains(from_ms(times[i]))) {
      range = partition_range(table, from_ms(times[i]));
      block.runs.push_back({range.begin, i, i});
    }
    block.runs.back().last = i + 1;
    if (i > 0 && block.step_ms != grid) block.step_ms = std::gcd(block.step_ms, times[i] - times[i - 1]);
  }
  block.batch = std::move(batch);
  return block;
}

}  // namespace chandler::batch
