// Well-formed Parquet files that are not what chandler writes: columns missing, renamed, of other types, with
// nulls; rows out of order; metadata of any content. Damaged bytes hardly get past the checksums of the pages
// and the seal of the footer; these files do.
#include <fuzzer/FuzzedDataProvider.h>

#include <deque>

#include "lake_reads.hpp"

using namespace chandler;

namespace {

constexpr std::size_t kMostRows = 8;

// Columns of which the values live here.
struct Values {
  std::deque<std::vector<std::int64_t>> whole;
  std::deque<std::vector<std::int32_t>> small;
  std::deque<std::vector<double>> real;
  std::deque<std::vector<std::uint8_t>> flags;
  std::deque<std::vector<candles::Source>> sources;
};

lake::Column column_of(FuzzedDataProvider& input, std::string_view name, lake::ColumnType type,
                       std::size_t rows, const lake::Partition& partition, Values& values) {
  lake::Column column{name, type, input.ConsumeBool(), {}};
  const std::int64_t begin =
      partition.table == lake::Table::prophet_input ? 0 : to_ms(partition.range().begin);
  switch (type) {
    case lake::ColumnType::timestamp:
      column.nullable = false;
      values.whole.emplace_back();
      for (std::size_t i = 0; i < rows; ++i) {
        const bool any = input.ConsumeIntegralInRange(0, 15) == 0;
        values.whole.back().push_back(any ? input.ConsumeIntegral<std::int64_t>()
                                          : begin + static_cast<std::int64_t>(i) * kMinuteMs);
      }
      column.values = std::span<const std::int64_t>(values.whole.back());
      break;
    case lake::ColumnType::int64:
      values.whole.emplace_back();
      for (std::size_t i = 0; i < rows; ++i)
        values.whole.back().push_back(input.ConsumeIntegral<std::int64_t>());
      column.values = std::span<const std::int64_t>(values.whole.back());
      break;
    case lake::ColumnType::date:
    case lake::ColumnType::int32:
      column.nullable = false;
      values.small.emplace_back();
      for (std::size_t i = 0; i < rows; ++i)
        values.small.back().push_back(input.ConsumeIntegral<std::int32_t>());
      column.values = std::span<const std::int32_t>(values.small.back());
      break;
    case lake::ColumnType::float64:
      values.real.emplace_back();
      for (std::size_t i = 0; i < rows; ++i)
        values.real.back().push_back(input.ConsumeFloatingPoint<double>());
      if (column.nullable && rows > 0 && input.ConsumeBool()) values.real.back()[0] = candles::kUnknown;
      column.values = std::span<const double>(values.real.back());
      break;
    case lake::ColumnType::boolean:
      column.nullable = false;
      values.flags.emplace_back();
      for (std::size_t i = 0; i < rows; ++i) values.flags.back().push_back(input.ConsumeBool() ? 1 : 0);
      column.values = std::span<const std::uint8_t>(values.flags.back());
      break;
    case lake::ColumnType::source:
      column.nullable = false;
      values.sources.emplace_back();
      for (std::size_t i = 0; i < rows; ++i)
        values.sources.back().push_back(static_cast<candles::Source>(input.ConsumeIntegralInRange(0, 3)));
      column.values = std::span<const candles::Source>(values.sources.back());
      break;
  }
  return column;
}

std::vector<lake::Column> expected_columns(lake::Table table) {
  static const candles::Klines no_klines;
  static const candles::DailyRows no_days;
  static const lake::ProphetRows no_rows;
  if (table == lake::Table::daily_filled) return lake::daily_columns(no_days);
  if (table == lake::Table::prophet_input) return lake::prophet_columns(no_rows);
  return lake::kline_columns(no_klines);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const lake::Partition partition = fuzz::partition_of(input.ConsumeIntegral<std::uint8_t>());
  lake::Metadata metadata = {{lake::kSchemaKey, std::string(lake::kSchemaVersion)},
                             {lake::kTableKey, std::string(name(partition.table))}};
  const char* const keys[] = {lake::kAskedKey,       lake::kLastSourceKey, lake::kInputsKey,
                              lake::kCarryOutKey,    lake::kFilledKey,     speed::kStreamsKey,
                              speed::kEventTimesKey, lake::kTableKey};
  const std::size_t entries = input.ConsumeIntegralInRange<std::size_t>(0, 4);
  for (std::size_t i = 0; i < entries; ++i)
    metadata[input.PickValueInArray(keys)] = input.ConsumeRandomLengthString(64);

  Values values;
  std::vector<lake::Column> columns;
  const std::size_t rows = input.ConsumeIntegralInRange<std::size_t>(0, kMostRows);
  for (const lake::Column& expected : expected_columns(partition.table)) {
    if (input.ConsumeIntegralInRange(0, 31) == 1) continue;
    lake::ColumnType type = expected.type;
    if (input.ConsumeIntegralInRange(0, 31) == 1)
      type = static_cast<lake::ColumnType>(input.ConsumeIntegralInRange(0, 6));
    columns.push_back(column_of(input, expected.name, type, rows, partition, values));
  }
  if (columns.empty()) return 0;
  auto bytes = lake::encode_table(columns, metadata);
  fuzz::require(bytes.has_value(), "any columns can be written");
  fuzz::read_partition(partition, *bytes);
  return 0;
}
