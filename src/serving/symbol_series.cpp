#include "serving/symbol_series.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/parallel.hpp"
#include "candles/daily.hpp"
#include "lake/derived_file.hpp"

namespace chandler::serving {
namespace {

using candles::Bars;
using candles::Interval;
using candles::Klines;
using lake::KlineFields;
using lake::Partition;
using lake::Table;

// A chart reads fewer columns; the ones left out become unknown, so that all columns are of one length.
void complete_columns(Klines& rows) {
  const std::size_t n = rows.size();
  rows.taker_buy_volume.resize(n, candles::kUnknown);
  rows.taker_buy_quote_volume.resize(n, candles::kUnknown);
  rows.source.resize(n, candles::Source::rest);
}

// A row of daily_filled as the daily bar that it was made of.
void append_day(Bars& bars, const candles::DailyRows& days, std::size_t i) {
  candles::Kline k;
  k.open_time = to_ms(begin_of(from_day_number(days.date[i])));
  k.open = days.open[i];
  k.high = days.high[i];
  k.low = days.low[i];
  k.close = days.close[i];
  k.volume = days.volume[i];
  k.quote_volume = days.quote_volume[i];
  k.trades = days.trades[i];
  bars.rows.push_back(k);
  bars.count.push_back(days.count[i]);
}

void append(Bars& bars, const Bars& other) {
  bars.rows.append(other.rows);
  bars.count.insert(bars.count.end(), other.count.begin(), other.count.end());
}

Bars days_between(const Bars& days, Day from, Day until) {
  const std::size_t first = candles::lower_bound(days.rows, begin_of(from));
  const std::size_t last = std::max(first, candles::lower_bound(days.rows, begin_of(until)));
  Bars part;
  part.rows.append(days.rows, first, last);
  part.count.assign(days.count.begin() + static_cast<std::ptrdiff_t>(first),
                    days.count.begin() + static_cast<std::ptrdiff_t>(last));
  return part;
}

Timestamp later(Timestamp a, std::optional<Timestamp> b) {
  return b ? std::max(a, *b) : a;
}

// Partitions in order of time that overlap the range: [first, last).
std::span<const Partition> overlapping(const std::vector<Partition>& partitions, TimeRange range) {
  const auto first = std::ranges::lower_bound(partitions, range.begin, std::ranges::less_equal{},
                                              [](const Partition& p) { return p.range().end; });
  auto last = first;
  while (last != partitions.end() && last->range().begin < range.end) ++last;
  return {first, last};
}

}  // namespace

Klines first_wins(const Klines& first, const Klines& second) {
  Klines both;
  both.reserve(first.size() + second.size());
  std::size_t a = 0, b = 0;
  while (a < first.size() || b < second.size()) {
    if (b == second.size() || (a < first.size() && first.open_time[a] <= second.open_time[b])) {
      if (b < second.size() && first.open_time[a] == second.open_time[b]) ++b;
      const std::size_t start = a++;
      while (a < first.size() && (b == second.size() || first.open_time[a] < second.open_time[b])) ++a;
      both.append(first, start, a);
    } else {
      const std::size_t start = b++;
      while (b < second.size() && (a == first.size() || second.open_time[b] < first.open_time[a])) ++b;
      both.append(second, start, b);
    }
  }
  return both;
}

Result<SymbolSeries> SymbolSeries::open(const lake::Storage& storage, std::string symbol) {
  SymbolSeries series(storage, std::move(symbol));
  CHANDLER_ASSIGN(series.minutes_, lake::partitions_of(storage, Table::klines_1m, series.symbol_));
  CHANDLER_ASSIGN(series.speed_, lake::partitions_of(storage, Table::speed_1m, series.symbol_));
  CHANDLER_ASSIGN(series.daily_, lake::partitions_of(storage, Table::daily_filled, series.symbol_));
  CHANDLER_ASSIGN(const auto years, lake::partitions_of(storage, Table::klines_1d, series.symbol_));
  for (const Partition& year : years) {
    CHANDLER_ASSIGN(const auto rows, lake::read_klines(storage, year));
    series.known_days_.rows.append(rows);
  }
  series.known_days_.count.assign(series.known_days_.rows.size(), 0);
  CHANDLER_TRY(series.read_horizons());
  CHANDLER_TRY(series.read_extent());
  if (series.extent_.empty()) {
    return fail(ErrorCode::not_found, fmt::format("the lake has no candles of {}", series.symbol_),
                storage.uri(),
                fmt::format("run `chandler backfill {}`, or see `chandler status` for what is there",
                            series.symbol_));
  }
  return series;
}

Status SymbolSeries::read_horizons() {
  std::optional<Timestamp> horizon;
  for (auto it = minutes_.rbegin(); it != minutes_.rend(); ++it) {
    lake::SymbolCatalog month;
    CHANDLER_ASSIGN(auto footer, lake::read_kline_footer(*storage_, *it));
    const bool has_rows = footer.rows > 0;
    minutes_closed_ = later(minutes_closed_, lake::known_until(footer));
    month.minutes.push_back(std::move(footer));
    if (const auto end = month.minutes_horizon()) horizon = later(*end, horizon);
    if (has_rows) break;  // what was asked in earlier months ends before
  }
  if (known_days_.size() > 0) known_closed_ = from_ms(known_days_.rows.open_time.back()) + kDay;

  CHANDLER_ASSIGN(const auto snapshots, lake::read_snapshots(*storage_, symbol_));
  for (const auto& snapshot : snapshots) {
    for (const auto& candle : snapshot.open) {
      const bool newer = !open_ || std::pair(candle.kline.open_time, candle.event_time) >
                                       std::pair(open_->kline.open_time, open_->event_time);
      if (newer) open_ = candle;
    }
  }
  // The last day of an imported history counts as whole, unless the speed layer goes on with it.
  days_closed_ = minutes_closed_;
  if (horizon && *horizon > minutes_closed_ && !has_speed(day_of(minutes_closed_ - kMinute)))
    days_closed_ = *horizon;
  if (speed_.empty()) return {};
  for (const auto& snapshot : snapshots) days_closed_ = later(days_closed_, snapshot.watermark);
  return {};
}

Status SymbolSeries::read_extent() {
  std::optional<Timestamp> first, end;
  const auto include = [&](std::optional<Timestamp> a, std::optional<Timestamp> b) {
    if (a) first = std::min(first.value_or(*a), *a);
    if (b) end = later(*b, end);
  };
  const auto first_of = [&](const std::vector<Partition>& partitions) -> Status {
    for (const Partition& p : partitions) {
      CHANDLER_ASSIGN(const auto footer, lake::read_kline_footer(*storage_, p));
      if (footer.first) {
        include(footer.first, std::nullopt);
        break;
      }
    }
    return {};
  };
  const auto end_of_last = [&](const std::vector<Partition>& partitions) -> Status {
    for (auto it = partitions.rbegin(); it != partitions.rend(); ++it) {
      CHANDLER_ASSIGN(const auto footer, lake::read_kline_footer(*storage_, *it));
      if (footer.last) {
        include(std::nullopt, *footer.last + kMinute);
        break;
      }
    }
    return {};
  };
  CHANDLER_TRY(first_of(minutes_));
  CHANDLER_TRY(end_of_last(minutes_));
  CHANDLER_TRY(first_of(speed_));
  const auto before_speed = end;
  end.reset();
  CHANDLER_TRY(end_of_last(speed_));
  minutes_closed_ = later(minutes_closed_, end);
  include(std::nullopt, before_speed);
  if (known_days_.size() > 0) {
    include(from_ms(known_days_.rows.open_time.front()), from_ms(known_days_.rows.open_time.back()) + kDay);
  }
  if (open_) {
    const Timestamp t = from_ms(open_->kline.open_time);
    bool vanished = false;
    Klines closed, closed_live;
    if (end && t < *end) {  // not the newest of all: it may be known to be closed
      CHANDLER_ASSIGN(closed, read(minutes_, {t, t + kMinute}, Detail::prices, vanished));
      CHANDLER_ASSIGN(closed_live, read(speed_, {t, t + kMinute}, Detail::prices, vanished));
    }
    if (closed.empty() && closed_live.empty()) {
      include(t, t + kMinute);
    } else {
      open_.reset();
    }
  }
  if (first && end) extent_ = {*first, *end};
  return {};
}

Timestamp SymbolSeries::closed_until(Interval interval) const {
  return interval < Interval::d1 ? minutes_closed_ : std::max(days_closed_, known_closed_);
}

std::optional<Timestamp> SymbolSeries::open_minute() const {
  if (!open_) return std::nullopt;
  return from_ms(open_->kline.open_time);
}

bool SymbolSeries::has_speed(Day day) const {
  if (open_ && day_of(from_ms(open_->kline.open_time)) == day) return true;
  return !overlapping(speed_, {begin_of(day), end_of(day)}).empty();
}

Result<Klines> SymbolSeries::read(const std::vector<Partition>& partitions, TimeRange range, Detail detail,
                                  bool& vanished) const {
  Klines all;
  for (const Partition& partition : overlapping(partitions, range)) {
    auto rows = lake::read_klines(*storage_, partition,
                                  detail == Detail::all ? KlineFields::all : KlineFields::daily);
    if (!rows && rows.error().code == ErrorCode::not_found) {  // merged into batch meanwhile
      vanished = true;
      continue;
    }
    if (!rows) return std::unexpected(rows.error());
    complete_columns(*rows);
    const std::size_t first = candles::lower_bound(*rows, range.begin);
    const std::size_t last = std::max(first, candles::lower_bound(*rows, range.end));
    if (all.empty() && first == 0 && last == rows->size()) {
      all = std::move(*rows);
    } else {
      all.append(*rows, first, last);
    }
  }
  return all;
}

Result<Klines> SymbolSeries::minutes(TimeRange range, Detail detail) const {
  // Speed first: a merge that happens in between moves minutes from there to batch, never back.
  bool vanished = false;
  CHANDLER_ASSIGN(Klines speed, read(speed_, range, detail, vanished));
  std::vector<Partition> fresh;
  if (vanished) {
    CHANDLER_ASSIGN(fresh, lake::partitions_of(*storage_, Table::klines_1m, symbol_));
  }
  CHANDLER_ASSIGN(Klines batch, read(vanished ? fresh : minutes_, range, detail, vanished));
  Klines rows = speed.empty() ? std::move(batch) : first_wins(batch, speed);
  if (open_ && range.contains(from_ms(open_->kline.open_time))) {
    Klines open;
    open.push_back(open_->kline);
    rows = first_wins(rows, open);
  }
  return rows;
}

Result<Bars> SymbolSeries::days_from_minutes(Day from, Day until, Detail detail) const {
  CHANDLER_ASSIGN(const Klines rows, minutes({begin_of(from), begin_of(until)}, detail));
  Bars bars = candles::roll_up(candles::spans_of(rows), Interval::d1);
  const Bars known = days_between(known_days_, from, until);
  if (known.size() == 0) return bars;
  // A whole day that the exchange has told is better than minutes that do not reach its end yet.
  const Day open_from = day_of(days_closed_);
  const Bars closed = candles::minutes_before_days(days_between(bars, from, open_from), known);
  return candles::minutes_before_days(closed, days_between(bars, std::max(open_from, from), until));
}

Result<Bars> SymbolSeries::month_days(Day from, Day until, Detail detail) const {
  const auto stored = overlapping(daily_, {begin_of(from), begin_of(until)});
  if (detail == Detail::all || stored.empty()) return days_from_minutes(from, until, detail);
  CHANDLER_ASSIGN(const auto rows, lake::read_daily(*storage_, stored.front()));
  Bars bars;
  Day next = from;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Day day = from_day_number(rows.date[i]);
    if (day < from || day >= until || has_speed(day)) continue;
    if (next < day) {
      CHANDLER_ASSIGN(const Bars before, days_from_minutes(next, day, detail));
      append(bars, before);
    }
    if (rows.filled[i] == 0) append_day(bars, rows, i);
    next = day + std::chrono::days{1};
  }
  if (next < until) {
    CHANDLER_ASSIGN(const Bars rest, days_from_minutes(next, until, detail));
    append(bars, rest);
  }
  return bars;
}

