#include "web/candle_reader.hpp"

#include <algorithm>

#include "base/parallel.hpp"
#include "serving/fill.hpp"

namespace chandler::web {
namespace {

using candles::Bars;
using candles::Interval;

constexpr std::size_t kMonthsAhead = 12;

// Where the candle that contains an instant begins and ends, in the query's time zone.
struct Cut {
  Interval interval;
  Millis time_zone;
  Timestamp begin(Timestamp t) const { return candles::begin_of(interval, t + time_zone) - time_zone; }
  Timestamp end(Timestamp t) const { return candles::end_of(interval, t + time_zone) - time_zone; }
};

// The longest interval that is stored in blocks and of which every candle asked for is a whole number.
Interval base_of(const CandleQuery& query) {
  if (query.time_zone.count() == 0) return std::min(query.interval, Interval::d1);
  for (const Interval i : {Interval::h1, Interval::m30, Interval::m15}) {
    const Millis length = candles::end_of(i, Timestamp{}) - Timestamp{};
    if (i <= query.interval && query.time_zone % length == Millis{0}) return i;
  }
  return std::min(query.interval, Interval::m15);
}

struct Piece {
  BlockPtr block;
  std::size_t first, last;
};

std::size_t candles_in(const Piece& piece, const Cut& cut, bool same_cut) {
  if (same_cut) return piece.last - piece.first;
  std::size_t count = 0;
  Timestamp end{Millis::min()};
  for (std::size_t i = piece.first; i < piece.last; ++i) {
    const Timestamp t = from_ms(piece.block->rows.open_time[i]);
    if (t < end) continue;
    ++count;
    end = cut.end(t);
  }
  return count;
}

Bars assembled(const std::vector<Piece>& pieces) {
  Bars bars;
  std::size_t rows = 0;
  for (const Piece& p : pieces) rows += p.last - p.first;
  bars.rows.reserve(rows);
  bars.count.reserve(rows);
  for (const Piece& p : pieces) {
    bars.rows.append(p.block->rows, p.first, p.last);
    bars.count.insert(bars.count.end(), p.block->count.begin() + static_cast<std::ptrdiff_t>(p.first),
                      p.block->count.begin() + static_cast<std::ptrdiff_t>(p.last));
  }
  return bars;
}

Bars recut(Bars base, const Cut& cut) {
  for (auto& t : base.rows.open_time) t += cut.time_zone.count();
  Bars bars = candles::roll_up(candles::spans_of(base.rows), cut.interval);
  std::size_t first = 0;
  for (std::size_t i = 0; i < bars.size(); ++i) {
    // roll_up counts base candles; what is told are minutes.
    std::int32_t minutes = 0;
    for (const std::size_t last = first + static_cast<std::size_t>(bars.count[i]); first < last; ++first) {
      minutes += base.count[first];
    }
    bars.count[i] = minutes;
    bars.rows.open_time[i] -= cut.time_zone.count();
  }
  return bars;
}

// The rows that were asked for, and which of them may still change.
serving::Candles page_of(Bars bars, const CandleQuery& query, const serving::SymbolSeries& series) {
  const auto& times = bars.rows.open_time;
  std::size_t first = 0, last = times.size();
  if (query.start)
    first = static_cast<std::size_t>(std::ranges::lower_bound(times, to_ms(*query.start)) - times.begin());
  if (query.end)
    last = static_cast<std::size_t>(std::ranges::upper_bound(times, to_ms(*query.end)) - times.begin());
  last = std::max(first, last);
  if (last - first > query.limit)
    (query.start ? last : first) = query.start ? first + query.limit : last - query.limit;

  serving::Candles page;
  page.minutes.assign(bars.count.begin() + static_cast<std::ptrdiff_t>(first),
                      bars.count.begin() + static_cast<std::ptrdiff_t>(last));
  if (first == 0 && last == times.size()) {
    page.rows = std::move(bars.rows);
  } else {
    page.rows.append(bars.rows, first, last);
  }
  page.filled.assign(page.size(), 0);
  page.provisional.assign(page.size(), 0);
  const Cut cut{query.interval, query.time_zone};
  const Timestamp closed_until = series.closed_until(query.interval);
  for (std::size_t i = page.size(); i > 0; --i) {
    const Timestamp t = from_ms(page.rows.open_time[i - 1]);
    const bool open = query.interval == Interval::m1 ? t == series.open_minute() : cut.end(t) > closed_until;
    page.provisional[i - 1] = open ? 1 : 0;
  }
  return page;
}

// The months that may have candles of [from, until), the nearest to where the page starts first.
std::vector<year_month> months_between(const serving::SymbolSeries& series, std::int64_t from,
                                       std::int64_t until, bool forward) {
  std::vector<year_month> months;
  const TimeRange extent = series.extent();
  const Timestamp begin = from_ms(std::max(from, to_ms(extent.begin)));
  const Timestamp end = from_ms(std::min(until, to_ms(extent.end)));
  for (Timestamp t = begin; t < end; t = end_of(month_of(t))) months.push_back(month_of(t));
  if (!forward) std::ranges::reverse(months);
  return months;
}

}  // namespace

Result<serving::Candles> CandleReader::read(const SymbolFiles& files, const CandleQuery& query) const {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  CHANDLER_ASSIGN(const OpenSeries open, blocks_.open(files));
  const Cut cut{query.interval, query.time_zone};
  const Interval base = base_of(query);
  const bool same_cut = base == query.interval;
  const bool forward = query.start.has_value();
  const std::int64_t from = query.start ? to_ms(same_cut ? *query.start : cut.begin(*query.start)) : kLeast;
  const std::int64_t until =
      query.end ? to_ms(same_cut ? *query.end + Millis{1} : cut.end(*query.end)) : kMost;

  // One candle more than asked for, so that the last one taken is known to be whole.
  const std::size_t wanted = query.limit + (same_cut ? 0 : 1);
  const auto months = months_between(*open.series, from, until, forward);
  std::vector<Piece> pieces;
  std::size_t have = 0;
  for (std::size_t m = 0; m < months.size() && have < wanted; ++m) {
    if (m % kMonthsAhead == 0 && base >= Interval::h1)
      CHANDLER_TRY(read_ahead(open, months, m, base, query.detail));
    CHANDLER_ASSIGN(const BlockPtr block, blocks_.read(open, months[m], base, query.detail));
    const auto& times = block->rows.open_time;
    Piece piece{block, static_cast<std::size_t>(std::ranges::lower_bound(times, from) - times.begin()),
                static_cast<std::size_t>(std::ranges::lower_bound(times, until) - times.begin())};
    if (piece.first >= piece.last) continue;
    const std::size_t more = piece.last - piece.first;
    if (same_cut && have + more > wanted) {
      (forward ? piece.last : piece.first) =
          forward ? piece.first + (wanted - have) : piece.last - (wanted - have);
    }
    have += candles_in(piece, cut, same_cut);
    if (!same_cut && !pieces.empty()) {
      // A candle across the months' border has been counted on both sides.
      const Piece& earlier = forward ? pieces.back() : piece;
      const Piece& later = forward ? piece : pieces.back();
      const Timestamp last = from_ms(earlier.block->rows.open_time[earlier.last - 1]);
      if (from_ms(later.block->rows.open_time[later.first]) < cut.end(last)) --have;
    }
    pieces.push_back(std::move(piece));
  }
  if (!forward) std::ranges::reverse(pieces);

  Bars bars = assembled(pieces);
  if (!same_cut) bars = recut(std::move(bars), cut);
  return page_of(std::move(bars), query, *open.series);
}

// Months of a long candle's history are independent: both cores read them.
Status CandleReader::read_ahead(const OpenSeries& open, const std::vector<year_month>& months,
                                std::size_t first, Interval base, serving::Detail detail) const {
  const std::size_t count = std::min(kMonthsAhead, months.size() - first);
  return parallel_for(count, core_count(), [&](std::size_t i) -> Status {
    CHANDLER_TRY(blocks_.read(open, months[first + i], base, detail));
    return {};
  });
}

serving::Candles fill(const serving::Candles& page, Interval interval) {
  if (page.size() == 0) return page;
  serving::Filler filler(interval, from_ms(page.rows.open_time.front()), std::nullopt);
  return filler.fill(page);
}

}  // namespace chandler::web
