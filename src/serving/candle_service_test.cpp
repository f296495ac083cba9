#include "serving/candle_service.hpp"

#include <arrow/buffer.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "base/random.hpp"
#include "candles/daily.hpp"
#include "lake/derived_file.hpp"

namespace chandler::serving {
namespace {

using candles::Interval;
using candles::Kline;
using candles::Klines;
using candles::Source;

constexpr Day kFirst{std::chrono::year{2024} / 1 / 29};

Timestamp at(std::string_view text) {
  return *parse_instant(text);
}

Kline kline(Timestamp t, Random& random, Source source) {
  Kline k;
  k.open_time = to_ms(t);
  k.low = 100 + random.uniform();
  k.high = k.low + random.uniform();
  k.open = k.low + (k.high - k.low) * random.uniform();
  k.close = k.low + (k.high - k.low) * random.uniform();
  k.volume = random.uniform() * 10;
  k.quote_volume = k.volume * k.close;
  k.taker_buy_volume = k.volume * random.uniform();
  k.taker_buy_quote_volume = k.taker_buy_volume * k.close;
  k.trades = static_cast<std::int64_t>(random.below(1000));
  k.source = source;
  return k;
}

using Minutes = std::map<std::int64_t, Kline>;

Klines columns(const Minutes& minutes, TimeRange range) {
  Klines rows;
  for (auto it = minutes.lower_bound(to_ms(range.begin)); it != minutes.end() && it->first < to_ms(range.end);
       ++it)
    rows.push_back(it->second);
  return rows;
}

// A lake on disk, and what the serving layer must make of it in a map.
class Lake {
 public:
  Lake() : root_(std::filesystem::path(::testing::TempDir()) / name()) {
    std::filesystem::remove_all(root_);
    storage_ = *lake::open_local_storage(root_.string());
  }
  ~Lake() { std::filesystem::remove_all(root_); }

  lake::Storage& storage() { return *storage_; }
  SymbolSeries series() { return *SymbolSeries::open(*storage_, "BTCUSDT"); }

  void put(const lake::PendingFile& file) { ASSERT_TRUE(storage_->replace(std::span(&file, 1))); }

  void write_batch() {
    for (auto m = month_of(kFirst); m <= month_of(kFirst) + std::chrono::months{3};
         m += std::chrono::months{1}) {
      const Klines rows = columns(batch, {begin_of(m), end_of(m)});
      if (!rows.empty()) put(*lake::kline_file(lake::minutes_partition("BTCUSDT", m), rows, {}));
    }
  }
  void write_speed() {
    for (Day d = kFirst; d < kFirst + std::chrono::days{120}; d += std::chrono::days{1}) {
      const Klines rows = columns(speed, {begin_of(d), end_of(d)});
      if (!rows.empty()) put(*lake::kline_file(lake::speed_partition("BTCUSDT", d), rows, {}));
    }
  }
  // daily_filled of the batch's closed days.
  void write_days(Day until) {
    candles::Carry carry;
    for (auto m = month_of(kFirst); first_day(m) < until; m += std::chrono::months{1}) {
      const Klines rows = columns(batch, {begin_of(m), std::min(end_of(m), begin_of(until))});
      const auto bars = candles::roll_up(candles::spans_of(rows), Interval::d1);
      const Day end = std::min(until, first_day(m + std::chrono::months{1}));
      const auto days = candles::fill_days(bars, std::max(first_day(m), kFirst), end, carry);
      put(*lake::daily_file(lake::daily_partition("BTCUSDT", m), days, {}, carry));
    }
  }
  void write_snapshot(const lake::SpeedSnapshot& snapshot) {
    ASSERT_TRUE(storage_->replace_text(lake::snapshot_path(snapshot.stream), lake::to_text(snapshot)));
  }

  Minutes batch, speed;

