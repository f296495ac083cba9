#include "candles/merge.hpp"

namespace chandler::candles {

Merged merge(const Klines& stored, const Klines& incoming, Ties ties) {
  Merged result;
  result.rows.reserve(stored.size() + incoming.size());
  std::size_t s = 0, i = 0;
  while (s < stored.size() || i < incoming.size()) {
    // A run that only one side has is copied as a block.
    const std::size_t s0 = s, i0 = i;
    while (s < stored.size() && (i == incoming.size() || stored.open_time[s] < incoming.open_time[i])) ++s;
    result.rows.append(stored, s0, s);
    while (i < incoming.size() && (s == stored.size() || incoming.open_time[i] < stored.open_time[s])) ++i;
    result.rows.append(incoming, i0, i);
    result.added += i - i0;
    if (s == stored.size() || i == incoming.size() || stored.open_time[s] != incoming.open_time[i]) continue;

    const Kline old = stored.at(s++), fresh = incoming.at(i++);
    const int old_rank = rank(old.source), new_rank = rank(fresh.source);
    const bool takes = new_rank > old_rank || (new_rank == old_rank && ties == Ties::incoming_wins);
    const bool same = same_values(old, fresh);
    if (!same) result.differences.push_back({old, fresh, takes});
    // Equal values of an equal rank keep the stored row, so that fetching again rewrites nothing.
    const bool replaces = takes && !(same && new_rank == old_rank);
    if (replaces) ++result.replaced;
    result.rows.push_back(replaces ? fresh : old);
  }
  return result;
}

}  // namespace chandler::candles
