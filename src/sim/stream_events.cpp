#include "sim/stream_events.hpp"

#include <algorithm>
#include <cmath>

#include "sim/decimal.hpp"
#include "sim/faults.hpp"

namespace chandler::sim {
namespace {

constexpr int kMostClosings = 1500;

void head(std::string& out, std::string_view type, Timestamp time, std::string_view symbol) {
  out.append(R"({"e":")").append(type).append("\"");
  append_field(out, "E", to_ms(time));
  out.append(R"(,"s":")").append(symbol).append("\"");
}

StreamEvent kline_event(const Listing& listing, Interval interval, const Candle& candle, Timestamp time,
                        bool closes) {
  const Kline& k = candle.values;
  const std::size_t row = candles::lower_bound(listing.minutes(), from_ms(k.open_time));
  const std::int64_t first_trade = k.trades > 0 ? listing.trades_before(row) : -1;
  StreamEvent event{time, {}, closes};
  std::string& out = event.json;
  out.reserve(400);
  head(out, "kline", time, listing.symbol());
  out.append(R"(,"k":{"t":)");
  append_integer(out, k.open_time);
  append_field(out, "T", candle.close_time);
  out.append(R"(,"s":")").append(listing.symbol()).append(R"(","i":")").append(name(interval)).append("\"");
  append_field(out, "f", first_trade);
  append_field(out, "L", k.trades > 0 ? first_trade + k.trades - 1 : -1);
  append_field(out, "o", k.open);
  append_field(out, "c", k.close);
  append_field(out, "h", k.high);
  append_field(out, "l", k.low);
  append_field(out, "v", k.volume);
  append_field(out, "n", k.trades);
  out.append(closes ? R"(,"x":true)" : R"(,"x":false)");
  append_field(out, "q", k.quote_volume);
  append_field(out, "V", k.taker_buy_volume);
  append_field(out, "Q", k.taker_buy_quote_volume);
  out.append(R"(,"B":"0"}})");
  return event;
}

void append_ticker(std::string& out, const Listing& listing, Timestamp time, bool mini) {
  const DayTicker t = listing.ticker(time);
  head(out, mini ? "24hrMiniTicker" : "24hrTicker", time, listing.symbol());
  if (!mini) {
    const double tick = std::pow(10.0, -listing.price_places());
    append_field(out, "p", t.change());
    append_field(out, "P", t.change_percent(), 3);
    append_field(out, "w", t.weighted_average_price());
    append_field(out, "x", t.previous_close);
    append_field(out, "c", t.last);
    append_field(out, "Q", t.last_quantity);
    append_field(out, "b", t.last - tick);
    append_field(out, "B", t.last_quantity);
    append_field(out, "a", t.last + tick);
    append_field(out, "A", t.last_quantity);
  } else {
    append_field(out, "c", t.last);
  }
  append_field(out, "o", t.open);
  append_field(out, "h", t.high);
  append_field(out, "l", t.low);
  append_field(out, "v", t.volume);
  append_field(out, "q", t.quote_volume);
  if (!mini) {
    append_field(out, "O", to_ms(t.open_time));
    append_field(out, "C", to_ms(t.close_time));
    append_field(out, "F", t.first_trade);
    append_field(out, "L", t.last_trade);
    append_field(out, "n", t.trades);
  }
  out += '}';
}

// The latest instant of the grid at or before `to`; symbols tick at different times, as the exchange's do.
Timestamp latest_tick(Timestamp to, Millis period, std::string_view symbol) {
  const Millis phase{static_cast<std::int64_t>(hash_of(symbol) % static_cast<std::uint64_t>(period.count()))};
  return to - (to.time_since_epoch() - phase) % period;
}

void add_klines(const Listing& listing, Interval interval, Millis period, Timestamp from, Timestamp to,
                std::vector<StreamEvent>& events) {
  std::vector<Timestamp> ends;
  for (Timestamp end = candles::begin_of(interval, to); end > from && ends.size() < kMostClosings;
       end = candles::begin_of(interval, end - Millis{1})) {
    ends.push_back(end);
  }
  const Timestamp tick = latest_tick(to, period, listing.symbol());
  const auto update = [&] {
    const auto candle = listing.open_candle(interval, tick);
    // Nothing is said until there is a trade.
    if (candle && candle->values.trades > 0)
      events.push_back(kline_event(listing, interval, *candle, tick, false));
  };
  bool updated = tick <= from;
  for (auto end = ends.rbegin(); end != ends.rend(); ++end) {
    if (!updated && tick < *end) {
      update();
      updated = true;
    }
    const auto candle = listing.candle_at(interval, candles::begin_of(interval, *end - Millis{1}), *end);
    if (candle) events.push_back(kline_event(listing, interval, *candle, *end, true));
  }
  if (!updated) update();
}

}  // namespace

std::vector<StreamEvent> stream_events(const Market& market, const StreamName& stream,
                                       const StreamCadence& cadence, Timestamp from, Timestamp to) {
  std::vector<StreamEvent> events;
  if (to <= from) return events;
  const bool mini = stream.kind == StreamKind::mini_ticker || stream.kind == StreamKind::all_mini_tickers;
  if (stream.kind == StreamKind::all_tickers || stream.kind == StreamKind::all_mini_tickers) {
    const Timestamp tick = latest_tick(to, cadence.tickers, "!");
    if (tick <= from) return events;
    StreamEvent event{tick, "[", false};
    for (const auto& listing : market.listings()) {
      if (!listing->is_trading(tick)) continue;
      if (event.json.size() > 1) event.json += ',';
      append_ticker(event.json, *listing, tick, mini);
    }
    event.json += ']';
    events.push_back(std::move(event));
    return events;
  }
  const Listing* listing = market.find(stream.symbol);
  if (!listing || !listing->is_listed(to)) return events;
  if (stream.kind == StreamKind::kline) {
    add_klines(*listing, stream.interval, cadence.klines, from, to, events);
    return events;
  }
  const Timestamp tick = latest_tick(to, cadence.tickers, stream.symbol);
  if (tick <= from || !listing->is_trading(tick)) return events;
  StreamEvent event{tick, {}, false};
  append_ticker(event.json, *listing, tick, mini);
  events.push_back(std::move(event));
  return events;
}

Timestamp next_stream_event(const StreamName& stream, const StreamCadence& cadence, Timestamp after) {
  const bool klines = stream.kind == StreamKind::kline;
  const Millis period = klines ? cadence.klines : cadence.tickers;
  const Timestamp tick =
      latest_tick(after, period, stream.symbol.empty() ? "!" : std::string_view(stream.symbol)) + period;
  return klines ? std::min(tick, candles::end_of(stream.interval, after)) : tick;
}

}  // namespace chandler::sim
