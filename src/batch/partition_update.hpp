// One partition that is being fetched: rows and answers gather here until the last piece is in, then the file
// is replaced.
#pragma once

#include "batch/backfill_plan.hpp"
#include "batch/page_fetch.hpp"
#include "lake/kline_file.hpp"

namespace chandler::batch {

// Not thread safe.
class PartitionUpdate {
 public:
  PartitionUpdate(lake::Partition partition, std::size_t pieces)
      : partition_(std::move(partition)), open_pieces_(pieces) {}

  // Takes what one piece brought, and from where; true once every piece has come.
  bool take(Fetched fetched, Piece::Origin origin);
  // More pieces than planned, e.g. because an archive was not there.
  void expect(std::size_t pieces) { open_pieces_ += pieces; }
  // Also asked for, beyond this partition: the silence before a symbol's first candle.
  void also_answered(TimeRange range) { answered_.add(range); }

  // Cleans what came, merges it with what is stored and replaces the file, if that changes anything. What
  // happened is added to the symbol's report. Unanswered ranges and notes are handed to the report in any
  // case.
  Status commit(lake::Storage& storage, candles::Interval interval, candles::Ties ties,
                SymbolBackfill& report);

  bool has_something() const {
    return !pages_.empty() || !answered_.empty() || !unanswered_.empty() || !notes_.empty();
  }

 private:
  lake::Partition partition_;
  std::size_t open_pieces_;
  std::vector<candles::Klines> pages_;  // each in order of time, in order of arrival
  RangeSet answered_;
  Origins came_from_;
  std::size_t truncated_ = 0;
  std::size_t rejected_lines_ = 0;
  std::vector<Unanswered> unanswered_;
  std::vector<std::string> notes_;
};

}  // namespace chandler::batch
