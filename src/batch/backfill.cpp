#include "batch/backfill.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <mutex>

#include "base/work_queue.hpp"
#include "batch/archive_fetch.hpp"
#include "batch/backfill_survey.hpp"
#include "batch/partition_update.hpp"

namespace chandler::batch {
namespace {

// After so many files in a row that could not be had, the archive is left alone for the rest of the job.
constexpr int kArchiveFailures = 3;
constexpr std::chrono::seconds kDeriveAfterStop{2};

// The pieces of all symbols in order of symbol and time, taken by as many workers as requests may be in
// flight. Whoever brings the last piece of a partition stores it: memory holds the partitions between the
// first and the last piece in flight, however long the history is.
class Fetching {
 public:
  Fetching(const BackfillEnvironment& environment, const BackfillOptions& options, Timestamp now,
           std::vector<Survey>& surveys)
      : environment_(environment),
        options_(options),
        now_(now),
        surveys_(surveys),
        silences_(surveys.size()),
        queue_(all_tasks(surveys)),
        figures_(environment.figures != nullptr ? *environment.figures : unwatched_) {
    figures_.symbols += surveys.size();
    for (const Survey& survey : surveys) {
      partitions_left_.push_back(survey.partitions.size());
      if (survey.partitions.empty()) ++figures_.symbols_done;
      if (survey.report.error) ++figures_.symbol_errors;
    }
  }

  Status run() {
    for (std::size_t s = 0; s < surveys_.size(); ++s) {
      if (surveys_[s].nothing_from && !trades(surveys_[s].report.symbol))
        silences_[s].learn_end(*surveys_[s].nothing_from);
    }
    const Status status = queue_.run(options_.in_flight, [&](const Task& task) { return fetch(task); });
    // After a stop or a failure there are partitions with some of their pieces: what has come is kept.
    for (auto& [key, update] : open_) {
      if (!update.has_something()) continue;
      const Status kept =
          update.commit(environment_.storage, options_.interval, ties(), surveys_[key.first].report);
      if (!kept) return status ? kept : status;
    }
    for (std::size_t s = 0; s < surveys_.size(); ++s) {
      surveys_[s].report.nothing_from = silences_[s].end();
      if (silences_[s].end()) surveys_[s].report.status = closed_markets_->at(surveys_[s].report.symbol);
    }
    return status;
  }

 private:
  struct Task {
    std::size_t survey;
    std::size_t partition;
    Piece piece;
  };
  using Key = std::pair<std::size_t, std::size_t>;

  static std::vector<Task> all_tasks(std::vector<Survey>& surveys) {
    std::vector<Task> tasks;
    for (std::size_t s = 0; s < surveys.size(); ++s) {
      for (std::size_t p = 0; p < surveys[s].partitions.size(); ++p) {
        for (const Piece& piece : surveys[s].partitions[p].pieces) tasks.push_back({s, p, piece});
      }
    }
    return tasks;
  }

  candles::Ties ties() const {
    return options_.refetch ? candles::Ties::incoming_wins : candles::Ties::stored_wins;
  }

  Status fetch(const Task& task) {
    if (environment_.stop.stop_requested()) return fail(ErrorCode::interrupted, "interrupted");
    Survey& survey = surveys_[task.survey];
    const FetchTarget target{survey.report.symbol, options_.interval, {options_.deadline, environment_.stop}};
    ArchiveFetched outcome;
    if (silences_[task.survey].is_after_end(task.piece.wanted.begin()->begin)) {
      // nothing to ask
    } else if (task.piece.origin == Piece::Origin::rest) {
      outcome = by_rest(target, task);
    } else {
      outcome = from_archive(target, task.piece);
    }
    if (environment_.stop.stop_requested()) outcome.fetched.unanswered.clear();  // not the exchange's fault
    figures_.received += outcome.fetched.rows.size();
    figures_.unanswered += outcome.fetched.unanswered.size();
    Millis done = task.piece.wanted.length();
    for (const Piece& piece : outcome.further) done -= piece.wanted.length();
    environment_.progress.advance(static_cast<std::uint64_t>(done.count() / grid_of(options_.interval)));
    return deliver(task, std::move(outcome));
  }

