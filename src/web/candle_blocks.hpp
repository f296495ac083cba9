// A symbol's candles of one month at one interval, as the serving layer makes them, kept until the symbol's
// files change. Bounded by bytes, so a lake of any size is served from the same memory.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>

#include "candles/roll_up.hpp"
#include "serving/symbol_series.hpp"
#include "web/lake_watch.hpp"

namespace chandler::web {

using BlockPtr = std::shared_ptr<const candles::Bars>;
using SeriesPtr = std::shared_ptr<const serving::SymbolSeries>;

// A symbol's series and the state of the files that it was opened on.
struct OpenSeries {
  SeriesPtr series;
  std::shared_ptr<const SymbolFiles> files;
  // Changes with any file that a candle of the month is made of.
  std::uint64_t version_of(year_month month) const;
};

// Thread safe.
class CandleBlocks {
 public:
  CandleBlocks(std::shared_ptr<const lake::Storage> storage, std::size_t max_bytes)
      : storage_(std::move(storage)), max_bytes_(max_bytes) {}

  // Opened once for each state of the symbol's files.
  Result<OpenSeries> open(const SymbolFiles& files);
  // batch ∪ speed of one month, rolled up; only what is known, nothing filled. `interval` divides a day. An
  // empty block where the month has nothing.
  Result<BlockPtr> read(const OpenSeries& series, year_month month, candles::Interval interval,
                        serving::Detail detail);

  std::size_t bytes() const;

 private:
  struct Key {
    std::string symbol;
    int month;  // months since year 0
    candles::Interval interval;
    serving::Detail detail;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Entry {
    Key key;
    std::uint64_t version;  // of the month
    BlockPtr block;
    std::size_t bytes;
  };

  Result<candles::Bars> make(const OpenSeries& open, year_month month, candles::Interval interval,
                             serving::Detail detail);
  BlockPtr find(const Key& key, std::uint64_t version);
  void store(Entry entry);

  std::shared_ptr<const lake::Storage> storage_;
  std::size_t max_bytes_;
  mutable std::mutex mutex_;
  std::map<std::string, OpenSeries> series_;
  std::list<Entry> entries_;  // the most recently used first
  std::map<Key, std::list<Entry>::iterator> by_key_;
  std::size_t bytes_ = 0;
};

}  // namespace chandler::web
