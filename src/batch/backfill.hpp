// The batch layer's main job: find what is missing per symbol, fetch it, store it partition by partition as
// it completes, then derive what changed.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "batch/backfill_figures.hpp"
#include "batch/backfill_plan.hpp"
#include "batch/derive.hpp"
#include "candles/clean.hpp"
#include "candles/interval.hpp"
#include "candles/merge.hpp"
#include "exchange/archive_client.hpp"
#include "exchange/rest_client.hpp"

namespace chandler::batch {

struct BackfillOptions {
  std::vector<std::string> symbols;  // those of the lake if empty
  std::string all_of_quote;          // every trading pair of this quote asset as well
  std::optional<Timestamp> since;    // default: what is stored first, or the exchange's first candle
  std::optional<Timestamp> until;    // exclusive; default: the exchange's present minute (or day)
  candles::Interval interval = candles::Interval::m1;  // m1 or d1
  KlineSource source = KlineSource::automatic;
  bool refetch = false;  // ask again also for what is stored or has been asked, and let the answer win
  // By symbol: ranges that are wanted whatever else is, of which the lake may have lost what it knew.
  std::map<std::string, RangeSet> also;
  bool only_also = false;                                               // these and nothing else
  std::size_t in_flight = 8;                                            // requests at a time
  std::chrono::nanoseconds deadline = std::chrono::nanoseconds::max();  // of the job, on the clock's steady()
};

// What the job works with. All of it outlives the call.
struct BackfillEnvironment {
  lake::Storage& storage;
  exchange::RestClient& rest;
  exchange::ArchiveClient* archive = nullptr;  // none: everything by REST
  Clock& clock;
  Progress& progress;
  std::stop_token stop;
  BackfillFigures* figures = nullptr;  // counted here as well, where somebody watches
};

// A range for which no answer was had, and why.
struct Unanswered {
  TimeRange range;
  Error error;
};

// Who answered for which range, holes included.
struct Origins {
  RangeSet months, days;  // the archive's monthly and daily files
  RangeSet rest;
};

struct SymbolBackfill {
  std::string symbol;
  std::size_t stored_before = 0;            // candles in the lake when the job began
  RangeSet missing;                         // what had to be asked for
  std::size_t fetched = 0;                  // candles received and possible
  std::size_t added = 0, replaced = 0;      // of these, new ones and ones that took a stored one's place
  std::size_t truncated_close_times = 0;    // normalised
  std::size_t rejected_rows = 0;            // impossible candles, and lines of archives that are none
  std::vector<candles::Rejected> rejected;  // the first kNamed of them
  std::size_t different_rows = 0;
  std::vector<candles::Difference> differences;  // the first kNamed of them
  std::size_t files_written = 0;
  std::vector<Unanswered> unanswered;
  std::vector<std::string> notes;  // e.g. an archive that failed its checksum, so that REST was asked
  Origins came_from;
  RangeSet holes;  // asked for, and the exchange has nothing there
  // The market does not trade now (`status`: BREAK, HALT, …), and the exchange has nothing from here on. No
  // failure, but no hole either: it is asked again next time.
  std::optional<Timestamp> nothing_from;
  std::string status;
  std::optional<Error> error;  // the symbol could not be worked on at all
  Derived derived;
};
inline constexpr std::size_t kNamed = 100;

struct BackfillReport {
  std::vector<SymbolBackfill> symbols;
  // Pairs of all_of_quote that do not trade now and are not in the lake: nothing is fetched of them.
  std::vector<std::string> left_out;
  Timestamp exchange_now;
  std::chrono::nanoseconds duration{0};
  std::int64_t weight_used = 0;
  exchange::RestCounters requests;
  exchange::ArchiveCounters archive;
  bool interrupted = false;

  bool nothing_was_missing() const;
  bool complete() const;  // no symbol has an error or an unanswered range
};

// The caller holds the lake's lock. Fails as a whole only if nothing could be begun: the exchange's clock
// cannot be reached, a lake that cannot be read. Everything that was fetched before a failure or a stop is
// stored.
Result<BackfillReport> backfill(const BackfillEnvironment& environment, const BackfillOptions& options);

}  // namespace chandler::batch
