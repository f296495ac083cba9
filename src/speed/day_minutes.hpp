// The closed minutes of one symbol and day as the speed layer keeps them: each with the time of the event
// that told it. Of two events of one minute the later wins, so joining is commutative, associative and
// idempotent: replays, duplicates and any order of events end in the same rows. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "candles/klines.hpp"

namespace chandler::speed {

struct StoredMinute {
  candles::Kline kline;
  std::int64_t event_time = 0;  // ms
};

// Whether a replaces b, which is of the same minute: the later event does; of two different events of one
// instant, the one that is greater in an arbitrary but fixed order of values.
bool supersedes(const StoredMinute& a, const StoredMinute& b);

struct DayMinutes {
  candles::Klines rows;                   // sorted, unique
  std::vector<std::int64_t> event_times;  // ms, one per row

  std::size_t size() const { return event_times.size(); }
  void push_back(const StoredMinute& minute);
  StoredMinute at(std::size_t row) const { return {rows.at(row), event_times[row]}; }
};

struct Joined {
  DayMinutes minutes;
  std::size_t added = 0;
  std::size_t replaced = 0;
  bool changed() const { return added + replaced > 0; }
};

// `changes` sorted and unique by open time.
Joined join(const DayMinutes& stored, std::span<const StoredMinute> changes);

// Event times as text for a file's metadata: ms after the end of each candle, comma separated.
std::string encode_event_times(const DayMinutes& minutes);
Result<std::vector<std::int64_t>> decode_event_times(std::string_view text, const candles::Klines& rows);

}  // namespace chandler::speed
