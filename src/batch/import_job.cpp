#include "batch/import_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <numeric>

#include "base/number_text.hpp"
#include "base/parallel.hpp"

namespace chandler::batch {
namespace {

// From so many rows on, a common distance of all neighbours is no coincidence.
constexpr std::uint64_t kRowsToJudgeInterval = 32;
// Whole days apart, three are enough.
constexpr std::uint64_t kRowsToJudgeDays = 3;

// Reads one file after the other; blocks are parsed by the pool and come back in order.
class Import {
 public:
  Import(lake::Storage& storage, lake::Staging& staging, const ImportOptions& options, Progress& progress,
         std::stop_token stop)
      : options_(options),
        table_(options.interval == candles::Interval::d1 ? lake::Table::klines_1d : lake::Table::klines_1m),
        progress_(progress),
        stop_(std::move(stop)),
        threads_(core_count()),
        partitions_(storage, staging, table_, options.symbol, pool_, threads_ + 1),
        pool_(threads_) {}

  Status read(CsvInput& input) {
    LineBlocks blocks(input);
    CHANDLER_ASSIGN(std::string block, blocks.next());
    auto found = exchange::find_layout(block);
    if (!found) {
      Error error = std::move(found).error();
      error.where = error.where.empty() ? input.name() : fmt::format("{}, {}", input.name(), error.where);
      return std::unexpected(std::move(error));
    }
    const exchange::KlineCsvRows rows(found->layout, {options_.interval, candles::Source::import});
    file_ = {};
    file_.name = input.name();
    file_.lines = found->preamble_lines;
    block.erase(0, found->preamble_bytes);

    // The pool's work refers to `rows`: none may be left when this returns, whichever way.
    Status status = read_blocks(input, blocks, std::move(block), rows);
    while (!parsing_.empty()) {
      Status taken = status ? take_oldest() : discard_oldest();
      if (status) status = std::move(taken);
    }
    CHANDLER_TRY(std::move(status));
    result_.lines += file_.lines;
    return check_interval();
  }

  Result<Imported> finish() {
    CHANDLER_TRY(partitions_.finish(stop_));
    result_.candles = partitions_.counts();
    result_.partitions = partitions_.partitions();
    return std::move(result_);
  }

 private:
  struct File {
    std::string name;
    std::uint64_t lines = 0;     // that have been taken so far
    std::uint64_t consumed = 0;  // bytes, as told to the progress
    std::uint64_t rows = 0;
    std::int64_t step_ms = 0;
    std::optional<std::int64_t> last_time;
  };

  Status read_blocks(CsvInput& input, LineBlocks& blocks, std::string block,
                     const exchange::KlineCsvRows& rows) {
    while (!block.empty()) {
      if (stop_.stop_requested()) return fail(ErrorCode::interrupted, kNothingImported);
      while (parsing_.size() >= 2 * threads_) CHANDLER_TRY(take_oldest());
      parsing_.push_back(
          pool_.submit([&rows, table = table_, lines = std::make_shared<std::string>(std::move(block))] {
            return parse_block(rows, *lines, table);
          }));
      progress_.advance(input.consumed() - file_.consumed);
      file_.consumed = input.consumed();
      CHANDLER_ASSIGN(block, blocks.next());
    }
    return {};
  }

  Status discard_oldest() {
    parsing_.front().wait();
    parsing_.pop_front();
    return {};
  }

  Status take_oldest() {
    const ParsedBlock block = parsing_.front().get();
    parsing_.pop_front();
    result_.absent += block.batch->absent;
    result_.rejected += block.batch->rejects.size();
    for (const auto& reject : block.batch->rejects) {
      if (options_.on_reject) {
        CHANDLER_TRY(options_.on_reject({file_.name, file_.lines + reject.line, reject.reason}));
      }
    }
    file_.lines += block.lines;
    if (result_.rejected > options_.max_rejects) {
      return fail(ErrorCode::invalid_data,
                  fmt::format("there are more than {1} bad rows ({0} so far); nothing was imported",
                              group_digits(result_.rejected), group_digits(options_.max_rejects)),
                  file_.name, "see the rows with --rejects FILE, or allow more of them with --max-rejects");
    }
    note_times(block);
    return partitions_.add(block);
  }

  void note_times(const ParsedBlock& block) {
    const auto& times = block.batch->rows.open_time;
    if (times.empty()) return;
    file_.step_ms = std::gcd(file_.step_ms, block.step_ms);
    if (file_.last_time) file_.step_ms = std::gcd(file_.step_ms, times.front() - *file_.last_time);
    file_.last_time = times.back();
    file_.rows += times.size();
    result_.rows += times.size();
    const auto [low, high] = std::ranges::minmax(times);
    result_.first = std::min(result_.first.value_or(from_ms(low)), from_ms(low));
    result_.last = std::max(result_.last.value_or(from_ms(high)), from_ms(high));
  }

  // A file of hours read as minutes would make a history that is nothing but holes.
  Status check_interval() const {
    const std::int64_t grid = options_.interval == candles::Interval::d1 ? kDayMs : kMinuteMs;
    const std::uint64_t enough = file_.step_ms % kDayMs == 0 ? kRowsToJudgeDays : kRowsToJudgeInterval;
    if (file_.rows < enough || file_.step_ms <= grid) return {};
    return fail(
        ErrorCode::invalid_data,
        fmt::format("all rows are multiples of {} apart: these are not {} candles",
                    format_duration(Millis{file_.step_ms}), candles::name(options_.interval)),
        file_.name,
        file_.step_ms == kDayMs ? "import it with --interval 1d" : "only 1m and 1d candles can be imported");
  }

  const ImportOptions& options_;
  lake::Table table_;
  Progress& progress_;
  std::stop_token stop_;
  std::size_t threads_;
  File file_;
  Imported result_;
  std::deque<std::future<ParsedBlock>> parsing_;
  ImportPartitions partitions_;
  WorkerPool pool_;  // last, so that it ends before what its work refers to
};

}  // namespace

Result<Imported> import_files(lake::Storage& storage, std::span<const std::string> files,
                              const ImportOptions& options, Progress& progress, std::stop_token stop) {
  std::uint64_t bytes = 0;
  for (const std::string& file : files) {
    CHANDLER_ASSIGN(const std::uint64_t size, file_bytes(file));
    bytes += size;
  }
  CHANDLER_ASSIGN(const auto staging, storage.stage());
  progress.begin("reading " + options.symbol, bytes, "bytes");
  Imported imported;
  {
    Import import(storage, *staging, options, progress, std::move(stop));
    for (const std::string& file : files) {
      CHANDLER_TRY(for_each_csv(file, [&](CsvInput& input) { return import.read(input); }));
    }
    CHANDLER_ASSIGN(imported, import.finish());
  }
  progress.end();
  imported.bytes = bytes;
  CHANDLER_TRY(staging->commit());
  return imported;
}

}  // namespace chandler::batch
