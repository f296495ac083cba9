// Two histories of one symbol become one. For one minute: archive or rest > stream > import; within one rank
// what is stored wins, unless the caller asked to fetch again.
#pragma once

#include <vector>

#include "candles/klines.hpp"

namespace chandler::candles {

enum class Ties { stored_wins, incoming_wins };

// A minute for which both sides had a row with different values.
struct Difference {
  Kline stored;
  Kline incoming;
  bool incoming_won = false;
};

struct Merged {
  Klines rows;               // sorted and unique
  std::size_t added = 0;     // minutes that only the incoming side had
  std::size_t replaced = 0;  // stored rows that gave way, equal values with a better source included
  std::vector<Difference> differences;  // in order of time
};

// Both sides sorted and unique (as clean() leaves them). One pass.
Merged merge(const Klines& stored, const Klines& incoming, Ties ties = Ties::stored_wins);

}  // namespace chandler::candles