  ArchiveFetched by_rest(const FetchTarget& target, const Task& task) {
    Fetched fetched = fetch_by_rest(environment_.rest, target, task.piece.span, silences_[task.survey],
                                    [&] { return trades(target.symbol); });
    // A page that covers several holes also brings what lies between them, which nobody asked for.
    const RangeSet& wanted = task.piece.wanted;
    if (wanted != RangeSet{task.piece.span}) {
      fetched.rows = rows_within(fetched.rows, wanted);
      RangeSet answered;
      for (const TimeRange& range : wanted) answered.add(fetched.answered.intersected(range));
      fetched.answered = std::move(answered);
    }
    return {std::move(fetched), {}, {}};
  }

  ArchiveFetched from_archive(const FetchTarget& target, const Piece& piece) {
    if (const auto why = archive_given_up()) return without_archive(target, piece, options_.source, *why);
    ArchiveFetched outcome = fetch_from_archive(*environment_.archive, target, piece, options_.source, now_);
    if (judge_archive(outcome)) {
      outcome.fetched.notes.push_back(fmt::format("the archive is not used any more: {} ({})",
                                                  outcome.unreachable->what, outcome.unreachable->where));
      // Much more than planned comes by REST now: worth knowing its limit.
      if (options_.source != KlineSource::archive)
        (void)environment_.rest.exchange_info({options_.deadline, environment_.stop});
    }
    return outcome;
  }

  // Whether the exchange says that the market is open; yes where it says nothing.
  bool trades(const std::string& symbol) {
    const std::lock_guard lock(status_mutex_);
    if (!closed_markets_) {
      closed_markets_.emplace();
      const auto info = environment_.rest.exchange_info({options_.deadline, environment_.stop});
      if (info) {
        for (const auto& listed : info->symbols) {
          if (!listed.trading()) closed_markets_->emplace(listed.symbol, listed.status);
        }
      }
    }
    return !closed_markets_->contains(symbol);
  }

  std::optional<Error> archive_given_up() {
    const std::lock_guard lock(mutex_);
    return archive_failures_ >= kArchiveFailures ? archive_error_ : std::nullopt;
  }

  // True when this outcome is the one that makes the job give the archive up.
  bool judge_archive(const ArchiveFetched& outcome) {
    const std::lock_guard lock(mutex_);
    if (archive_failures_ >= kArchiveFailures) return false;
    if (!outcome.unreachable) {
      archive_failures_ = 0;
      return false;
    }
    archive_error_ = outcome.unreachable;
    return ++archive_failures_ == kArchiveFailures;
  }

  Status deliver(const Task& task, ArchiveFetched outcome) {
    const Key key{task.survey, task.partition};
    std::vector<Task> further;
    for (Piece& piece : outcome.further) further.push_back({task.survey, task.partition, std::move(piece)});
    std::optional<PartitionUpdate> complete;
    {
      const std::lock_guard lock(mutex_);
      auto it = open_.find(key);
      if (it == open_.end()) it = open_.emplace(key, begin_update(key)).first;
      it->second.expect(further.size());
      if (it->second.take(std::move(outcome.fetched), task.piece.origin)) {
        complete = std::move(it->second);
        open_.erase(it);
      }
    }
    if (!further.empty()) queue_.add_next(std::move(further));
    if (!complete) return {};
    // Commits of one symbol share its report, and commits at all share the disk: one at a time.
    const std::lock_guard lock(commit_mutex_);
    return commit(*complete, task.survey);
  }

  Status commit(PartitionUpdate& update, std::size_t survey) {
    SymbolBackfill& report = surveys_[survey].report;
    const auto numbers = [&] {
      return std::array{report.added, report.replaced, report.rejected_rows, report.files_written};
    };
    const auto before = numbers();
    CHANDLER_TRY(update.commit(environment_.storage, options_.interval, ties(), report));
    const auto after = numbers();
    BackfillFigures::Count* const counts[] = {&figures_.added, &figures_.replaced, &figures_.rejected,
                                              &figures_.files_written};
    for (std::size_t i = 0; i < before.size(); ++i) *counts[i] += after[i] - before[i];
    if (--partitions_left_[survey] == 0) ++figures_.symbols_done;
    return {};
  }

  PartitionUpdate begin_update(const Key& key) const {
    const Survey& survey = surveys_[key.first];
    const PlannedPartition& planned = survey.partitions[key.second];
    PartitionUpdate update(planned.partition, planned.pieces.size());
    if (key.second == 0) update.also_answered(survey.silent_before);
    return update;
  }

