// Lakes for the tests of web/: seeded random walks, with holes where a test wants them.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "batch/derive.hpp"
#include "lake/kline_file.hpp"
#include "lake/speed_snapshot.hpp"

namespace chandler::web {

class TestLake {
 public:
  TestLake() {
    std::string pattern = (std::filesystem::temp_directory_path() / "chandler-web-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
    auto opened = lake::open_local_storage(path_);
    EXPECT_TRUE(opened);
    storage_ = *opened;
  }
  TestLake(const TestLake&) = delete;
  TestLake& operator=(const TestLake&) = delete;
  ~TestLake() { std::filesystem::remove_all(path_); }

  const std::shared_ptr<lake::Storage>& storage() const { return storage_; }

  // Minutes of [begin, begin + minutes) but those of `holes`; returns what was stored.
  candles::Klines add_minutes(const std::string& symbol, Timestamp begin, std::size_t minutes,
                              const RangeSet& holes = {}, std::uint64_t seed = 1) {
    Random random(seed);
    candles::Klines all;
    double price = 30'000 + static_cast<double>(random.below(2'000'000)) / 100;
    for (std::size_t i = 0; i < minutes; ++i) {
      candles::Kline k;
      k.open_time = to_ms(begin) + static_cast<std::int64_t>(i) * kMinuteMs;
      const auto step = [&] { return static_cast<double>(random.below(4001)) / 100 - 20; };
      k.open = round2(price);
      k.close = round2(std::max(1.0, price + step()));
      k.high = round2(std::max(k.open, k.close) + static_cast<double>(random.below(500)) / 100);
      k.low = round2(std::min(k.open, k.close) - static_cast<double>(random.below(500)) / 100);
      k.volume = static_cast<double>(random.below(1'000'000)) / 100'000;
      k.quote_volume = round2(k.volume * k.close);
      k.taker_buy_volume = static_cast<double>(random.below(1'000'000)) / 1'000'000;
      k.taker_buy_quote_volume = round2(k.taker_buy_volume * k.close);
      k.trades = static_cast<std::int64_t>(random.below(900));
      k.source = candles::Source::archive;
      price = k.close;
      if (!holes.contains(from_ms(k.open_time))) all.push_back(k);
    }
    std::map<year_month, candles::Klines> months;
    for (std::size_t i = 0; i < all.size(); ++i)
      months[month_of(from_ms(all.open_time[i]))].push_back(all.at(i));
    const TimeRange asked{begin, begin + Millis{static_cast<std::int64_t>(minutes) * kMinuteMs}};
    for (const auto& [month, rows] : months) {
      const auto partition = lake::minutes_partition(symbol, month);
      const TimeRange range{std::max(asked.begin, begin_of(month)), std::min(asked.end, end_of(month))};
      auto file = lake::kline_file(partition, rows, RangeSet{range});
      EXPECT_TRUE(file) << (file ? "" : to_text(file.error()));
      EXPECT_TRUE(storage_->replace(std::span(&*file, 1)));
    }
    return all;
  }

  void derive(const std::string& symbol) {
    NoProgress progress;
    const auto derived = batch::derive(*storage_, {symbol}, batch::Extent::everything, progress);
    EXPECT_TRUE(derived) << (derived ? "" : to_text(derived.error()));
  }

  // The candle that is open now, as the speed layer writes it down.
  void set_open(const std::string& symbol, const candles::Kline& kline, Timestamp event_time) {
    lake::SpeedSnapshot snapshot;
    snapshot.stream = "live";
    snapshot.watermark = event_time - kMinute;
    snapshot.open.push_back({symbol, event_time, kline});
    EXPECT_TRUE(storage_->replace_text(lake::snapshot_path("live"), lake::to_text(snapshot)));
  }

 private:
  static double round2(double value) { return std::round(value * 100) / 100; }

  std::string path_;
  std::shared_ptr<lake::Storage> storage_;
};

}  // namespace chandler::web
