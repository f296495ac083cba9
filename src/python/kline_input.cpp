#include "python/kline_input.hpp"

#include <arrow/status.h>

#include <algorithm>

#include "python/errors.hpp"

namespace chandler::python {
namespace {

template <class T>
ColumnView<T> part(const ColumnView<T>& column, std::size_t first, std::size_t last) {
  return ColumnView<T>(column.values.empty() ? column.values : column.values.subspan(first, last - first));
}

std::size_t first_at_or_after(std::span<const std::int64_t> times, Timestamp t) {
  return static_cast<std::size_t>(std::ranges::lower_bound(times, to_ms(t)) - times.begin());
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatch>> next_batch(arrow::RecordBatchReader& reader) {
  std::shared_ptr<arrow::RecordBatch> batch;
  if (const auto status = reader.ReadNext(&batch); !status.ok())
    return std::unexpected(from_arrow(status, "cannot read the Arrow stream"));
  return batch;
}

KlineView part_of(const KlineView& view, std::size_t first, std::size_t last) {
  KlineView piece;
  piece.open_time = part(view.open_time, first, last);
  for (auto column :
       {&KlineView::open, &KlineView::high, &KlineView::low, &KlineView::close, &KlineView::volume,
        &KlineView::quote_volume, &KlineView::taker_buy_volume, &KlineView::taker_buy_quote_volume}) {
    piece.*column = part(view.*column, first, last);
  }
  piece.trades = part(view.trades, first, last);
  piece.minutes = part(view.minutes, first, last);
  if (!view.source.empty()) {
    piece.source.assign(view.source.begin() + static_cast<std::ptrdiff_t>(first),
                        view.source.begin() + static_cast<std::ptrdiff_t>(last));
  }
  return piece;
}

void RollUp::keep(const KlineView& view, std::size_t first, std::size_t last) {
  if (first == last) return;
  append(pending_, part_of(view, first, last));
  const auto minutes = view.minutes.values;
  if (minutes.empty()) {
    pending_minutes_.resize(pending_.size(), 1);
  } else {
    pending_minutes_.insert(pending_minutes_.end(), minutes.begin() + static_cast<std::ptrdiff_t>(first),
                            minutes.begin() + static_cast<std::ptrdiff_t>(last));
  }
}

void RollUp::roll_up(const candles::KlineSpans& rows, std::span<const std::int64_t> minutes) {
  candles::Bars bars = candles::roll_up(rows, interval_);
  std::size_t row = 0;
  for (std::int32_t& count : bars.count) {
    const std::size_t end = row + static_cast<std::size_t>(count);
    if (!minutes.empty()) {
      std::int64_t total = 0;
      for (std::size_t i = row; i < end; ++i) total += std::max<std::int64_t>(minutes[i], 0);
      count =
          static_cast<std::int32_t>(std::min<std::int64_t>(total, std::numeric_limits<std::int32_t>::max()));
    }
    row = end;
  }
  out_.rows.append(bars.rows);
  out_.minutes.insert(out_.minutes.end(), bars.count.begin(), bars.count.end());
}

void RollUp::flush() {
  if (pending_.empty()) return;
  roll_up(candles::spans_of(pending_), pending_minutes_);
  pending_.clear();
  pending_minutes_.clear();
}

void RollUp::add(const KlineView& view) {
  const auto times = view.open_time.values;
  std::size_t first = 0;
  if (!pending_.empty()) {
    first = first_at_or_after(times, candles::end_of(interval_, from_ms(pending_.open_time.front())));
    keep(view, 0, first);
    if (first == times.size()) return;
    flush();
  }
  const std::size_t last = first_at_or_after(times, candles::begin_of(interval_, from_ms(times.back())));
  if (first < last) {
    const auto minutes = view.minutes.values;
    roll_up(view.spans().subspan(first, last - first),
            minutes.empty() ? minutes : minutes.subspan(first, last - first));
  }
  keep(view, last, times.size());
}

serving::Candles RollUp::finish() {
  flush();
  return std::move(out_);
}

}  // namespace chandler::python