  const BackfillEnvironment& environment_;
  const BackfillOptions& options_;
  Timestamp now_;
  std::vector<Survey>& surveys_;
  std::deque<KnownSilence> silences_;
  WorkQueue<Task> queue_;
  BackfillFigures unwatched_;
  BackfillFigures& figures_;
  std::vector<std::size_t> partitions_left_;  // of each symbol; guarded by commit_mutex_
  std::mutex mutex_, commit_mutex_, status_mutex_;
  std::optional<std::map<std::string, std::string>> closed_markets_;  // and their status, once asked for
  std::map<Key, PartitionUpdate> open_;
  int archive_failures_ = 0;  // in a row
  std::optional<Error> archive_error_;
};

std::uint64_t total_missing(const std::vector<Survey>& surveys, candles::Interval interval) {
  std::int64_t total = 0;
  for (const Survey& survey : surveys) total += survey.report.missing.length().count() / grid_of(interval);
  return static_cast<std::uint64_t>(total);
}

// Whatever was fetched is derived, too; after a stop only as far as it takes no more than a moment, since the
// next run derives what is left.
Status derive_changes(const BackfillEnvironment& environment, std::vector<Survey>& surveys) {
  const bool was_stopped = environment.stop.stop_requested();
  const auto moment = environment.clock.steady() + kDeriveAfterStop;
  const auto stopped = [&] {
    return environment.stop.stop_requested() && (!was_stopped || environment.clock.steady() >= moment);
  };
  std::vector<std::string> symbols;
  std::vector<SymbolBackfill*> reports;
  for (Survey& survey : surveys) {
    if (survey.report.error && survey.report.stored_before == 0) continue;
    symbols.push_back(survey.report.symbol);
    reports.push_back(&survey.report);
  }
  CHANDLER_ASSIGN(auto derived, derive(environment.storage, symbols, Extent::what_changed,
                                       environment.progress, DaysFrom::footers, stopped));
  for (std::size_t i = 0; i < derived.size(); ++i) reports[i]->derived = std::move(derived[i]);
  return {};
}

// Partitions are stored in the order in which they become complete; what is told of them is in order of time.
void put_in_order(SymbolBackfill& report) {
  std::ranges::sort(report.notes);  // each begins with its month or day
  std::ranges::sort(report.unanswered, {}, [](const Unanswered& u) { return u.range.begin; });
  std::ranges::stable_sort(report.rejected, {}, [](const candles::Rejected& r) { return r.kline.open_time; });
  std::ranges::stable_sort(report.differences, {},
                           [](const candles::Difference& d) { return d.stored.open_time; });
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
  if (options.source == KlineSource::archive && environment.archive == nullptr) {
    return fail(ErrorCode::usage, "only the archive may be used, and none is named", {},
                "name one with --archive-url");
  }
  CHANDLER_TRY(environment.storage.remove_unfinished());
  CHANDLER_ASSIGN(report.exchange_now, environment.rest.server_time({options.deadline, environment.stop}));
  CHANDLER_ASSIGN(auto surveyed, survey(environment, options, report.exchange_now));
  std::vector<Survey>& surveys = surveyed.symbols;
  report.left_out = std::move(surveyed.left_out);

  const std::string_view unit = options.interval == candles::Interval::d1 ? "days" : "minutes";
  environment.progress.begin("fetching", total_missing(surveys, options.interval), unit);
  const Status fetched = Fetching(environment, options, report.exchange_now, surveys).run();
  environment.progress.end();
  if (!fetched && fetched.error().code != ErrorCode::interrupted) return std::unexpected(fetched.error());
  report.interrupted = !fetched;

  const Status derived = derive_changes(environment, surveys);
  if (!derived && derived.error().code != ErrorCode::interrupted) return std::unexpected(derived.error());
  report.interrupted |= !derived;
  for (Survey& survey : surveys) {
    survey.report.holes.subtract(survey.silent_before);  // before the first candle nothing can be missing
    put_in_order(survey.report);
    report.symbols.push_back(std::move(survey.report));
  }
  report.duration = environment.clock.steady() - started;
  report.weight_used = environment.rest.budget().total_sent();
  report.requests = environment.rest.counters();
  if (environment.archive != nullptr) report.archive = environment.archive->counters();
  return report;
}

}  // namespace chandler::batch
