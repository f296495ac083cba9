#include "serving/candle_service.hpp"

#include <algorithm>

#include "base/parallel.hpp"
#include "serving/fill.hpp"

namespace chandler::serving {
namespace {

using candles::Bars;
using candles::Interval;
using candles::Klines;

// The first candle of the grid that opens at or after t.
Timestamp ceil_to(Interval interval, Timestamp t) {
  const Timestamp begin = candles::begin_of(interval, t);
  return begin < t ? candles::end_of(interval, t) : begin;
}

Candles from_bars(Bars bars) {
  Candles out;
  out.minutes = std::move(bars.count);
  out.rows = std::move(bars.rows);
  out.filled.assign(out.size(), 0);
  out.provisional.assign(out.size(), 0);
  return out;
}

Candles from_minutes(Klines rows, Interval interval) {
  if (interval != Interval::m1) return from_bars(candles::roll_up(candles::spans_of(rows), interval));
  Candles out;
  out.minutes.assign(rows.size(), 1);
  out.filled.assign(rows.size(), 0);
  out.provisional.assign(rows.size(), 0);
  out.rows = std::move(rows);
  return out;
}

// Longer candles from daily bars; their minutes are the days' minutes.
Candles from_days(Bars days, Interval interval) {
  if (interval == Interval::d1) return from_bars(std::move(days));
  Bars bars = candles::roll_up(candles::spans_of(days.rows), interval);
  std::size_t day = 0;
  for (std::int32_t& count : bars.count) {
    std::int32_t minutes = 0;
    for (const std::size_t end = day + static_cast<std::size_t>(count); day < end; ++day)
      minutes += days.count[day];
    count = minutes;
  }
  return from_bars(std::move(bars));
}

class Service {
 public:
  Service(const SymbolSeries& series, const CandleQuery& query, const std::function<Status(Candles&&)>& sink)
      : series_(series), query_(query), sink_(sink), closed_until_(series.closed_until(query.interval)) {
    const Timestamp oldest = candles::begin_of(query.interval, series.extent().begin);
    first_ = query.from ? std::max(oldest, ceil_to(query.interval, *query.from)) : oldest;
    end_ = candles::end_of(query.interval, series.extent().end - Millis{1});
    // Closed candles after the last known one can be filled, the open one cannot.
    fill_end_ = std::max(end_, candles::begin_of(query.interval, closed_until_));
    if (query.to) {
      const Timestamp to = ceil_to(query.interval, *query.to);
      end_ = std::min(end_, to);
      fill_end_ = std::min(fill_end_, to);
    }
  }

  Status run() {
    std::optional<Filler> filler;
    if (query_.fill && first_ < fill_end_) {
      CHANDLER_ASSIGN(const auto close, series_.close_before(first_, query_.interval));
      filler.emplace(query_.interval, first_, close);
    }
    filler_ = filler ? &*filler : nullptr;
    if (first_ < end_) {
      CHANDLER_TRY(query_.interval < Interval::d1 ? run_minutes() : run_days());
    }
    return filler_ != nullptr ? emit(filler_->fill_until(fill_end_)) : Status{};
  }

 private:
  // No candle below a day crosses a month's end. As many months as there are cores are read at once.
  Status run_minutes() {
    for (Timestamp begin = first_; begin < end_;) {
      std::vector<TimeRange> months;
      for (; begin < end_ && months.size() < core_count(); begin = months.back().end)
        months.push_back({begin, std::min(end_, end_of(month_of(begin)))});
      std::vector<Candles> pieces(months.size());
      CHANDLER_TRY(parallel_for(months.size(), core_count(), [&](std::size_t i) -> Status {
        CHANDLER_ASSIGN(Klines rows, series_.minutes(months[i], query_.detail));
        pieces[i] = from_minutes(std::move(rows), query_.interval);
        return {};
      }));
      for (std::size_t i = 0; i < months.size(); ++i) {
        CHANDLER_TRY(pass(std::move(pieces[i])));
        // Holes are filled month by month too, or a hole of years would be one piece.
        if (filler_ != nullptr && months[i].end < end_)
          CHANDLER_TRY(emit(filler_->fill_until(months[i].end)));
      }
    }
    return {};
  }

  Status run_days() {
    CHANDLER_ASSIGN(Bars days, series_.days(day_of(first_), day_of(end_), query_.detail));
    return pass(from_days(std::move(days), query_.interval));
  }

  Status pass(Candles piece) {
    for (std::size_t i = 0; i < piece.size(); ++i) {
      const Timestamp t = from_ms(piece.rows.open_time[i]);
      // A closed minute stays closed, whatever else is known.
      const bool open = query_.interval == Interval::m1 ? t == series_.open_minute()
                                                        : candles::end_of(query_.interval, t) > closed_until_;
      piece.provisional[i] = open ? 1 : 0;
    }
    return emit(filler_ != nullptr ? filler_->fill(piece) : std::move(piece));
  }

  Status emit(Candles&& piece) { return piece.size() == 0 ? Status{} : sink_(std::move(piece)); }

  const SymbolSeries& series_;
  const CandleQuery& query_;
  const std::function<Status(Candles&&)>& sink_;
  Timestamp closed_until_, first_, end_, fill_end_;
  Filler* filler_ = nullptr;
};

// A stretch of time that has `count` candles where none is missing.
Millis span_of(Interval interval, std::size_t count) {
  const Timestamp epoch{};
  const Millis longest = interval == Interval::mo1
                             ? 31 * kDay
                             : candles::end_of(interval, epoch) - candles::begin_of(interval, epoch);
  return longest * static_cast<std::int64_t>(count);
}

}  // namespace

Status serve(const SymbolSeries& series, const CandleQuery& query,
             const std::function<Status(Candles&&)>& sink) {
  return Service(series, query, sink).run();
}

Result<Candles> read_candles(const SymbolSeries& series, const CandleQuery& query) {
  Candles all;
  CHANDLER_TRY(serve(series, query, [&](Candles&& piece) -> Status {
    if (all.size() == 0) {
      all = std::move(piece);
    } else {
      all.append(piece);
    }
    return {};
  }));
  return all;
}

Result<Candles> read_last(const SymbolSeries& series, CandleQuery query, std::size_t count) {
  const std::optional<Timestamp> oldest = query.from;
  const Timestamp begin = std::max(series.extent().begin, oldest.value_or(series.extent().begin));
  Timestamp end = series.extent().end;
  if (query.fill) end = std::max(end, series.closed_until(query.interval));
  if (query.to) end = std::min(end, *query.to);
  // Twice as far back each time, until there are enough or there is no more.
  for (std::size_t reach = count + 1;; reach *= 2) {
    const Millis span = span_of(query.interval, reach);
    const bool whole = end - begin <= span;
    query.from = whole ? oldest : std::optional(end - span);
    CHANDLER_ASSIGN(Candles candles, read_candles(series, query));
    if (candles.size() >= count || whole) {
      candles.keep_last(count);
      return candles;
    }
  }
}

}  // namespace chandler::serving
