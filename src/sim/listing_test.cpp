#include "sim/listing.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "sim/decimal.hpp"
#include "sim/market.hpp"

namespace chandler::sim {
namespace {

Timestamp at(std::string_view text) {
  return *parse_instant(text);
}

std::shared_ptr<const Market> recorded() {
  const std::vector<std::string> places{CHANDLER_SOURCE_DIR "/tests/data/binance"};
  return std::move(*Market::load(places));
}

Kline minute(Timestamp t, double open, double high, double low, double close, double volume,
             std::int64_t trades) {
  Kline k;
  k.open_time = to_ms(t);
  k.open = open;
  k.high = high;
  k.low = low;
  k.close = close;
  k.volume = volume;
  k.quote_volume = volume * 2;
  k.taker_buy_volume = volume / 4;
  k.taker_buy_quote_volume = volume / 2;
  k.trades = trades;
  return k;
}

// One minute each hour from the instant on, price and volume 1, 2, 3, …
Listing hourly(Timestamp from, int hours) {
  Klines rows;
  for (int i = 0; i < hours; ++i) {
    const double p = i + 1;
    rows.push_back(minute(from + std::chrono::hours(i), p, p, p, p, p, 1));
  }
  return Listing("ABCUSDT", std::move(rows), {});
}

std::vector<std::int64_t> open_times(const std::vector<Candle>& candles) {
  std::vector<std::int64_t> times;
  for (const Candle& c : candles) times.push_back(c.values.open_time);
  return times;
}

TEST(Decimal, NumbersHaveEightPlacesAndNoExponent) {
  const auto text = [](double value, int places = 8) {
    std::string out;
    append_decimal(out, value, places);
    return out;
  };
  EXPECT_EQ(text(0), "0.00000000");
  EXPECT_EQ(text(71280), "71280.00000000");
  EXPECT_EQ(text(0.1 + 0.2), "0.30000000");
  EXPECT_EQ(text(5676307.94907570), "5676307.94907570");
  EXPECT_EQ(text(1e-8), "0.00000001");
  EXPECT_EQ(text(-0.001085), "-0.00108500");
  EXPECT_EQ(text(4.2265, 3), "4.227");
  EXPECT_EQ(text(-0.9999, 3), "-1.000");
  EXPECT_EQ(text(2e18), "2000000000000000000.00000000");
  EXPECT_EQ(text(46e9), "46000000000.00000000");
  EXPECT_EQ(text(47e9), "47000000000.00000000") << "beyond 64 bits of units";
  EXPECT_EQ(text(0.9999999951), "1.00000000");
  EXPECT_EQ(text(1.5, 0), "2");
  EXPECT_EQ(text(std::nan("")), "0.00000000");
  EXPECT_EQ(places_of(71280.5), 1);
  EXPECT_EQ(places_of(0.00000001), 8);
  EXPECT_EQ(places_of(100), 0);
}

TEST(Listing, DaysRolledUpFromMinutesAreTheExchangesOwnDays) {
  // The fixture's 1d file was recorded by somebody else, so it is an independent witness.
  const auto market = recorded();
  const Listing& btc = *market->find("BTCUSDT");
  const Listing without_days("BTCUSDT", btc.minutes(), {});
  for (const char* day : {"2023-03-24", "2024-05-31", "2024-06-01"}) {
    CandleQuery query{Interval::d1, at(day), at(day), 1, Millis{0}};
    const auto own = btc.candles(query, at("2025-01-01")),
               rolled = without_days.candles(query, at("2025-01-01"));
    ASSERT_EQ(own.size(), 1U) << day;
    ASSERT_EQ(rolled.size(), 1U) << day;
    EXPECT_EQ(own[0].values.open, rolled[0].values.open) << day;
    EXPECT_EQ(own[0].values.high, rolled[0].values.high) << day;
    EXPECT_EQ(own[0].values.low, rolled[0].values.low) << day;
    EXPECT_EQ(own[0].values.close, rolled[0].values.close) << day;
    EXPECT_EQ(own[0].values.volume, rolled[0].values.volume)
        << day << ": exact, because the sum is in units of 1e-8";
    EXPECT_EQ(own[0].values.trades, rolled[0].values.trades) << day;
    EXPECT_EQ(rolled[0].close_time, to_ms(at(day)) + kDayMs - 1);
  }
}

TEST(Listing, EveryIntervalSumsToTheSameWhole) {
  const auto market = recorded();
  const Listing& btc = *market->find("BTCUSDT");
  WideInt minutes = 0;
  for (const double v : btc.minutes().volume) minutes += to_units(v);
  for (const Interval interval : candles::kIntervals) {
    WideInt sum = 0;
    std::int64_t previous = -1;
    CandleQuery query{interval, at("2020-01-01"), std::nullopt, 100'000, Millis{0}};
    for (const Candle& c : Listing("BTCUSDT", btc.minutes(), {}).candles(query, at("2025-01-01"))) {
      sum += to_units(c.values.volume);
      EXPECT_GT(c.values.open_time, previous);
      EXPECT_LT(c.values.open_time, c.close_time);
      previous = c.close_time;
    }
    EXPECT_TRUE(sum == minutes) << name(interval);
  }
}

TEST(Listing, WeeksBeginOnMondayMonthsOnTheFirstAndThreeDaysOnTheExchangesGrid) {
  const Listing listing = hourly(at("2024-05-01"), 24 * 40);
  const auto first_of = [&](Interval interval, std::string_view start) {
    return open_times(listing.candles({interval, at(start), std::nullopt, 1, Millis{0}}, at("2024-12-01")))
        .at(0);
  };
  EXPECT_EQ(first_of(Interval::w1, "2024-05-01"), to_ms(at("2024-05-06")));
  EXPECT_EQ(first_of(Interval::mo1, "2024-05-02"), to_ms(at("2024-06-01")));
  EXPECT_EQ(first_of(Interval::d3, "2024-05-02") / kDayMs % 3, 1);
  EXPECT_EQ(first_of(Interval::w1, "2024-04-29"), to_ms(at("2024-04-29")))
      << "a week may begin before the listing";
}

TEST(Listing, StartAndEndAreInclusiveOnOpenTimes) {
  const Listing listing = hourly(at("2024-05-01"), 10);
  const Timestamp later = at("2024-06-01");
  const auto times = [&](std::optional<std::string_view> start, std::optional<std::string_view> end,
                         std::size_t limit) {
    CandleQuery query{Interval::h1, std::nullopt, std::nullopt, limit, Millis{0}};
    if (start) query.start = at(*start);
    if (end) query.end = at(*end);
    std::vector<std::int64_t> hours;
    for (const std::int64_t t : open_times(listing.candles(query, later)))
      hours.push_back((t - to_ms(at("2024-05-01"))) / 3'600'000);
    return hours;
  };
  using Hours = std::vector<std::int64_t>;
  EXPECT_EQ(times("2024-05-01T02:00Z", "2024-05-01T04:00Z", 500), (Hours{2, 3, 4}));
  EXPECT_EQ(times("2024-05-01T02:00:00.001Z", "2024-05-01T03:59:59.999Z", 500), (Hours{3}));
  EXPECT_EQ(times("2024-05-01T02:00Z", std::nullopt, 2), (Hours{2, 3})) << "with a start: the oldest";
  EXPECT_EQ(times(std::nullopt, "2024-05-01T04:00Z", 2), (Hours{3, 4})) << "without: the latest";
  EXPECT_EQ(times(std::nullopt, std::nullopt, 3), (Hours{7, 8, 9}));
  EXPECT_EQ(times("2024-05-01T05:00Z", "2024-05-01T04:00Z", 500), Hours{});
  EXPECT_EQ(times("2024-07-01", std::nullopt, 500), Hours{});
}

TEST(Listing, NothingOfTheFutureCanBeSeen) {
  const auto market = recorded();
  const Listing& btc = *market->find("BTCUSDT");
  const Timestamp now = at("2024-05-31T10:30:20Z");
  for (const Interval interval : candles::kIntervals) {
    for (const Candle& c : btc.candles({interval, std::nullopt, std::nullopt, 10, Millis{0}}, now)) {
      EXPECT_LE(from_ms(c.values.open_time), now) << name(interval);
    }
  }
  const auto day = btc.open_candle(Interval::d1, now);
  const auto whole = btc.candle_at(Interval::d1, at("2024-05-31"), at("2024-06-02"));
  ASSERT_TRUE(day && whole);
  EXPECT_LT(day->values.volume, whole->values.volume);
  EXPECT_LT(day->values.trades, whole->values.trades);
  EXPECT_GT(day->values.volume, 0);
}

TEST(Listing, TheOpenMinuteGrowsMonotonicallyIntoTheClosedOne) {
  const auto market = recorded();
  const Klines& minutes = market->find("BTCUSDT")->minutes();
  for (std::size_t row = 0; row < minutes.size(); row += 97) {
    const Kline whole = minutes.at(row);
    Kline before = grown(whole, Millis{0}, kMinute, 2, 5);
    EXPECT_EQ(before.close, whole.open);
    EXPECT_EQ(before.trades, 0);
    EXPECT_EQ(before.volume, 0);
    for (int ms = 250; ms <= kMinuteMs; ms += 250) {
      const Kline k = grown(whole, Millis{ms}, kMinute, 2, 5);
      ASSERT_GE(k.high, before.high);
      ASSERT_LE(k.low, before.low);
      ASSERT_GE(k.volume, before.volume);
      ASSERT_GE(k.trades, before.trades);
      ASSERT_LE(k.volume, whole.volume);
      ASSERT_LE(k.low, k.close);
      ASSERT_GE(k.high, k.close);
      ASSERT_EQ(k.open, whole.open);
      ASSERT_LE(places_of(k.close), 2) << "prices stay on the tick";
      ASSERT_LE(places_of(k.volume), 5) << "and quantities on the lot";
      before = k;
    }
    EXPECT_TRUE(candles::same_values(before, whole));
  }
}

TEST(Listing, AHoleInTheMinutesHasNoOpenMinuteButAnOpenHour) {
  const auto market = recorded();  // 2023-03-24 12:40–13:59 is missing
  const Listing& btc = *market->find("BTCUSDT");
  EXPECT_FALSE(btc.open_candle(Interval::m1, at("2023-03-24T12:50:30Z")));
  EXPECT_TRUE(btc.open_candle(Interval::h1, at("2023-03-24T12:50:30Z")));
  EXPECT_FALSE(btc.open_candle(Interval::h1, at("2023-03-24T13:10:00Z")));
}

TEST(Listing, DaysWithoutMinutesComeFromTheDailyFileAndGrowToo) {
  Klines days;
  for (int i = 0; i < 10; ++i) days.push_back(minute(at("2024-05-01") + i * kDay, 10, 20, 5, 15, 100, 1000));
  Klines minutes;
  minutes.push_back(minute(at("2024-05-08T00:00Z"), 1, 1, 1, 1, 1, 1));
  const Listing listing("ABCUSDT", std::move(minutes), std::move(days));
  const auto rows = listing.candles({Interval::d1, at("2024-05-01"), std::nullopt, 500, Millis{0}},
                                    at("2024-05-10T12:00Z"));
  ASSERT_EQ(rows.size(), 10U);
  EXPECT_EQ(rows[7].values.volume, 100) << "one minute is not a day: the daily file knows it whole";
  EXPECT_NEAR(rows[9].values.volume, 50, 1e-6) << "half of the open day";
  EXPECT_EQ(listing.first(), at("2024-05-01"));
}

TEST(Listing, TheDayTickerCoversTheLast24HoursAndTheMinuteThatIsOpen) {
  const Listing listing = hourly(at("2024-05-01"), 48);
  const DayTicker t = listing.ticker(at("2024-05-02T12:00:30Z"));
  // Hours 13 … 36 have prices 14 … 37; the last is half grown.
  EXPECT_EQ(t.open, 14);
  EXPECT_EQ(t.last, 37);
  EXPECT_EQ(t.previous_close, 13);
  EXPECT_EQ(t.high, 37);
  EXPECT_EQ(t.low, 14);
  EXPECT_EQ(t.volume, (14 + 36) * 23 / 2.0 + 18) << "half of 37, in whole lots";
  EXPECT_EQ(t.trades, 23) << "the one trade of the open minute comes at its end";
  EXPECT_EQ(t.first_trade, 13);
  EXPECT_EQ(t.last_trade, 35);
  EXPECT_EQ(t.close_time - t.open_time, kDay);
}

TEST(Listing, SymbolsAreSplitAtTheirQuoteAsset) {
  EXPECT_EQ(split_symbol("BTCUSDT"), std::pair(std::string("BTC"), std::string("USDT")));
  EXPECT_EQ(split_symbol("ETHBTC"), std::pair(std::string("ETH"), std::string("BTC")));
  EXPECT_EQ(split_symbol("USDCUSDT"), std::pair(std::string("USDC"), std::string("USDT")));
  EXPECT_EQ(split_symbol("BTCFDUSD"), std::pair(std::string("BTC"), std::string("FDUSD")));
}

}  // namespace
}  // namespace chandler::sim
