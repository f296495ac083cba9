// One range of one symbol by REST, to the end: either every minute of it is accounted for, present or known
// by the exchange to be absent, or the part that is not is named with the reason.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/range_set.hpp"
#include "batch/backfill.hpp"

namespace chandler::batch {

struct Fetched {
  candles::Klines rows;  // not yet cleaned
  RangeSet answered;     // the exchange has said all it has for these
  std::size_t truncated_close_times = 0;
  std::size_t rejected_lines = 0;  // of archives
  std::vector<Unanswered> unanswered;
  std::vector<std::string> notes;
};

// Where the exchange has said that a symbol has no candles. Shared by the requests of one symbol, so that a
// long silence costs one question and not one per page. Thread safe.
class KnownSilence {
 public:
  void learn(TimeRange silent);
  bool covers(TimeRange range) const;
  // The market has closed: nothing at `t` or after it.
  void learn_end(Timestamp t);
  bool is_after_end(Timestamp t) const;
  std::optional<Timestamp> end() const;

 private:
  mutable std::mutex mutex_;
  RangeSet silent_;
  std::optional<Timestamp> end_;
};

// What one fetch is about.
struct FetchTarget {
  const std::string& symbol;
  candles::Interval interval;
  exchange::Call call;
};

// An empty or short answer is not believed at once: the exchange is asked for the next candle it has. If that
// lies beyond the range, the range is silent (a hole of the exchange's own). If it lies inside, the answer
// was wrong and the range is asked again, a few times. If there is none at all, then the range is unanswered:
// for a market that trades, there has to be a candle sooner or later. For one that does not (`trades` is
// asked only then) it lies after the market's end, which `silence` learns, and is neither answered nor
// unanswered.
Fetched fetch_by_rest(exchange::RestClient& rest, const FetchTarget& target, TimeRange range,
                      KnownSilence& silence, const std::function<bool()>& trades);

// The rows whose open time is in the set, in their order.
candles::Klines rows_within(const candles::Klines& rows, const RangeSet& wanted);

}  // namespace chandler::batch
