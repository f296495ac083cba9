// Candles for the times that have none: the last close in all four prices, nothing traded, flagged. Pure.
#pragma once

#include "serving/candle_query.hpp"

namespace chandler::serving {

class Filler {
 public:
  // Fills candles of the grid that open in [next, …). `last_close`: of the candle before; none: nothing is
  // filled before the first candle.
  Filler(candles::Interval interval, Timestamp next, std::optional<double> last_close)
      : interval_(interval), next_(next), last_close_(last_close) {}

  // The piece with its holes, and the hole before it, filled.
  Candles fill(const Candles& piece);
  // Candles that open from where the last piece ended up to before `until`.
  Candles fill_until(Timestamp until);

 private:
  void fill_to(Timestamp until, Candles& out);

  candles::Interval interval_;
  Timestamp next_;
  std::optional<double> last_close_;
};

}  // namespace chandler::serving