Result<Bars> SymbolSeries::days(Day from, Day until, Detail detail) const {
  from = std::max(from, day_of(extent_.begin));
  until = std::min(until, day_of(extent_.end - Millis{1}) + std::chrono::days{1});
  std::vector<std::pair<Day, Day>> months;
  for (Day day = from; day < until;) {
    const Day next = std::min(until, first_day(month_of(day) + std::chrono::months{1}));
    months.emplace_back(day, next);
    day = next;
  }
  std::vector<Bars> parts(months.size());
  CHANDLER_TRY(parallel_for(months.size(), core_count(), [&](std::size_t i) -> Status {
    CHANDLER_ASSIGN(parts[i], month_days(months[i].first, months[i].second, detail));
    return {};
  }));
  Bars all;
  for (const Bars& part : parts) append(all, part);
  return all;
}

Result<std::optional<double>> SymbolSeries::close_before(Timestamp t, Interval interval) const {
  while (extent_.begin < t) {
    const Timestamp begin = begin_of(month_of(t - Millis{1}));
    if (interval < Interval::d1) {
      CHANDLER_ASSIGN(const Klines rows, minutes({begin, t}, Detail::prices));
      if (!rows.empty()) return rows.close.back();
    } else {
      CHANDLER_ASSIGN(const Bars bars, days(day_of(begin), day_of(t), Detail::prices));
      if (bars.size() > 0) return bars.rows.close.back();
    }
    t = begin;
  }
  return std::nullopt;
}

}  // namespace chandler::serving
