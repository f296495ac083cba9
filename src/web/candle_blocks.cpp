#include "web/candle_blocks.hpp"

#include <algorithm>

namespace chandler::web {
namespace {

using candles::Bars;
using candles::Interval;
using candles::Klines;
using serving::Detail;

constexpr std::size_t kBytesPerRow = 10 * 8 + 1 + 4;
// Series hold no minutes, but one of a daily history has its days.
constexpr std::size_t kMostOpenSeries = 1024;

Bars as_bars(Klines minutes) {
  Bars bars;
  bars.count.assign(minutes.size(), 1);
  bars.rows = std::move(minutes);
  return bars;
}

int month_index(year_month month) {
  return year_number(month) * 12 + static_cast<int>(month_number(month));
}

}  // namespace

std::uint64_t OpenSeries::version_of(year_month month) const {
  std::uint64_t version = 1;
  for (const auto* list : {&files->minutes, &files->speed, &files->days, &files->daily}) {
    for (const PartitionFile& file : *list) {
      const bool same_month = file.partition.month == 0 || file.partition.month == month_number(month);
      if (file.partition.year != year_number(month) || !same_month) continue;
      version = version * 0x9e3779b97f4a7c15ULL + file.version + 1;
    }
  }
  const auto open_minute = series->open_minute();
  if (open_minute && month_of(*open_minute) == month) version ^= files->speed_generation;
  return version;
}

Result<OpenSeries> CandleBlocks::open(const SymbolFiles& files) {
  {
    const std::lock_guard lock(mutex_);
    const auto it = series_.find(files.symbol);
    if (it != series_.end() && it->second.files->generation() == files.generation()) return it->second;
  }
  CHANDLER_ASSIGN(auto series, serving::SymbolSeries::open(*storage_, files.symbol));
  OpenSeries open{std::make_shared<const serving::SymbolSeries>(std::move(series)),
                  std::make_shared<const SymbolFiles>(files)};
  const std::lock_guard lock(mutex_);
  if (series_.size() >= kMostOpenSeries) series_.clear();
  series_[files.symbol] = open;
  return open;
}

Result<BlockPtr> CandleBlocks::read(const OpenSeries& open, year_month month, Interval interval,
                                    Detail detail) {
  if (interval < Interval::h1) detail = Detail::all;  // one block serves both
  const Key key{open.series->symbol(), month_index(month), interval, detail};
  const std::uint64_t version = open.version_of(month);
  if (BlockPtr block = find(key, version)) return block;
  CHANDLER_ASSIGN(Bars made, make(open, month, interval, detail));
  auto block = std::make_shared<const Bars>(std::move(made));
  store({key, version, block, block->size() * kBytesPerRow + 512});
  return block;
}

Result<Bars> CandleBlocks::make(const OpenSeries& open, year_month month, Interval interval, Detail detail) {
  const serving::SymbolSeries& series = *open.series;
  if (interval == Interval::d1) {
    return series.days(first_day(month), first_day(month + std::chrono::months{1}), detail);
  }
  const TimeRange range{begin_of(month), end_of(month)};
  if (interval == Interval::m1) {
    CHANDLER_ASSIGN(Klines minutes, series.minutes(range, detail));
    return as_bars(std::move(minutes));
  }
  // Minutes that are kept anyway are not read again; else they are not kept: a month of them is large.
  if (const BlockPtr minutes =
          find({series.symbol(), month_index(month), Interval::m1, Detail::all}, open.version_of(month))) {
    return candles::roll_up(candles::spans_of(minutes->rows), interval);
  }
  CHANDLER_ASSIGN(const Klines minutes, series.minutes(range, detail));
  return candles::roll_up(candles::spans_of(minutes), interval);
}

BlockPtr CandleBlocks::find(const Key& key, std::uint64_t version) {
  const std::lock_guard lock(mutex_);
  const auto it = by_key_.find(key);
  if (it == by_key_.end() || it->second->version != version) return nullptr;
  entries_.splice(entries_.begin(), entries_, it->second);
  return it->second->block;
}

void CandleBlocks::store(Entry entry) {
  const std::lock_guard lock(mutex_);
  const auto drop = [this](std::list<Entry>::iterator it) {
    bytes_ -= it->bytes;
    by_key_.erase(it->key);
    entries_.erase(it);
  };
  if (const auto it = by_key_.find(entry.key); it != by_key_.end()) drop(it->second);
  bytes_ += entry.bytes;
  entries_.push_front(std::move(entry));
  by_key_[entries_.front().key] = entries_.begin();
  while (bytes_ > max_bytes_ && entries_.size() > 1) drop(std::prev(entries_.end()));
}

std::size_t CandleBlocks::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace chandler::web
