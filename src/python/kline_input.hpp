// Foreign candles batch by batch, so that a history of any length passes in bounded memory.
#pragma once

#include "python/batch_columns.hpp"
#include "serving/candle_query.hpp"

namespace chandler::python {

// Next batch of a foreign stream, nullptr at the end; its failures as errors.
Result<std::shared_ptr<arrow::RecordBatch>> next_batch(arrow::RecordBatchReader& reader);

// Calls use(const KlineView&) -> Status for each batch that has rows, after a check that they are in order.
template <class Use>
Status for_each_klines(arrow::RecordBatchReader& reader, Use use) {
  std::int64_t last = std::numeric_limits<std::int64_t>::min();
  for (std::size_t row = 0;;) {
    CHANDLER_ASSIGN(const auto batch, next_batch(reader));
    if (batch == nullptr) return {};
    CHANDLER_ASSIGN(const KlineView view, klines_in(*batch));
    CHANDLER_TRY(check_in_order(view, last, row));
    if (view.size() == 0) continue;
    CHANDLER_TRY(use(view));
    last = view.open_time.values.back();
    row += view.size();
  }
}

// Rolls up candles that arrive in pieces: the rows of the candle that a piece ends in wait for the next one,
// all others are read where they lie.
class RollUp {
 public:
  explicit RollUp(candles::Interval interval) : interval_(interval) {}
  void add(const KlineView& view);
  // Rows and minutes; the flags stay empty. A row counts as one minute where the input has no such column.
  serving::Candles finish();

 private:
  void keep(const KlineView& view, std::size_t first, std::size_t last);
  void roll_up(const candles::KlineSpans& rows, std::span<const std::int64_t> minutes);
  void flush();

  candles::Interval interval_;
  candles::Klines pending_;
  std::vector<std::int64_t> pending_minutes_;
  serving::Candles out_;
};

// Rows [first, last) of a view.
KlineView part_of(const KlineView& view, std::size_t first, std::size_t last);

}  // namespace chandler::python
