#include "web/overview.hpp"

#include <algorithm>
#include <cmath>

#include "base/parallel.hpp"
#include "lake/derived_file.hpp"
#include "serving/symbol_series.hpp"
#include "sim/decimal.hpp"

namespace chandler::web {
namespace {

// Days in a sparkline.
constexpr std::size_t kCloses = 60;
// The last 24 hours are read again when they have moved this far: a month of minutes is decoded for it.
constexpr Millis kDayRefresh = 5 * kMinute;
// While much is being read, what is there is shown this often.
constexpr std::size_t kPublishEvery = 16;

void read_closes(const lake::Storage& storage, const SymbolFiles& files, SymbolOverview& o) {
  for (auto it = files.daily.rbegin(); it != files.daily.rend() && o.closes.size() < kCloses; ++it) {
    const auto rows = lake::read_daily(storage, it->partition);
    if (!rows) continue;
    o.closes.insert(o.closes.begin(), rows->close.begin(), rows->close.end());
  }
  if (o.closes.size() > kCloses) {
    o.closes.erase(o.closes.begin(), o.closes.end() - static_cast<std::ptrdiff_t>(kCloses));
  }
}

// Rows in order of time, at least one; those that open before `begin` only give the previous close.
DaySummary summarise(const candles::Klines& rows, Timestamp begin, Timestamp end) {
  const std::size_t first = candles::lower_bound(rows, begin);
  DaySummary d{begin, end, rows.open[first], rows.high[first], rows.low[first], rows.close.back()};
  d.previous_close = first > 0 ? rows.close[first - 1] : d.open;
  d.last_quantity = rows.volume.back();
  for (std::size_t i = first; i < rows.size(); ++i) {
    d.high = std::max(d.high, rows.high[i]);
    d.low = std::min(d.low, rows.low[i]);
    d.volume += rows.volume[i];
    // Where the source does not tell, as good as it can be known.
    d.quote_volume +=
        std::isnan(rows.quote_volume[i]) ? rows.volume[i] * rows.close[i] : rows.quote_volume[i];
    if (rows.trades[i] != candles::kUnknownTrades) d.trades += rows.trades[i];
  }
  return d;
}

void count_places(const candles::Klines& rows, SymbolOverview& o) {
  o.price_places = 0;
  o.quantity_places = 0;
  for (const auto* column : {&rows.open, &rows.high, &rows.low, &rows.close}) {
    for (const double value : *column) o.price_places = std::max(o.price_places, sim::places_of(value));
  }
  for (const double value : rows.volume)
    o.quantity_places = std::max(o.quantity_places, sim::places_of(value));
}

Status read_prices(const serving::SymbolSeries& series, SymbolOverview& o) {
  const Timestamp end = series.extent().end;
  CHANDLER_ASSIGN(auto rows, series.minutes({end - kDay - kMinute, end}, serving::Detail::prices));
  Millis length = kMinute;
  if (rows.empty() || from_ms(rows.open_time.back()) < end - kDay) {
    CHANDLER_ASSIGN(auto days, series.days(day_of(end - 8 * kDay), day_of(end) + std::chrono::days{1},
                                           serving::Detail::prices));
    rows = std::move(days.rows);
    length = kDay;
  }
  if (rows.empty()) return {};
  o.last_price = rows.close.back();
  o.last_time = from_ms(rows.open_time.back()) + length;
  o.day = summarise(rows, *o.last_time - kDay, *o.last_time);
  count_places(rows, o);
  return {};
}

std::size_t speed_rows(const lake::Storage& storage, const SymbolFiles& files) {
  std::size_t rows = 0;
  for (const PartitionFile& file : files.speed) {
    if (const auto footer = lake::read_kline_footer(storage, file.partition)) rows += footer->rows;
  }
  return rows;
}

}  // namespace

OverviewKeeper::OverviewKeeper(std::shared_ptr<const lake::Storage> storage, LakeWatch& watch)
    : storage_(std::move(storage)), watch_(watch), pending_(watch.now()) {
  auto first = std::make_shared<Overview>();
  first->total = pending_->symbols.size();
  first->error = pending_->error;
  overview_ = std::move(first);
  watch_.on_change([this](const ListingPtr& listing) {
    {
      const std::lock_guard lock(mutex_);
      pending_ = listing;
    }
    changed_.notify_one();
  });
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

OverviewKeeper::~OverviewKeeper() = default;

std::shared_ptr<const Overview> OverviewKeeper::now() const {
  const std::lock_guard lock(mutex_);
  return overview_;
}

void OverviewKeeper::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    ListingPtr listing;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return pending_ != nullptr; })) return;
      listing = std::exchange(pending_, nullptr);
    }
    update(*listing, stop);
  }
}

