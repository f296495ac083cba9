// What the Home page shows of each symbol, kept up to date in the background: nobody waits for 500 symbols'
// footers.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "batch/status.hpp"
#include "lake/speed_snapshot.hpp"
#include "lake/speed_status.hpp"
#include "web/lake_watch.hpp"

namespace chandler::web {

// The 24 hours up to the last known candle; where only days are known, the last day.
struct DaySummary {
  Timestamp begin, end;
  double open = 0, high = 0, low = 0, close = 0;
  double previous_close = 0;  // of the candle before; the open where there is none
  double volume = 0, quote_volume = 0, last_quantity = 0;
  std::int64_t trades = 0;
};

struct SymbolOverview {
  std::string symbol;
  batch::SymbolStatus status;  // `lag` and `speed_minutes` are those of this overview
  std::optional<double> last_price;
  std::optional<Timestamp> last_time;  // end of the last known candle, or the last event
  std::optional<DaySummary> day;
  int price_places = 2, quantity_places = 5;  // decimals that the last 24 hours' prices and volumes needed
  std::vector<double> closes;                 // of the last days, oldest first
  std::optional<Timestamp> live_at;           // last event of the open candle
  std::int64_t bytes = 0;
  std::optional<Error> error;  // why something of the symbol could not be read
};

struct Problem {
  enum class Severity { info, warning, error };
  Severity severity = Severity::warning;
  std::string symbol;  // empty: the lake as a whole
  std::string what;
  std::string remedy;  // a command to run, where there is one
};

struct Overview {
  std::vector<std::shared_ptr<const SymbolOverview>> symbols;  // by name; those that have been read so far
  std::size_t total = 0;                                       // symbols of the lake
  std::optional<Timestamp> newest;                             // newest instant that any symbol knows
  std::vector<lake::SpeedSnapshot> streams;
  std::vector<Problem> problems;  // the worst first
  std::optional<Error> error;
};

// The worst first; at most one line a symbol and kind of problem.
std::vector<Problem> find_problems(const Overview& overview);
// The overview's, and the processes of the speed layer that have fallen silent by `now` without ending. Time
// alone brings these about, so they are found when somebody asks. One whose work a later process does is no
// problem.
std::vector<Problem> problems_at(Timestamp now, const Overview& overview,
                                 const std::vector<lake::SpeedStatus>& processes);

// Thread safe.
class OverviewKeeper {
 public:
  OverviewKeeper(std::shared_ptr<const lake::Storage> storage, LakeWatch& watch);
  ~OverviewKeeper();
  OverviewKeeper(const OverviewKeeper&) = delete;
  OverviewKeeper& operator=(const OverviewKeeper&) = delete;

  std::shared_ptr<const Overview> now() const;

 private:
  struct Entry {
    std::shared_ptr<const SymbolOverview> overview;
    std::uint64_t batch_generation = 0, speed_generation = 0;
    std::optional<Timestamp> day_read_at;  // last_time when the last 24 hours were read
  };
  void run(const std::stop_token& stop);
  void update(const LakeListing& listing, const std::stop_token& stop);
  Entry read(const SymbolFiles& files, const std::optional<Entry>& before,
             const lake::OpenCandle* open) const;
  void publish(const LakeListing& listing, std::vector<lake::SpeedSnapshot> streams);

  std::shared_ptr<const lake::Storage> storage_;
  LakeWatch& watch_;
  std::map<std::string, Entry> entries_;  // of the keeping thread
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  ListingPtr pending_;
  std::shared_ptr<const Overview> overview_;
  std::jthread thread_;
};

}  // namespace chandler::web
