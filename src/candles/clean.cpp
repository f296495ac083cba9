#include "candles/clean.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <tuple>

namespace chandler::candles {
namespace {

// A total order in which the row to keep is the greatest. NaN counts as below every number, so that a row
// that knows more wins.
double known(double v) {
  return std::isnan(v) ? -1.0 : v;
}

auto preference(const Kline& k) {
  return std::tuple(rank(k.source), k.trades, k.volume, known(k.quote_volume), known(k.taker_buy_volume),
                    known(k.taker_buy_quote_volume), k.high, -k.low, k.close, k.open, k.source);
}

// One bit pattern for zero and one for unknown, so that files and digests do not depend on who parsed the
// row.
void normalise(std::vector<double>& volumes) {
  for (double& v : volumes) v = std::isnan(v) ? kUnknown : v + 0.0;
}

void sort_by_time(Klines& rows) {
  std::vector<std::uint32_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, {}, [&](std::uint32_t row) { return rows.open_time[row]; });
  rows.reorder(order);
}

// Rows [first, last) are of one minute: the best of them comes first, the others are counted.
void choose(Klines& rows, std::size_t first, std::size_t last, Cleaned& result) {
  std::vector<Kline> same_minute;
  for (std::size_t i = first; i < last; ++i) same_minute.push_back(rows.at(i));
  std::ranges::stable_sort(same_minute, std::ranges::greater{}, preference);
  rows.set(first, same_minute.front());
  for (std::size_t i = 1; i < same_minute.size(); ++i) {
    if (same_values(same_minute[i], same_minute.front()) || same_values(same_minute[i], same_minute[i - 1])) {
      ++result.exact_repeats;
    } else {
      result.conflicting.push_back(same_minute[i]);
    }
  }
}

// Takes rows [first, last) of each piece, in order, to the front of the columns and drops the rest.
struct Piece {
  std::size_t first, last;
};
void keep(Klines& rows, std::span<const Piece> pieces) {
  for_each_column([&](auto column) {
    auto& values = rows.*column;
    auto to = values.begin();
    for (const Piece& piece : pieces) {
      to = std::move(values.begin() + static_cast<std::ptrdiff_t>(piece.first),
                     values.begin() + static_cast<std::ptrdiff_t>(piece.last), to);
    }
    values.erase(to, values.end());
  });
}

}  // namespace

std::string_view describe(Reason reason) {
  constexpr std::array<std::string_view, kReasons> texts = {
      "open time is off the grid",     "a price or volume is not a finite number",
      "a price is not positive",       "high is below low",
      "open is outside [low, high]",   "close is outside [low, high]",
      "a volume or count is negative", "open time is not between 2009 and 2100",
      "more trades than a market has"};
  return texts[static_cast<std::size_t>(reason)];
}

std::string_view describe(Reason reason, std::int64_t grid_ms) {
  if (reason != Reason::off_grid) return describe(reason);
  return grid_ms == kDayMs ? "open time is not midnight UTC, where a day begins"
                           : "open time is not on a whole minute";
}

std::optional<Reason> impossible(const Kline& k, std::int64_t grid_ms) {
  if (k.open_time < kEarliestOpenTime || k.open_time >= kLatestOpenTime) return Reason::time_out_of_range;
  if (k.open_time % grid_ms != 0) return Reason::off_grid;
  if (!std::isfinite(k.open) || !std::isfinite(k.high) || !std::isfinite(k.low) || !std::isfinite(k.close) ||
      !std::isfinite(k.volume) || std::isinf(k.quote_volume) || std::isinf(k.taker_buy_volume) ||
      std::isinf(k.taker_buy_quote_volume)) {
    return Reason::not_finite;
  }
  // A price that is none makes the others look wrong, too.
  const auto unless_not_positive = [](double price, Reason reason) {
    return price <= 0 ? Reason::not_positive : reason;
  };
  if (k.high < k.low) return unless_not_positive(k.high, Reason::high_below_low);
  if (k.low <= 0) return Reason::not_positive;
  if (k.open < k.low || k.open > k.high) return unless_not_positive(k.open, Reason::open_outside);
  if (k.close < k.low || k.close > k.high) return unless_not_positive(k.close, Reason::close_outside);
  if (k.volume < 0 || k.quote_volume < 0 || k.taker_buy_volume < 0 || k.taker_buy_quote_volume < 0 ||
      (k.trades < 0 && k.trades != kUnknownTrades)) {
    return Reason::negative_volume;
  }
  if (k.trades > kMostTrades) return Reason::too_many_trades;
  return std::nullopt;
}

Cleaned unify(Klines rows) {
  Cleaned result;
  if (!std::ranges::is_sorted(rows.open_time)) sort_by_time(rows);
  const auto& times = rows.open_time;
  std::vector<Piece> pieces;
  std::size_t begin = 0;
  for (auto at = std::ranges::adjacent_find(times); at != times.end();) {
    const auto end = std::find_if(at, times.end(), [time = *at](std::int64_t t) { return t != time; });
    const auto first = static_cast<std::size_t>(at - times.begin());
    choose(rows, first, static_cast<std::size_t>(end - times.begin()), result);
    pieces.push_back({begin, first + 1});
    begin = static_cast<std::size_t>(end - times.begin());
    at = std::adjacent_find(end, times.end());
  }
  if (!pieces.empty()) {
    pieces.push_back({begin, rows.size()});
    keep(rows, pieces);
  }
  result.rows = std::move(rows);
  return result;
}

Cleaned clean(Klines raw, std::int64_t grid_ms) {
  for (auto* volumes : {&raw.volume, &raw.quote_volume, &raw.taker_buy_volume, &raw.taker_buy_quote_volume}) {
    normalise(*volumes);
  }
  std::vector<Rejected> rejected;
  std::vector<Piece> possible;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const Kline k = raw.at(i);
    if (const auto reason = impossible(k, grid_ms)) {
      rejected.push_back({i, k, *reason});
    } else if (!possible.empty() && possible.back().last == i) {
      ++possible.back().last;
    } else {
      possible.push_back({i, i + 1});
    }
  }
  if (!rejected.empty()) keep(raw, possible);
  Cleaned result = unify(std::move(raw));
  result.rejected = std::move(rejected);
  return result;
}

}  // namespace chandler::candles
