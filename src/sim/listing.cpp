#include "sim/listing.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "sim/decimal.hpp"

namespace chandler::sim {
namespace {

using candles::lower_bound;

// Sums in units of 1e-8, so that a longer candle is the exact sum of its minutes, as the exchange's is.
class Sum {
 public:
  void add(const Kline& k) {
    if (empty_) {
      total_ = k;
      empty_ = false;
    }
    total_.high = std::max(total_.high, k.high);
    total_.low = std::min(total_.low, k.low);
    total_.close = k.close;
    volume_ += to_units(k.volume);
    quote_volume_ += to_units(k.quote_volume);
    taker_ += to_units(k.taker_buy_volume);
    taker_quote_ += to_units(k.taker_buy_quote_volume);
    trades_ += k.trades;
  }
  bool empty() const { return empty_; }
  Kline total(Timestamp open_time) const {
    Kline k = total_;
    k.open_time = to_ms(open_time);
    k.volume = from_units(volume_);
    k.quote_volume = from_units(quote_volume_);
    k.taker_buy_volume = from_units(taker_);
    k.taker_buy_quote_volume = from_units(taker_quote_);
    k.trades = trades_;
    return k;
  }

 private:
  Kline total_;
  WideInt volume_ = 0, quote_volume_ = 0, taker_ = 0, taker_quote_ = 0;
  std::int64_t trades_ = 0;
  bool empty_ = true;
};

Timestamp begin_of(Interval interval, Timestamp t, Millis zone) {
  return candles::begin_of(interval, t + zone) - zone;
}
Timestamp end_of(Interval interval, Timestamp t, Millis zone) {
  return candles::end_of(interval, t + zone) - zone;
}

void add_rows(Sum& sum, const Klines& rows, Timestamp from, Timestamp to) {
  for (std::size_t i = lower_bound(rows, from); i < rows.size() && from_ms(rows.open_time[i]) < to; ++i)
    sum.add(rows.at(i));
}

Klines roll(const Klines& rows, Interval interval, Millis zone) {
  Klines rolled;
  std::size_t i = 0;
  while (i < rows.size()) {
    const Timestamp t = from_ms(rows.open_time[i]);
    const Timestamp end = end_of(interval, t, zone);
    Sum sum;
    for (; i < rows.size() && from_ms(rows.open_time[i]) < end; ++i) sum.add(rows.at(i));
    rolled.push_back(sum.total(begin_of(interval, t, zone)));
  }
  return rolled;
}

void complete(Klines& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows.trades[i] == candles::kUnknownTrades) rows.trades[i] = 0;
    const double mean = (rows.open[i] + rows.high[i] + rows.low[i] + rows.close[i]) / 4;
    if (std::isnan(rows.quote_volume[i])) rows.quote_volume[i] = from_units(to_units(rows.volume[i] * mean));
    if (std::isnan(rows.taker_buy_volume[i]))
      rows.taker_buy_volume[i] = from_units(to_units(rows.volume[i] / 2));
    if (std::isnan(rows.taker_buy_quote_volume[i])) {
      rows.taker_buy_quote_volume[i] = from_units(to_units(rows.quote_volume[i] / 2));
    }
  }
}

// A sample is enough: a tick shows within a few candles.
int most_places(const std::vector<double>& values, int least) {
  int places = least;
  const std::size_t step = std::max<std::size_t>(1, values.size() / 2000);
  for (std::size_t i = 0; i < values.size(); i += step) places = std::max(places, places_of(values[i]));
  return places;
}

double round_to(double value, int places) {
  const double scale = std::pow(10.0, places);
  return std::round(value * scale) / scale;
}

double part_of(double value, double share, int places) {
  const double scale = std::pow(10.0, places);
  return std::floor(value * share * scale) / scale;
}

}  // namespace

Kline grown(const Kline& whole, Millis elapsed, Millis length, int price_places, int quantity_places) {
  if (elapsed >= length) return whole;
  const double share =
      static_cast<double>(std::max<std::int64_t>(0, elapsed.count())) / static_cast<double>(length.count());
  // A rising candle dips first, a falling one peaks first.
  const bool rising = whole.close >= whole.open;
  const std::array<double, 4> stations{whole.open, rising ? whole.low : whole.high,
                                       rising ? whole.high : whole.low, whole.close};
  const double way = share * 3;
  const auto leg = std::min<std::size_t>(2, static_cast<std::size_t>(way));
  const double from = stations[leg], to = stations[leg + 1];
  const double price = round_to(from + (to - from) * (way - static_cast<double>(leg)), price_places);
  Kline k = whole;
  k.close = std::clamp(price, whole.low, whole.high);
  const auto passed_end = stations.begin() + static_cast<std::ptrdiff_t>(leg) + 1;
  k.high = std::max(k.close, *std::max_element(stations.begin(), passed_end));
  k.low = std::min(k.close, *std::min_element(stations.begin(), passed_end));
  k.volume = part_of(whole.volume, share, quantity_places);
  k.quote_volume = part_of(whole.quote_volume, share, kPlaces);
  k.taker_buy_volume = part_of(whole.taker_buy_volume, share, quantity_places);
  k.taker_buy_quote_volume = part_of(whole.taker_buy_quote_volume, share, kPlaces);
  k.trades = static_cast<std::int64_t>(static_cast<double>(whole.trades) * share);
  return k;
}

