// Every way in which the lake's readers look at one partition, with what must hold whatever they are given.
#pragma once

#include <arrow/buffer.h>

#include "fuzz_target.hpp"
#include "lake/derived_file.hpp"
#include "memory_storage.hpp"
#include "speed/commit.hpp"

namespace chandler::fuzz {

inline lake::Partition partition_of(std::uint8_t choice) {
  const auto may = std::chrono::year{2024} / std::chrono::May;
  switch (choice % 5) {
    case 0:
      return lake::minutes_partition("BTCUSDT", may);
    case 1:
      return lake::days_partition("BTCUSDT", 2024);
    case 2:
      return lake::speed_partition("BTCUSDT", Day{may / 1});
    case 3:
      return lake::daily_partition("BTCUSDT", may);
    default:
      return lake::prophet_partition("BTCUSDT");
  }
}

// A refusal is our own error, not one that came out of a library.
template <class T>
bool good(const Result<T>& result) {
  if (result) return true;
  require(result.error().code == ErrorCode::damaged || result.error().code == ErrorCode::unreachable,
          "a partition that is refused is damaged");
  require(!result.error().what.empty() && !result.error().where.empty(), "an error says what and where");
  return false;
}

inline void check_rows(const candles::Klines& rows, const lake::Partition& partition) {
  require(columns_are_of_one_length(rows), "columns are of one length");
  require(candles::is_sorted_unique(rows.open_time), "rows are in order");
  for (const std::int64_t t : rows.open_time)
    require(partition.range().contains(from_ms(t)), "rows lie in the partition");
}

inline void read_minutes(const MemoryStorage& storage, const lake::Partition& partition) {
  if (const auto footer = lake::read_kline_footer(storage, partition); good(footer)) footer->without_holes();
  if (const auto rows = lake::read_klines(storage, partition); good(rows)) check_rows(*rows, partition);
  if (const auto file = lake::read_kline_file(storage, partition); good(file)) {
    check_rows(file->rows, partition);
    const auto written = lake::kline_file(partition, file->rows, file->asked);
    require(written.has_value(), "what was read can be written");
  }
  if (partition.table != lake::Table::speed_1m) return;
  const auto day = speed::read_day(storage, partition.symbol, day_of(partition.range().begin));
  if (good(day)) require(day->event_times.size() == day->rows.size(), "each minute has its event's time");
  good(speed::resume(storage, "klines/0"));
}

inline void read_days(const MemoryStorage& storage, const lake::Partition& partition) {
  good(lake::read_daily_footer(storage, partition));
  const auto rows = lake::read_daily(storage, partition);
  if (!good(rows)) return;
  const std::size_t sizes[] = {rows->open.size(), rows->count.size(),  rows->filled.size(),
                               rows->ma30.size(), rows->trades.size(), rows->vwap.size()};
  for (const std::size_t size : sizes) require(size == rows->size(), "columns are of one length");
}

inline void read_partition(const lake::Partition& partition, std::shared_ptr<arrow::Buffer> bytes) {
  MemoryStorage storage;
  storage.files[lake::path_of(partition)] = std::move(bytes);
  if (partition.table == lake::Table::daily_filled) return read_days(storage, partition);
  if (partition.table != lake::Table::prophet_input) return read_minutes(storage, partition);
  lake::read_prophet_inputs(storage, partition.symbol);
  if (const auto rows = lake::read_prophet(storage, partition.symbol); good(rows))
    require(rows->ds.size() == rows->y.size(), "columns are of one length");
}

}  // namespace chandler::fuzz
