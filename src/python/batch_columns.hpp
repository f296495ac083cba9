// Columns of a foreign batch as the vectors that the kernels take: as they lie in memory where type and nulls
// allow it, converted where not. Every error names the column and what it should be.
#pragma once

#include <arrow/record_batch.h>

#include <string_view>
#include <vector>

#include "candles/klines.hpp"
#include "candles/roll_up.hpp"

namespace chandler::python {

// Values in the batch's memory, or in `converted`.
template <class T>
struct ColumnView {
  std::span<const T> values;
  std::vector<T> converted;

  ColumnView() = default;
  explicit ColumnView(std::span<const T> in_batch) : values(in_batch) {}
  explicit ColumnView(std::vector<T> owned) : values(owned), converted(std::move(owned)) {
    values = converted;
  }
  ColumnView(ColumnView&&) noexcept = default;  // a moved vector keeps its memory
  ColumnView& operator=(ColumnView&&) noexcept = default;
};

// nullptr if there is none.
std::shared_ptr<arrow::Array> find_column(const arrow::RecordBatch& batch, std::string_view name);

// ms since the epoch, UTC. Takes timestamps of any unit (without a time zone: UTC), dates, and integers that
// are ms already. invalid_data: another type, a null, a fraction of a millisecond.
Result<ColumnView<std::int64_t>> instants(const arrow::Array& array, std::string_view name);
// Days since the epoch: dates, or instants at 00:00.
Result<ColumnView<std::int32_t>> days(const arrow::Array& array, std::string_view name);
// Floating point, integers and decimals; null becomes NaN.
Result<ColumnView<double>> numbers(const arrow::Array& array, std::string_view name);
// Whole numbers (also as floating point, as pandas has them where there are nulls); null becomes
// kUnknownTrades.
Result<ColumnView<std::int64_t>> counts(const arrow::Array& array, std::string_view name);
Result<std::vector<std::uint8_t>> flags(const arrow::Array& array, std::string_view name);
Result<std::vector<candles::Source>> sources(const arrow::Array& array, std::string_view name);

// Candles of one batch. open_time, open, high, low, close and volume must be there.
struct KlineView {
  ColumnView<std::int64_t> open_time;
  ColumnView<double> open, high, low, close, volume, quote_volume, taker_buy_volume, taker_buy_quote_volume;
  ColumnView<std::int64_t> trades;
  ColumnView<std::int64_t> minutes;     // present in each; empty where there is no such column
  std::vector<candles::Source> source;  // empty where there is no such column

  std::size_t size() const { return open_time.values.size(); }
  candles::KlineSpans spans() const;  // valid as long as the view and its batch
};
Result<KlineView> klines_in(const arrow::RecordBatch& batch);

// Copies; columns that the view lacks become unknown, the source `import`.
void append(candles::Klines& rows, const KlineView& view);

// Open times strictly ascend and lie between 2009 and 2100, prices and volume are numbers, continuing after
// `last` (of the batch before). `row` is the number of the first row, for the error.
Status check_in_order(const KlineView& view, std::int64_t last, std::size_t row);

}  // namespace chandler::python
