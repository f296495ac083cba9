#include "speed/state.hpp"

#include <gtest/gtest.h>

#include <map>

#include "candles/test_klines.hpp"

namespace chandler::speed {
namespace {

using candles::testing::random_kline;

constexpr std::int64_t kStart = 1'700'000'000'000 / kDayMs * kDayMs;

struct Event {
  std::string symbol;
  std::int64_t event_time;
  bool closed;
  candles::Kline kline;
  MinuteEvent view() const { return {symbol, event_time, closed, kline}; }
};

// Minutes of two symbols over two days' turn, some with corrections, all with open sights before.
std::vector<Event> market(Random& random) {
  std::vector<Event> events;
  for (const char* symbol : {"BTCUSDT", "ETHUSDT"}) {
    for (int m = 1400; m < 1480; ++m) {
      const std::int64_t t = kStart + m * kMinuteMs;
      for (int s = 1; s < 4; ++s)
        events.push_back({symbol, t + s * 15'000, false, random_kline(random, t, candles::Source::stream)});
      if (random.chance(0.1)) continue;  // its close was lost
      events.push_back({symbol, t + kMinuteMs + 20, true, random_kline(random, t, candles::Source::stream)});
      if (random.chance(0.1))
        events.push_back(
            {symbol, t + kMinuteMs + 900, true, random_kline(random, t, candles::Source::stream)});
      if (random.chance(0.1))
        events.push_back(
            {symbol, t + kMinuteMs + 900, true, random_kline(random, t, candles::Source::stream)});
    }
  }
  return events;
}

// What must be stored whatever happens to the messages on their way.
struct Expected {
  std::map<std::pair<std::string, std::int64_t>, StoredMinute> closed;
  std::map<std::string, StoredMinute> open;
};
Expected expected(const std::vector<Event>& events) {
  Expected want;
  std::map<std::string, std::int64_t> last;
  for (const Event& e : events) {
    if (!e.closed) continue;
    const StoredMinute m{e.kline, e.event_time};
    const auto [it, added] = want.closed.try_emplace({e.symbol, e.kline.open_time}, m);
    if (!added && supersedes(m, it->second)) it->second = m;
    last[e.symbol] = std::max(last[e.symbol], e.kline.open_time);
  }
  for (const Event& e : events) {
    if (e.closed || e.kline.open_time <= last[e.symbol]) continue;
    const StoredMinute m{e.kline, e.event_time};
    const auto [it, added] = want.open.try_emplace(e.symbol, m);
    const auto age = [](const StoredMinute& s) { return std::pair(s.kline.open_time, s.event_time); };
    if (!added && age(m) > age(it->second)) it->second = m;
  }
  return want;
}

bool same(const StoredMinute& a, const StoredMinute& b) {
  return a.event_time == b.event_time && candles::same_values(a.kline, b.kline);
}

TEST(State, AnyOrderAndAnyDuplicationOfTheEventsEndsInTheSameMinutes) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Random random(seed);
    auto events = market(random);
    const Expected want = expected(events);
    for (std::size_t n = events.size(), i = 0; i < n / 3; ++i) events.push_back(events[random.below(n)]);
    for (std::size_t i = events.size(); i > 1; --i) std::swap(events[i - 1], events[random.below(i)]);

    State state(Millis{3'600'000});
    const auto stream = state.add_stream("klines/0", 0, std::nullopt);
    // Some batches fail to be stored and come back.
    std::map<std::pair<std::string, std::int64_t>, StoredMinute> stored;
    std::map<std::string, lake::OpenCandle> open;
    const auto store = [&](const CommitBatch& batch) {
      for (const auto& changes : batch.symbols) {
        for (const auto& minute : changes.closed) {
          const auto [it, added] = stored.try_emplace({changes.symbol, minute.kline.open_time}, minute);
          if (!added && supersedes(minute, it->second)) it->second = minute;
        }
      }
      for (const auto& snapshot : batch.snapshots) {
        for (const auto& candle : snapshot.open) open[candle.symbol] = candle;
      }
    };
    for (std::size_t i = 0; i < events.size(); ++i) {
      state.apply(stream, events[i].view());
      state.advance(stream, static_cast<std::int64_t>(i) + 1);
      if (!random.chance(0.02)) continue;
      CommitBatch batch = state.take();
      if (random.chance(0.5)) {
        state.put_back(std::move(batch));
      } else {
        store(batch);
      }
    }
    const CommitBatch rest = state.take();
    ASSERT_EQ(rest.snapshots.size(), 1u);
    EXPECT_EQ(rest.snapshots[0].position, static_cast<std::int64_t>(events.size()));
    store(rest);
    EXPECT_FALSE(state.has_changes());

    ASSERT_EQ(stored.size(), want.closed.size()) << "seed " << seed;
    for (const auto& [key, minute] : want.closed)
      EXPECT_TRUE(same(stored.at(key), minute)) << "seed " << seed;
    for (const auto& [symbol, minute] : want.open) {
      ASSERT_TRUE(open.contains(symbol)) << "seed " << seed;
      EXPECT_EQ(open[symbol].kline.open_time, minute.kline.open_time);
      EXPECT_EQ(to_ms(open[symbol].event_time), minute.event_time);
    }
  }
}

TEST(State, AClosedCandleIsNeverReplacedByAnOpenOne) {
  Random random(1);
  State state(Millis{0});
  const auto stream = state.add_stream("live", std::nullopt, std::nullopt);
  const auto closed = random_kline(random, kStart, candles::Source::stream);
  const auto open = random_kline(random, kStart, candles::Source::stream);
  EXPECT_EQ(state.apply(stream, {"A", kStart + 60'001, true, closed}).effect, Effect::closed_minute);
  EXPECT_EQ(state.apply(stream, {"A", kStart + 90'000, false, open}).effect, Effect::repeated);
  const auto batch = state.take();
  ASSERT_EQ(batch.symbols.size(), 1u);
  EXPECT_TRUE(candles::same_values(batch.symbols[0].closed[0].kline, closed));
  EXPECT_TRUE(batch.snapshots[0].open.empty());
}

TEST(State, AnEventIsLateWhenItIsOlderThanTheWatermarkAndIsAppliedAllTheSame) {
  Random random(2);
  State state(Millis{3'600'000});
  const auto stream = state.add_stream("klines/0", std::nullopt, std::nullopt);
  const auto send = [&](int minute) {
    const std::int64_t t = kStart + minute * kMinuteMs;
    return state.apply(stream, {"A", t + kMinuteMs, true, random_kline(random, t, candles::Source::stream)});
  };
  EXPECT_FALSE(send(200).late);
  EXPECT_FALSE(send(140).late);
  const Applied late = send(139);
  EXPECT_TRUE(late.late);
  EXPECT_EQ(late.effect, Effect::closed_minute);
  EXPECT_EQ(state.take().minutes, 3u);
}

TEST(State, TheWatermarkIsThatOfTheSlowestStream) {
  Random random(3);
  State state(Millis{60'000});
  const auto slow = state.add_stream("klines/0", 5, from_ms(kStart));
  const auto fast = state.add_stream("klines/1", 5, std::nullopt);
  state.apply(fast, {"A", kStart + 3 * kDayMs, true, random_kline(random, kStart + 3 * kDayMs - kMinuteMs)});
  EXPECT_EQ(state.watermark(), from_ms(kStart));
  state.end_stream(slow);
  EXPECT_EQ(state.watermark(), from_ms(kStart + 3 * kDayMs - 60'000));
}

// Found by fuzzing: the sum overflowed.
TEST(DayMinutes, AnEventTimeBeyondAllTimeIsDamage) {
  candles::Klines rows;
  rows.push_back({.open_time = 1'714'521'600'000});
  EXPECT_FALSE(decode_event_times("9223372036854775807", rows));
  EXPECT_TRUE(decode_event_times("-60000", rows));
}

TEST(DayMinutes, JoiningIsIdempotentCommutativeAndAssociative) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Random random(seed);
    const auto some = [&] {
      std::vector<StoredMinute> minutes;
      for (int m = 0; m < 50; ++m) {
        const std::int64_t t = kStart + m * kMinuteMs;
        Random same_value(static_cast<std::uint64_t>(m) * 3 + random.below(3));
        if (random.chance(0.5))
          minutes.push_back(
              {random_kline(same_value, t), t + kMinuteMs + static_cast<std::int64_t>(random.below(2))});
      }
      return minutes;
    };
    const auto a = some(), b = some(), c = some();
    const auto text = [](const DayMinutes& d) {
      std::string out;
      for (std::size_t i = 0; i < d.size(); ++i) {
        out += std::to_string(d.rows.open_time[i]) + ' ' + std::to_string(d.event_times[i]) + ' ' +
               std::to_string(d.rows.close[i]) + '\n';
      }
      return out;
    };
    const auto after = [](const DayMinutes& d, const std::vector<StoredMinute>& changes) {
      return join(d, changes).minutes;
    };
    const DayMinutes abc = after(after(after({}, a), b), c);
    EXPECT_EQ(text(abc), text(after(after(after({}, c), a), b)));
    EXPECT_EQ(text(abc), text(after(abc, b)));
    EXPECT_FALSE(join(abc, a).changed());
    const auto back = decode_event_times(encode_event_times(abc), abc.rows);
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, abc.event_times);
    EXPECT_FALSE(decode_event_times(encode_event_times(abc) + ",1", abc.rows));
  }
}

}  // namespace
}  // namespace chandler::speed