Listing::Listing(std::string symbol, Klines minutes, Klines days)
    : symbol_(std::move(symbol)), minutes_(std::move(minutes)), days_(std::move(days)) {
  std::tie(base_, quote_) = split_symbol(symbol_);
  complete(minutes_);
  complete(days_);
  const Klines& finest = minutes_.empty() ? days_ : minutes_;
  price_places_ = std::max(most_places(finest.close, 2), most_places(finest.high, 2));
  quantity_places_ = minutes_.empty() ? 5 : most_places(minutes_.volume, 0);
  first_ = Timestamp::max();
  end_ = Timestamp::min();
  if (!minutes_.empty()) {
    first_ = from_ms(minutes_.open_time.front());
    end_ = from_ms(minutes_.open_time.back()) + kMinute;
  }
  if (!days_.empty()) {
    first_ = std::min(first_, from_ms(days_.open_time.front()));
    end_ = std::max(end_, from_ms(days_.open_time.back()) + kDay);
  }
  trades_before_.reserve(minutes_.size() + 1);
  trades_before_.push_back(0);
  for (const std::int64_t n : minutes_.trades) trades_before_.push_back(trades_before_.back() + n);
}

Klines Listing::build_series(Interval interval, Millis zone) const {
  if (interval < Interval::d1 || zone.count() != 0) return roll(minutes_, interval, zone);
  if (interval > Interval::d1) return roll(series(Interval::d1, zone), interval, zone);
  const Klines rolled = roll(minutes_, Interval::d1, zone);
  Klines merged;
  std::size_t r = 0, d = 0;
  while (r < rolled.size() || d < days_.size()) {
    if (d == days_.size() || (r < rolled.size() && rolled.open_time[r] < days_.open_time[d])) {
      merged.push_back(rolled.at(r++));
    } else if (r == rolled.size() || days_.open_time[d] < rolled.open_time[r]) {
      merged.push_back(days_.at(d++));
    } else {
      const Timestamp day = from_ms(rolled.open_time[r]);
      const bool all = lower_bound(minutes_, day + kDay) - lower_bound(minutes_, day) == kDayMs / kMinuteMs;
      merged.push_back(all ? rolled.at(r) : days_.at(d));
      ++r;
      ++d;
    }
  }
  return merged;
}

const Klines& Listing::series(Interval interval, Millis zone) const {
  if (interval == Interval::m1) return minutes_;
  const std::pair key(interval, zone.count());
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = series_.find(key); found != series_.end()) return *found->second;
  }
  auto built = std::make_unique<const Klines>(build_series(interval, zone));
  const std::lock_guard lock(mutex_);
  return *series_.try_emplace(key, std::move(built)).first->second;
}

std::optional<Kline> Listing::open_minute(Timestamp now) const {
  const Timestamp minute = floor_minute(now);
  const std::size_t row = lower_bound(minutes_, minute);
  if (row == minutes_.size() || from_ms(minutes_.open_time[row]) != minute) return std::nullopt;
  return grown(minutes_.at(row), now - minute, kMinute, price_places_, quantity_places_);
}

std::optional<Kline> Listing::open_day(Timestamp now) const {
  const Timestamp day = chandler::begin_of(day_of(now));
  const std::size_t row = lower_bound(days_, day);
  if (row == days_.size() || from_ms(days_.open_time[row]) != day) return std::nullopt;
  return grown(days_.at(row), now - day, kDay, price_places_, quantity_places_);
}

std::optional<Kline> Listing::open_values(Interval interval, Timestamp begin, Timestamp now,
                                          Millis zone) const {
  if (interval == Interval::m1) return open_minute(now);
  Sum sum;
  if (interval <= Interval::d1 || zone.count() != 0) {
    add_rows(sum, minutes_, begin, floor_minute(now));
    if (const auto minute = open_minute(now)) sum.add(*minute);
    if (sum.empty() && interval == Interval::d1 && zone.count() == 0) return open_day(now);
  } else {
    add_rows(sum, series(Interval::d1, zone), begin, chandler::begin_of(day_of(now)));
    if (const auto day = open_values(Interval::d1, chandler::begin_of(day_of(now)), now, zone)) sum.add(*day);
  }
  if (sum.empty()) return std::nullopt;
  return sum.total(begin);
}

