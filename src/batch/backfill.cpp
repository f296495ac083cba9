#include "batch/backfill.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <thread>

#include "base/parallel.hpp"
#include "batch/backfill_survey.hpp"
#include "batch/partition_update.hpp"

namespace chandler::batch {
namespace {

// The pages of all symbols in order of symbol and time, taken by as many workers as requests may be in
// flight. Whoever brings the last page of a partition stores it: memory holds the partitions between the
// first and the last page in flight, however long the history is.
class Fetching {
 public:
  Fetching(const BackfillEnvironment& environment, const BackfillOptions& options,
           std::vector<Survey>& surveys)
      : environment_(environment), options_(options), surveys_(surveys), silences_(surveys.size()) {
    for (std::size_t s = 0; s < surveys.size(); ++s) {
      for (std::size_t p = 0; p < surveys[s].partitions.size(); ++p) {
        const PlannedPartition& planned = surveys[s].partitions[p];
        for (const TimeRange& page : planned.pages) tasks_.push_back({s, p, page});
      }
    }
  }

  Status run() {
    const Status status =
        parallel_for(tasks_.size(), options_.in_flight, [&](std::size_t i) { return fetch(tasks_[i]); });
    // After a stop or a failure there are partitions with some of their pages: what has come is kept.
    for (auto& [key, update] : open_) {
      if (!update.has_something()) continue;
      const Status kept =
          update.commit(environment_.storage, options_.interval, ties(), surveys_[key.first].report);
      if (!kept) return status ? kept : status;
    }
    return status;
  }

 private:
  struct Task {
    std::size_t survey;
    std::size_t partition;
    TimeRange range;
  };
  using Key = std::pair<std::size_t, std::size_t>;

  candles::Ties ties() const {
    return options_.refetch ? candles::Ties::incoming_wins : candles::Ties::stored_wins;
  }

  Status fetch(const Task& task) {
    if (environment_.stop.stop_requested()) return fail(ErrorCode::interrupted, "interrupted");
    Survey& survey = surveys_[task.survey];
    const FetchTarget target{survey.report.symbol, options_.interval, {options_.deadline, environment_.stop}};
    Fetched fetched = fetch_by_rest(environment_.rest, target, task.range, silences_[task.survey]);
    if (environment_.stop.stop_requested()) fetched.unanswered.clear();  // not the exchange's fault
    environment_.progress.advance(
        static_cast<std::uint64_t>(task.range.length().count() / grid_of(options_.interval)));
    return deliver(task, std::move(fetched));
  }

  Status deliver(const Task& task, Fetched fetched) {
    const Key key{task.survey, task.partition};
    std::optional<PartitionUpdate> complete;
    {
      const std::lock_guard lock(mutex_);
      auto it = open_.find(key);
      if (it == open_.end()) it = open_.emplace(key, begin_update(key)).first;
      if (it->second.take(std::move(fetched))) {
        complete = std::move(it->second);
        open_.erase(it);
      }
    }
    if (!complete) return {};
    // Commits of one symbol share its report, and commits at all share the disk: one at a time.
    const std::lock_guard lock(commit_mutex_);
    return complete->commit(environment_.storage, options_.interval, ties(), surveys_[task.survey].report);
  }

  PartitionUpdate begin_update(const Key& key) const {
    const Survey& survey = surveys_[key.first];
    const PlannedPartition& planned = survey.partitions[key.second];
    PartitionUpdate update(planned.partition, planned.pages.size());
    if (key.second == 0) update.also_answered(survey.silent_before);
    return update;
  }

  const BackfillEnvironment& environment_;
  const BackfillOptions& options_;
  std::vector<Survey>& surveys_;
  std::deque<KnownSilence> silences_;
  std::vector<Task> tasks_;
  std::mutex mutex_, commit_mutex_;
  std::map<Key, PartitionUpdate> open_;
};

std::uint64_t total_missing(const std::vector<Survey>& surveys, candles::Interval interval) {
  std::int64_t total = 0;
  for (const Survey& survey : surveys) total += survey.report.missing.length().count() / grid_of(interval);
  return static_cast<std::uint64_t>(total);
}

Status derive_changes(const BackfillEnvironment& environment, std::vector<Survey>& surveys) {
  std::vector<std::string> symbols;
  std::vector<SymbolBackfill*> reports;
  for (Survey& survey : surveys) {
    if (survey.report.error && survey.report.stored_before == 0) continue;
    symbols.push_back(survey.report.symbol);
    reports.push_back(&survey.report);
  }
  CHANDLER_ASSIGN(auto derived,
                  derive(environment.storage, symbols, Extent::what_changed, environment.progress));
  for (std::size_t i = 0; i < derived.size(); ++i) reports[i]->derived = std::move(derived[i]);
  return {};
}

}  // namespace

bool BackfillReport::nothing_was_missing() const {
  return std::ranges::all_of(symbols, [](const SymbolBackfill& s) { return !s.error && s.missing.empty(); });
}

bool BackfillReport::complete() const {
  return std::ranges::all_of(symbols,
                             [](const SymbolBackfill& s) { return !s.error && s.unanswered.empty(); });
}

Result<BackfillReport> backfill(const BackfillEnvironment& environment, const BackfillOptions& options) {
  const auto started = environment.clock.steady();
  BackfillReport report;
  CHANDLER_TRY(environment.storage.remove_unfinished());
  CHANDLER_ASSIGN(report.exchange_now, environment.rest.server_time({options.deadline, environment.stop}));
  CHANDLER_ASSIGN(auto surveys, survey(environment, options, report.exchange_now));

  const std::string_view unit = options.interval == candles::Interval::d1 ? "days" : "minutes";
  environment.progress.begin("fetching", total_missing(surveys, options.interval), unit);
  const Status fetched = Fetching(environment, options, surveys).run();
  environment.progress.end();
  if (!fetched && fetched.error().code != ErrorCode::interrupted) return std::unexpected(fetched.error());
  report.interrupted = !fetched;

  CHANDLER_TRY(derive_changes(environment, surveys));
  for (Survey& survey : surveys) {
    survey.report.holes.subtract(survey.silent_before);  // before the first candle nothing can be missing
    report.symbols.push_back(std::move(survey.report));
  }
  report.duration = environment.clock.steady() - started;
  report.weight_used = environment.rest.budget().total_sent();
  report.requests = environment.rest.counters();
  return report;
}

}  // namespace chandler::batch