 private:
  static std::string name() {
    return std::string("serving-") + ::testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  std::filesystem::path root_;
  std::shared_ptr<lake::Storage> storage_;
};

// Minutes from the first day on: batch up to `seam` with holes, speed around it with other values.
void fill_randomly(Lake& lake, Random& random, Timestamp seam, Timestamp end) {
  const Timestamp hole = begin_of(kFirst) + 12 * kDay;
  for (Timestamp t = begin_of(kFirst) + 7 * kMinute; t < end; t += kMinute) {
    const bool lost = t >= hole && t < hole + 2 * kDay + 3 * kMinute;
    if (t < seam && !lost && random.uniform() > 0.02)
      lake.batch[to_ms(t)] = kline(t, random, Source::archive);
    if (t > seam - 3 * kDay && random.uniform() > 0.02)
      lake.speed[to_ms(t)] = kline(t, random, Source::stream);
  }
}

// The definition, candle by candle over a map.
std::map<std::int64_t, Kline> expected(const Lake& lake, Interval interval) {
  Minutes all = lake.batch;
  all.insert(lake.speed.begin(), lake.speed.end());  // does not replace
  const auto roll = [](const Minutes& parts, Interval by) {
    Minutes out;
    for (const auto& [t, k] : parts) {
      const auto [it, fresh] = out.try_emplace(to_ms(candles::begin_of(by, from_ms(t))), k);
      if (fresh) continue;
      Kline& bar = it->second;
      bar.high = std::max(bar.high, k.high);
      bar.low = std::min(bar.low, k.low);
      bar.close = k.close;
      bar.volume += k.volume;
      bar.quote_volume += k.quote_volume;
      bar.taker_buy_volume += k.taker_buy_volume;
      bar.taker_buy_quote_volume += k.taker_buy_quote_volume;
      bar.trades += k.trades;
    }
    for (auto& [t, k] : out) k.open_time = t;
    return out;
  };
  return interval > Interval::d1 ? roll(roll(all, Interval::d1), interval) : roll(all, interval);
}

bool same_prices(const Kline& a, const Kline& b) {
  return a.open_time == b.open_time && a.open == b.open && a.high == b.high && a.low == b.low &&
         a.close == b.close && a.volume == b.volume && a.quote_volume == b.quote_volume &&
         a.trades == b.trades;
}

TEST(CandleService, EveryIntervalIsTheRollUpOfTheUnionWhicheverWayItIsRead) {
  Random random(1);
  Lake lake;
  const Timestamp seam = begin_of(kFirst) + 40 * kDay + 500 * kMinute;
  fill_randomly(lake, random, seam, seam + 5 * kDay + 77 * kMinute);
  lake.write_batch();
  lake.write_speed();
  for (const bool with_days : {false, true}) {
    if (with_days) lake.write_days(day_of(seam));
    const auto series = lake.series();
    for (const Interval interval : candles::kIntervals) {
      SCOPED_TRACE(candles::name(interval));
      const auto want = expected(lake, interval);
      for (const Detail detail : {Detail::all, Detail::prices}) {
        const auto got = read_candles(series, {.interval = interval, .detail = detail});
        ASSERT_TRUE(got);
        ASSERT_EQ(got->size(), want.size());
        std::size_t i = 0;
        for (const auto& [t, k] : want) {
          const Kline row = got->rows.at(i++);
          ASSERT_TRUE(detail == Detail::all ? candles::same_values(row, k) : same_prices(row, k))
              << format_instant(from_ms(t));
        }
      }
    }
  }
}

TEST(CandleService, ARangeGivesTheSameCandlesAsTheWholeCutToIt) {
  Random random(2);
  Lake lake;
  const Timestamp seam = begin_of(kFirst) + 20 * kDay;
  fill_randomly(lake, random, seam, seam + 2 * kDay);
  lake.write_batch();
  lake.write_speed();
  lake.write_days(day_of(seam));
  const auto series = lake.series();
  for (int round = 0; round < 60; ++round) {
    const Interval interval = candles::kIntervals[random.below(candles::kIntervals.size())];
    CandleQuery query{.interval = interval, .fill = random.chance(0.5)};
    const auto whole = read_candles(series, query);
    query.from = begin_of(kFirst) + Millis{static_cast<std::int64_t>(random.below(25 * kDayMs))} - kDay;
    query.to = *query.from + Millis{static_cast<std::int64_t>(random.below(9 * kDayMs))};
    SCOPED_TRACE(std::string(candles::name(interval)) + " " + format_range({*query.from, *query.to}));
    const auto part = read_candles(series, query);
    ASSERT_TRUE(whole && part);
    std::size_t next = 0;
    for (std::size_t i = 0; i < whole->size(); ++i) {
      const Timestamp t = from_ms(whole->rows.open_time[i]);
      if (t < *query.from || t >= *query.to) continue;
      ASSERT_LT(next, part->size());
      EXPECT_TRUE(candles::same_values(whole->rows.at(i), part->rows.at(next)));
      EXPECT_EQ(whole->minutes[i], part->minutes[next]);
      EXPECT_EQ(whole->filled[i], part->filled[next]);
      EXPECT_EQ(whole->provisional[i], part->provisional[next]);
      ++next;
    }
    EXPECT_EQ(next, part->size());
  }
}

TEST(CandleService, FillLeavesNoCandleOutAndCarriesTheLastClose) {
  Random random(3);
  Lake lake;
  const Timestamp seam = begin_of(kFirst) + 20 * kDay;
  fill_randomly(lake, random, seam, seam);
  lake.write_batch();
  const auto series = lake.series();
  for (const Interval interval : candles::kIntervals) {
    SCOPED_TRACE(candles::name(interval));
    const auto plain = read_candles(series, {.interval = interval});
    const auto filled = read_candles(series, {.interval = interval, .fill = true});
    ASSERT_TRUE(plain && filled);
    std::size_t real = 0;
    for (std::size_t i = 0; i < filled->size(); ++i) {
      if (i > 0) {
        const Timestamp previous = from_ms(filled->rows.open_time[i - 1]);
        ASSERT_EQ(filled->rows.open_time[i], to_ms(candles::end_of(interval, previous)));
      }
      if (filled->filled[i] == 0) {
        EXPECT_TRUE(candles::same_values(filled->rows.at(i), plain->rows.at(real++)));
        continue;
      }
      const Kline k = filled->rows.at(i);
      const double close = filled->rows.close[i - 1];
      EXPECT_TRUE(k.open == close && k.high == close && k.low == close && k.close == close);
      EXPECT_EQ(k.volume, 0);
      EXPECT_EQ(k.trades, 0);
      EXPECT_EQ(filled->minutes[i], 0);
    }
    EXPECT_EQ(real, plain->size());
  }
}

TEST(CandleService, OnlyWhatMayStillChangeIsProvisional) {
  Random random(4);
  Lake lake;
  for (Timestamp t = at("2024-01-29T00:00"); t < at("2024-01-30T12:00"); t += kMinute)
    lake.batch[to_ms(t)] = kline(t, random, Source::rest);
  for (Timestamp t = at("2024-01-30T12:00"); t < at("2024-01-31T00:20"); t += kMinute)
    lake.speed[to_ms(t)] = kline(t, random, Source::stream);
  lake.write_batch();
  lake.write_speed();
  lake::SpeedSnapshot snapshot{"klines/0", 77, at("2024-01-30T23:20:30"), {}};
  snapshot.open.push_back(
      {"BTCUSDT", at("2024-01-31T00:20:30"), kline(at("2024-01-31T00:20"), random, Source::stream)});
  snapshot.open.push_back(
      {"ETHUSDT", at("2024-01-31T00:20:40"), kline(at("2024-01-31T00:20"), random, Source::stream)});
  lake.write_snapshot(snapshot);

  const auto provisional = [&](Interval interval) {
    std::vector<std::string> which;
    const auto all = *read_candles(lake.series(), {.interval = interval});
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all.provisional[i] != 0) which.push_back(format_minute(from_ms(all.rows.open_time[i])));
    }
    return which;
  };
  using ::testing::ElementsAre;
  EXPECT_THAT(provisional(Interval::m1), ElementsAre("2024-01-31 00:20"));
  EXPECT_THAT(provisional(Interval::m5), ElementsAre("2024-01-31 00:20"));
  EXPECT_THAT(provisional(Interval::m15), ElementsAre("2024-01-31 00:15"));
  EXPECT_THAT(provisional(Interval::d1), ElementsAre("2024-01-30 00:00", "2024-01-31 00:00"));
  EXPECT_THAT(provisional(Interval::mo1), ElementsAre("2024-01-01 00:00"));

