#include "candles/clean.hpp"

#include <algorithm>
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

// Row numbers in order of open time, best row of a minute first.
std::vector<std::uint32_t> preferred_order(const Klines& rows, std::vector<std::uint32_t> order) {
  const auto time = [&](std::uint32_t row) { return rows.open_time[row]; };
  const auto before = [&](std::uint32_t a, std::uint32_t b) {
    if (time(a) != time(b)) return time(a) < time(b);
    const auto x = preference(rows.at(a)), y = preference(rows.at(b));
    return x != y ? x > y : a < b;
  };
  if (!std::ranges::is_sorted(order, {}, time)) {
    std::ranges::sort(order, before);
    return order;
  }
  // The usual file is in order of time and has a few repeats: only those need sorting.
  for (auto first = order.begin(); first != order.end();) {
    const auto last =
        std::find_if(first + 1, order.end(), [&](std::uint32_t r) { return time(r) != time(*first); });
    if (last - first > 1) std::sort(first, last, before);
    first = last;
  }
  return order;
}

}  // namespace

std::string_view describe(Reason reason) {
  constexpr std::array<std::string_view, kReasons> texts = {
      "open time is off the grid",     "a price or volume is not a finite number",
      "a price is not positive",       "high is below low",
      "open is outside [low, high]",   "close is outside [low, high]",
      "a volume or count is negative", "open time is not between 2009 and 2100"};
  return texts[static_cast<std::size_t>(reason)];
}

std::optional<Reason> impossible(const Kline& k, std::int64_t grid_ms) {
  if (k.open_time < kEarliestOpenTime || k.open_time >= kLatestOpenTime) return Reason::time_out_of_range;
  if (k.open_time % grid_ms != 0) return Reason::off_grid;
  if (!std::isfinite(k.open) || !std::isfinite(k.high) || !std::isfinite(k.low) || !std::isfinite(k.close) ||
      !std::isfinite(k.volume) || std::isinf(k.quote_volume) || std::isinf(k.taker_buy_volume) ||
      std::isinf(k.taker_buy_quote_volume)) {
    return Reason::not_finite;
  }
  if (k.high < k.low) return Reason::high_below_low;
  if (k.low <= 0) return Reason::not_positive;
  if (k.open < k.low || k.open > k.high) return Reason::open_outside;
  if (k.close < k.low || k.close > k.high) return Reason::close_outside;
  if (k.volume < 0 || k.quote_volume < 0 || k.taker_buy_volume < 0 || k.taker_buy_quote_volume < 0 ||
      (k.trades < 0 && k.trades != kUnknownTrades)) {
    return Reason::negative_volume;
  }
  return std::nullopt;
}

Cleaned clean(Klines raw, std::int64_t grid_ms) {
  Cleaned result;
  for (auto* volumes : {&raw.volume, &raw.quote_volume, &raw.taker_buy_volume, &raw.taker_buy_quote_volume}) {
    normalise(*volumes);
  }
  std::vector<std::uint32_t> order;
  order.reserve(raw.size());
  bool ordered = true;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const Kline k = raw.at(i);
    if (const auto reason = impossible(k, grid_ms)) {
      result.rejected.push_back({i, k, *reason});
      continue;
    }
    ordered = ordered && (order.empty() || raw.open_time[order.back()] < k.open_time);
    order.push_back(static_cast<std::uint32_t>(i));
  }
  if (ordered) {
    if (order.size() != raw.size()) raw.reorder(order);
    result.rows = std::move(raw);
    return result;
  }

  const auto sorted = preferred_order(raw, std::move(order));
  std::vector<std::uint32_t> kept;
  kept.reserve(sorted.size());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const std::uint32_t row = sorted[i];
    if (kept.empty() || raw.open_time[kept.back()] != raw.open_time[row]) {
      kept.push_back(row);
      continue;
    }
    const Kline k = raw.at(row);
    if (same_values(k, raw.at(kept.back())) || same_values(k, raw.at(sorted[i - 1]))) {
      ++result.exact_repeats;
    } else {
      result.conflicting.push_back(k);
    }
  }
  raw.reorder(kept);
  result.rows = std::move(raw);
  return result;
}

}  // namespace chandler::candles
