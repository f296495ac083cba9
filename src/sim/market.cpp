#include "sim/market.hpp"

#include <algorithm>
#include <numeric>

namespace chandler::sim {
namespace {

void order(Klines& rows) {
  if (candles::is_sorted_unique(rows.open_time)) return;
  std::vector<std::uint32_t> by_time(rows.size());
  std::iota(by_time.begin(), by_time.end(), 0U);
  std::ranges::stable_sort(by_time, {}, [&](std::uint32_t i) { return rows.open_time[i]; });
  const auto same = [&](std::uint32_t a, std::uint32_t b) { return rows.open_time[a] == rows.open_time[b]; };
  by_time.erase(std::ranges::unique(by_time, same).begin(), by_time.end());
  rows.reorder(by_time);
}

}  // namespace

Market::Market(std::map<std::string, SymbolData> data) {
  for (auto& [symbol, candles] : data) {
    order(candles.minutes);
    order(candles.days);
    if (candles.minutes.empty() && candles.days.empty()) continue;
    listings_.push_back(
        std::make_unique<const Listing>(symbol, std::move(candles.minutes), std::move(candles.days)));
  }
}

const Listing* Market::find(std::string_view symbol) const {
  const auto at = std::ranges::lower_bound(listings_, symbol, {},
                                           [](const auto& l) { return std::string_view(l->symbol()); });
  return at != listings_.end() && (*at)->symbol() == symbol ? at->get() : nullptr;
}

TimeRange Market::extent() const {
  TimeRange all{Timestamp::max(), Timestamp::min()};
  for (const auto& listing : listings_) {
    all.begin = std::min(all.begin, listing->first());
    all.end = std::max(all.end, listing->end());
  }
  return all;
}

Timestamp Market::live_end() const {
  Timestamp end = Timestamp::min();
  for (const auto& listing : listings_) {
    if (!listing->minutes().empty())
      end = std::max(end, from_ms(listing->minutes().open_time.back()) + kMinute);
  }
  return end == Timestamp::min() ? extent().end : end;
}

}  // namespace chandler::sim