std::optional<Candle> Listing::open_candle(Interval interval, Timestamp now, Millis zone) const {
  const Timestamp begin = begin_of(interval, now, zone);
  const auto values = open_values(interval, begin, now, zone);
  if (!values) return std::nullopt;
  return Candle{*values, to_ms(end_of(interval, now, zone)) - 1};
}

std::optional<Candle> Listing::candle_at(Interval interval, Timestamp open_time, Timestamp now) const {
  const Timestamp end = end_of(interval, open_time, Millis{0});
  if (now < end) return open_time <= now ? open_candle(interval, now) : std::nullopt;
  const Klines& all = series(interval, Millis{0});
  const std::size_t row = lower_bound(all, open_time);
  if (row == all.size() || from_ms(all.open_time[row]) != open_time) return std::nullopt;
  return Candle{all.at(row), to_ms(end) - 1};
}

std::vector<Candle> Listing::candles(const CandleQuery& query, Timestamp now) const {
  const Klines& all = series(query.interval, query.time_zone);
  const Timestamp open_begin = begin_of(query.interval, now, query.time_zone);
  const std::size_t closed = lower_bound(all, open_begin);
  std::size_t first = query.start ? std::min(lower_bound(all, *query.start), closed) : 0;
  std::size_t last = query.end && *query.end < open_begin ? lower_bound(all, *query.end + Millis{1}) : closed;
  if (first > last) last = first;
  std::optional<Candle> open;
  if ((!query.start || *query.start <= open_begin) && (!query.end || open_begin <= *query.end)) {
    open = open_candle(query.interval, now, query.time_zone);
  }
  if (query.start) {
    if (last - first >= query.limit) open.reset();
    last = std::min(last, first + query.limit);
  } else {
    const std::size_t room = query.limit - (open ? 1 : 0);
    first = std::max(first, last - std::min(last, room));
  }
  std::vector<Candle> result;
  result.reserve(last - first + 1);
  for (std::size_t i = first; i < last; ++i) {
    const Timestamp end = end_of(query.interval, from_ms(all.open_time[i]), query.time_zone);
    result.push_back({all.at(i), to_ms(end) - 1});
  }
  if (open) result.push_back(*open);
  return result;
}

DayTicker Listing::ticker(Timestamp now) const {
  DayTicker t;
  t.close_time = now;
  t.open_time = now - kDay;
  const std::size_t first = lower_bound(minutes_, ceil_minute(now - kDay));
  const std::size_t closed = lower_bound(minutes_, floor_minute(now));
  Sum sum;
  for (std::size_t i = first; i < closed; ++i) sum.add(minutes_.at(i));
  const auto open = open_minute(now);
  if (open) sum.add(*open);
  if (sum.empty() && minutes_.empty()) {
    if (const auto day = open_day(now)) sum.add(*day);
  }
  if (first > 0) t.previous_close = minutes_.close[first - 1];
  if (sum.empty()) {
    t.open = t.high = t.low = t.last = t.previous_close;
    return t;
  }
  const Kline k = sum.total(t.open_time);
  t.open = k.open;
  t.high = k.high;
  t.low = k.low;
  t.last = k.close;
  if (first == 0) t.previous_close = k.open;
  t.volume = k.volume;
  t.quote_volume = k.quote_volume;
  t.trades = k.trades;
  if (k.trades > 0) {
    t.first_trade = minutes_.empty() ? 0 : trades_before_[first];
    t.last_trade = t.first_trade + k.trades - 1;
    t.last_quantity = round_to(k.volume / static_cast<double>(k.trades), quantity_places_);
  }
  return t;
}

std::pair<std::string, std::string> split_symbol(const std::string& symbol) {
  static constexpr std::array<std::string_view, 24> kQuotes{
      "FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDP", "USDS", "IDRT", "BIDR", "BVND", "DOGE", "EURI",
      "BTC",   "ETH",  "BNB",  "EUR",  "TRY",  "BRL",  "GBP",  "AUD",  "RUB",  "UAH",  "JPY",  "DAI"};
  for (const std::string_view quote : kQuotes) {
    if (symbol.size() > quote.size() && symbol.ends_with(quote)) {
      return {symbol.substr(0, symbol.size() - quote.size()), std::string(quote)};
    }
  }
  return {symbol.substr(0, symbol.size() / 2), symbol.substr(symbol.size() / 2)};
}

}  // namespace chandler::sim
