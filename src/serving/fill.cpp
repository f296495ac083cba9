#include "serving/fill.hpp"

namespace chandler::serving {

void Filler::fill_to(Timestamp until, Candles& out) {
  if (!last_close_) return;
  for (; next_ < until; next_ = candles::end_of(interval_, next_)) {
    candles::Kline k;
    k.open_time = to_ms(next_);
    k.open = k.high = k.low = k.close = *last_close_;
    k.quote_volume = k.taker_buy_volume = k.taker_buy_quote_volume = 0;
    k.trades = 0;
    out.rows.push_back(k);
    out.minutes.push_back(0);
    out.filled.push_back(1);
    out.provisional.push_back(0);
  }
}

Candles Filler::fill(const Candles& piece) {
  Candles out;
  out.rows.reserve(piece.size());
  for (std::size_t i = 0; i < piece.size(); ++i) {
    const Timestamp t = from_ms(piece.rows.open_time[i]);
    fill_to(t, out);
    out.rows.append(piece.rows, i, i + 1);
    out.minutes.push_back(piece.minutes[i]);
    out.filled.push_back(0);
    out.provisional.push_back(piece.provisional[i]);
    last_close_ = piece.rows.close[i];
    next_ = candles::end_of(interval_, t);
  }
  return out;
}

Candles Filler::fill_until(Timestamp until) {
  Candles out;
  fill_to(until, out);
  return out;
}

}  // namespace chandler::serving