  snapshot.watermark = at("2024-01-31T00:00");
  lake.write_snapshot(snapshot);
  EXPECT_THAT(provisional(Interval::d1), ElementsAre("2024-01-31 00:00"));

  // The open candle's volume is part of the provisional day.
  const auto days = *read_candles(lake.series(), {.interval = Interval::d1});
  EXPECT_EQ(days.rows.close.back(), snapshot.open[0].kline.close);
  EXPECT_EQ(days.minutes.back(), 21);
}

TEST(CandleService, AnImportedHistoryEndsWithItsLastMinuteAndItsDayIsOpenWhileTheMarketIsFollowed) {
  Lake lake;
  Random random(5);
  const Timestamp start = begin_of(kFirst + std::chrono::days{30});
  for (int m = 0; m < 90; ++m)
    lake.batch[to_ms(start + m * kMinute)] = kline(start + m * kMinute, random, Source::import);
  lake.write_batch();
  CandleQuery query;
  query.interval = Interval::m1;
  query.fill = true;
  EXPECT_EQ(read_candles(lake.series(), query)->size(), 90u) << "nothing is made up for the rest of the day";
  query.interval = Interval::d1;
  EXPECT_THAT(read_candles(lake.series(), query)->provisional, ::testing::ElementsAre(0))
      << "a file has no open day";

  for (int m = 90; m < 95; ++m)
    lake.speed[to_ms(start + m * kMinute)] = kline(start + m * kMinute, random, Source::stream);
  lake.write_speed();
  lake.write_snapshot({"live", std::nullopt, start + 60 * kMinute, {}});
  EXPECT_THAT(read_candles(lake.series(), query)->provisional, ::testing::ElementsAre(1));
}

TEST(CandleService, AClosedMinuteIsNeverHiddenByAnOpenOne) {
  Random random(5);
  Lake lake;
  const Timestamp t = at("2024-02-01T10:00");
  lake.speed[to_ms(t)] = kline(t, random, Source::stream);
  lake.write_speed();
  lake.write_snapshot(
      {"live", std::nullopt, std::nullopt, {{"BTCUSDT", t + kMinute, kline(t, random, Source::stream)}}});
  const auto rows = *read_candles(lake.series(), {.interval = Interval::m1});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_TRUE(candles::same_values(rows.rows.at(0), lake.speed[to_ms(t)]));
  EXPECT_EQ(rows.provisional[0], 0);
}

TEST(CandleService, DaysWithoutMinutesComeFromTheExchangesDays) {
  Random random(6);
  Lake lake;
  Klines days;
  for (int d = 0; d < 5; ++d) days.push_back(kline(begin_of(kFirst) + d * kDay, random, Source::rest));
  lake.put(*lake::kline_file(lake::days_partition("BTCUSDT", 2024), days, {}));
  const Timestamp third = begin_of(kFirst) + 2 * kDay;
  for (int m = 0; m < 1440; ++m)
    lake.batch[to_ms(third + m * kMinute)] = kline(third + m * kMinute, random, Source::rest);
  lake.write_batch();
  const auto got = *read_candles(lake.series(), {.interval = Interval::d1});
  ASSERT_EQ(got.size(), 5u);
  EXPECT_THAT(got.minutes, ::testing::ElementsAre(0, 0, 1440, 0, 0));
  EXPECT_TRUE(candles::same_values(got.rows.at(4), days.at(4)));
  EXPECT_EQ(got.rows.open[2], lake.batch.begin()->second.open);
}

TEST(CandleService, TheNewestCandlesAreTheEndOfAll) {
  Random random(7);
  Lake lake;
  const Timestamp seam = begin_of(kFirst) + 20 * kDay;
  fill_randomly(lake, random, seam, seam + kDay);
  lake.write_batch();
  lake.write_speed();
  const auto series = lake.series();
  for (const Interval interval : candles::kIntervals) {
    for (const std::size_t count : {1u, 7u, 3000u, 1000000u}) {
      auto all = *read_candles(series, {.interval = interval});
      all.keep_last(count);
      const auto last = read_last(series, {.interval = interval}, count);
      ASSERT_TRUE(last);
      EXPECT_EQ(last->rows.open_time, all.rows.open_time) << candles::name(interval) << ' ' << count;
      EXPECT_EQ(last->rows.volume, all.rows.volume);
    }
  }
}

TEST(CandleService, ASymbolThatIsNotThereIsNotFound) {
  Lake lake;
  EXPECT_EQ(SymbolSeries::open(lake.storage(), "BTCUSDT").error().code, ErrorCode::not_found);
}

// Found by fuzzing: a line break in a name was written as it is, which no JSON parser takes.
TEST(SpeedSnapshot, AnyNameReadsBack) {
  const lake::SpeedSnapshot snapshot{"a\n\x01\"\\/0", 7, std::nullopt, {}};
  const auto back = lake::parse_snapshot(lake::to_text(snapshot));
  ASSERT_TRUE(back) << to_text(back.error());
  EXPECT_EQ(back->stream, snapshot.stream);
}

TEST(SpeedSnapshot, ComesBackAsItWasWritten) {
  Random random(8);
  lake::SpeedSnapshot snapshot{"klines/3", 12345678901, at("2024-02-01T10:00"), {}};
  for (const char* symbol : {"BTCUSDT", "Q\"\\", "币安人生USDT"}) {
    Kline k = kline(at("2024-02-01T10:00"), random, Source::stream);
    k.quote_volume = candles::kUnknown;
    k.volume *= 1e-9;
    snapshot.open.push_back({symbol, at("2024-02-01T10:00:01.5"), k});
  }
  const auto back = lake::parse_snapshot(lake::to_text(snapshot));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->stream, snapshot.stream);
  EXPECT_EQ(back->position, snapshot.position);
  EXPECT_EQ(back->watermark, snapshot.watermark);
  ASSERT_EQ(back->open.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(back->open[i].symbol, snapshot.open[i].symbol);
    EXPECT_TRUE(candles::same_values(back->open[i].kline, snapshot.open[i].kline));
  }
  const std::string text = lake::to_text(snapshot);
  for (std::size_t cut = 0; cut + 2 < text.size(); ++cut)
    EXPECT_FALSE(lake::parse_snapshot(text.substr(0, cut)));
}

}  // namespace
}  // namespace chandler::serving