void OverviewKeeper::update(const LakeListing& listing, const std::stop_token& stop) {
  std::vector<lake::SpeedSnapshot> streams;
  if (auto read = lake::read_snapshots(*storage_)) streams = std::move(*read);
  std::map<std::string, const lake::OpenCandle*> open;
  for (const lake::SpeedSnapshot& stream : streams) {
    for (const lake::OpenCandle& candle : stream.open) {
      auto& newest = open[candle.symbol];
      if (newest == nullptr || newest->event_time < candle.event_time) newest = &candle;
    }
  }
  std::erase_if(entries_, [&](const auto& e) { return listing.find(e.first) == nullptr; });
  for (std::size_t first = 0; first < listing.symbols.size() && !stop.stop_requested();
       first += kPublishEvery) {
    const std::size_t count = std::min(kPublishEvery, listing.symbols.size() - first);
    std::vector<std::optional<Entry>> fresh(count);
    (void)parallel_for(count, core_count(), [&](std::size_t i) -> Status {
      const SymbolFiles& files = listing.symbols[first + i];
      const auto it = entries_.find(files.symbol);
      const bool known = it != entries_.end();
      if (known && it->second.batch_generation == files.batch_generation &&
          it->second.speed_generation == files.speed_generation) {
        return {};
      }
      const auto candle = open.find(files.symbol);
      fresh[i] = read(files, known ? std::optional(it->second) : std::nullopt,
                      candle == open.end() ? nullptr : candle->second);
      return {};
    });
    bool any = false;
    for (std::size_t i = 0; i < count; ++i) {
      if (!fresh[i]) continue;
      entries_[listing.symbols[first + i].symbol] = std::move(*fresh[i]);
      any = true;
    }
    if (any) publish(listing, streams);
  }
  publish(listing, std::move(streams));
}

OverviewKeeper::Entry OverviewKeeper::read(const SymbolFiles& files, const std::optional<Entry>& before,
                                           const lake::OpenCandle* open) const {
  Entry entry;
  entry.batch_generation = files.batch_generation;
  entry.speed_generation = files.speed_generation;
  const bool same_batch = before && before->batch_generation == files.batch_generation;
  auto overview = std::make_shared<SymbolOverview>();
  SymbolOverview& o = *overview;
  const auto note = [&o](const Error& error) {
    if (!o.error) o.error = error;
  };
  if (same_batch) {
    o = *before->overview;
    entry.day_read_at = before->day_read_at;
  } else {
    o.symbol = files.symbol;
    if (auto status = batch::read_status(*storage_, {files.symbol})) {
      o.status = std::move(status->front());
    } else if (status.error().code != ErrorCode::not_found) {
      note(status.error());
    }
    o.status.symbol = files.symbol;
    read_closes(*storage_, files, o);
  }
  o.bytes = files.bytes();
  o.status.speed_minutes = speed_rows(*storage_, files);
  o.live_at = open != nullptr ? std::optional(open->event_time) : std::nullopt;
  const bool moved_little =
      entry.day_read_at && open != nullptr && open->event_time - *entry.day_read_at < kDayRefresh;
  if (!same_batch || !moved_little) {
    auto series = serving::SymbolSeries::open(*storage_, files.symbol);
    if (!series) {
      if (series.error().code != ErrorCode::not_found) note(series.error());
    } else if (const auto read = read_prices(*series, o); !read) {
      note(read.error());
    }
    entry.day_read_at = o.last_time;
  }
  if (open != nullptr && (!o.last_time || from_ms(open->kline.open_time) + kMinute >= *o.last_time)) {
    o.last_price = open->kline.close;
    o.last_time = open->event_time;
    if (o.day) {
      o.day->high = std::max(o.day->high, open->kline.high);
      o.day->low = std::min(o.day->low, open->kline.low);
      o.day->close = open->kline.close;
    }
  }
  entry.overview = std::move(overview);
  return entry;
}

void OverviewKeeper::publish(const LakeListing& listing, std::vector<lake::SpeedSnapshot> streams) {
  auto next = std::make_shared<Overview>();
  next->total = listing.symbols.size();
  next->error = listing.error;
  next->streams = std::move(streams);
  for (const auto& [symbol, entry] : entries_) {
    next->newest = std::max(next->newest, entry.overview->last_time);
  }
  for (const auto& [symbol, entry] : entries_) {
    auto overview = std::make_shared<SymbolOverview>(*entry.overview);
    if (overview->last_time) overview->status.lag = *next->newest - *overview->last_time;
    next->symbols.push_back(std::move(overview));
  }
  next->problems = find_problems(*next);
  const std::lock_guard lock(mutex_);
  overview_ = std::move(next);
}

}  // namespace chandler::web
