// Every job of the lake over a disk that fails and loses power (lake/test_disk.hpp), many times. What a job
// has reported as done must be there afterwards, byte for byte; whatever happened, `verify` must find
// nothing, and running the job again must end with the bytes of an undisturbed run.
//
// CHANDLER_FAULT_RUNS sets how many runs (`make faults`), CHANDLER_FAULT_SEED the first of the seeds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "batch/backfill.hpp"
#include "batch/import_job.hpp"
#include "batch/merge.hpp"
#include "batch/verify.hpp"
#include "exchange/scripted_exchange.hpp"
#include "lake/catalog.hpp"
#include "lake/test_disk.hpp"
#include "lake/test_lake.hpp"
#include "speed/commit.hpp"

namespace chandler::batch {
namespace {

using candles::Klines;
using exchange::testing::parameter;
using exchange::testing::reply;
using exchange::testing::ScriptedExchange;
using http::Request;
using lake::Storage;
using lake::Table;
using lake::testing::at;
using lake::testing::check;
using lake::testing::DiskFaults;
using lake::testing::TestDisk;
using lake::testing::value;

constexpr const char* kSymbols[] = {"AAA", "BBB"};
constexpr const char* kStream = "klines/0";

// An exchange with a trade in about every twentieth minute: histories of days, files of few rows.
bool trades(std::int64_t minute) {
  return minute % 30 == 0 || Random(static_cast<std::uint64_t>(minute)).below(20) == 0;
}

ScriptedExchange::Answer answer(const http::Request& request, Timestamp now) {
  if (request.url.ends_with("/time")) return reply(200, fmt::format(R"({{"serverTime":{}}})", to_ms(now)));
  if (request.url.ends_with("/exchangeInfo")) {
    return reply(200,
                 R"({"symbols":[{"symbol":"AAA","status":"TRADING","baseAsset":"AAA","quoteAsset":"USDT"},
      {"symbol":"BBB","status":"TRADING","baseAsset":"BBB","quoteAsset":"USDT"}],
      "rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000}]})");
  }
  const auto limit = std::stoll(parameter(request.url, "limit"));
  const std::string end_text = parameter(request.url, "endTime");
  const std::int64_t end =
      std::min<std::int64_t>(to_ms(now), end_text.empty() ? to_ms(now) : std::stoll(end_text));
  std::string body;
  std::int64_t rows = 0;
  for (std::int64_t m = std::stoll(parameter(request.url, "startTime")) / kMinuteMs;
       m * kMinuteMs <= end && rows < limit; ++m) {
    if (trades(m)) body += (rows++ == 0 ? "" : ",") + exchange::testing::kline_json(m * kMinuteMs);
  }
  return reply(200, "[" + body + "]");
}

Status run_backfill(Storage& storage, Timestamp now, std::optional<Timestamp> since) {
  ManualClock clock(now);
  ScriptedExchange exchange(clock, [&](const http::Request& r) { return answer(r, now); });
  exchange::WeightBudget budget(clock);
  exchange::RestClient rest({.base_url = "http://exchange.test"}, exchange, budget, clock, Random(1));
  NoProgress progress;
  BackfillOptions options;
  options.symbols = {"AAA", "BBB"};
  options.since = since;
  options.in_flight = 1;
  CHANDLER_ASSIGN(const auto lock, storage.lock_for_writing("backfill"));
  CHANDLER_ASSIGN(const auto report, backfill({storage, rest, nullptr, clock, progress, {}}, options));
  for (const SymbolBackfill& symbol : report.symbols) {
    if (symbol.error) return std::unexpected(*symbol.error);
    if (!symbol.unanswered.empty()) return std::unexpected(symbol.unanswered[0].error);
  }
  return {};
}

speed::CommitBatch speed_batch(int number, Timestamp first, int minutes) {
  speed::CommitBatch batch;
  for (const char* symbol : kSymbols) {
    Random random(static_cast<std::uint64_t>(number) * 7 + static_cast<std::uint64_t>(symbol[0]));
    speed::SymbolChanges changes{symbol, {}};
    for (int m = 0; m < minutes; ++m) {
      const std::int64_t t = to_ms(first) + m * kMinuteMs;
      if (trades(t / kMinuteMs + 1))
        changes.closed.push_back(
            {candles::testing::random_kline(random, t, candles::Source::stream), t + kMinuteMs + 3});
    }
    batch.symbols.push_back(std::move(changes));
  }
  batch.snapshots.push_back({kStream, number * 10, first + minutes * kMinute, {}});
  return batch;
}

// As a consumer does it: the topic holds all batches up to the last, and what the lake says it has is not
// read again. Where the lake stood may be lost with the power when nobody had reported it stored, and it is
// read from there then. One that has lost nothing of its memory hands its last batch over again.
Status run_commits(Storage& storage, std::span<const speed::CommitBatch> topic, bool remembers) {
  std::int64_t position = topic.size() > 1 ? *topic[topic.size() - 2].snapshots[0].position : 0;
  if (!remembers) {
    CHANDLER_ASSIGN(const auto resume, speed::resume(storage, kStream));
    position = resume.position.value_or(0);
  }
  for (const speed::CommitBatch& batch : topic) {
    if (*batch.snapshots[0].position <= position) continue;
    CHANDLER_ASSIGN(const auto committed, speed::commit(storage, batch, "consume"));
    (void)committed;
  }
  return {};
}

using Candles = std::map<std::pair<std::string, std::int64_t>, double>;  // close of each minute

Candles candles_of(const Storage& storage) {
  Candles all;
  for (const char* symbol : kSymbols) {
    for (const Table table : {Table::klines_1m, Table::speed_1m}) {  // batch wins
      for (const auto& partition : value(lake::partitions_of(storage, table, symbol))) {
        const Klines rows = value(lake::read_klines(storage, partition));
        for (std::size_t i = 0; i < rows.size(); ++i)
          all.try_emplace({symbol, rows.open_time[i]}, rows.close[i]);
      }
    }
  }
  return all;
}

using Files = std::map<std::string, std::string>;

// Without locks and what is only a place to go on reading from.
Files tables(const Files& all) {
  Files tables;
  for (const auto& [path, bytes] : all) {
    if (path.ends_with(".parquet")) tables[path] = bytes;
  }
  return tables;
}

class Machine {
 public:
  explicit Machine(std::uint64_t seed) : disk(seed) { start_process(); }
  void start_process() { storage = value(lake::open_local_storage("/data/lake", disk)); }

  std::vector<Violation> violations() const {
    NoProgress progress;
    return value(verify(*storage, {}, progress)).violations();
  }

  TestDisk disk;
  std::shared_ptr<Storage> storage;
};

struct Job {
  std::string name;
  std::function<Status(Storage&, bool remembers)> run;
  bool removes = false;  // speed files, which a power cut may bring back: they are covered
};

// What an undisturbed run leaves after each job.
struct After {
  Files tables;
  Candles candles;
  std::uint64_t calls = 0;
};

// What a file of speed_1m says of the positions of its streams.
std::string streams_in(const std::string& bytes) {
  const auto begin = bytes.find("[{\"stream\"");
  if (begin == std::string::npos) return "none";
  return bytes.substr(begin, bytes.find(']', begin) + 1 - begin);
}

class PowerCut : public ::testing::Test {
 protected:
  PowerCut() {
    ::setenv("CHANDLER_THREADS", "1", 1);  // the calls of one thread have one order
    write_csv();
    const auto backfill_to = [](const char* now, std::optional<Timestamp> since) {
      return [now, since](Storage& storage, bool) { return run_backfill(storage, at(now), since); };
    };
    topic_ = {speed_batch(1, at("2024-03-02T06:00"), 200), speed_batch(2, at("2024-03-02T22:00"), 300),
              speed_batch(3, at("2024-03-04T03:00"), 100)};
    const auto commit = [this](std::size_t number) {
      return [this, number](Storage& storage, bool remembers) {
        return run_commits(storage, std::span(topic_).first(number), remembers);
      };
    };
    const auto merge = [](Storage& storage, bool) -> Status {
      NoProgress progress;
      CHANDLER_ASSIGN(const auto lock, storage.lock_for_writing("merge"));
      CHANDLER_TRY(storage.remove_unfinished());
      CHANDLER_ASSIGN(const auto report, merge_speed(storage, {"AAA", "BBB"}, progress, {}));
      (void)report;
      return {};
    };
    jobs_ = {
        {"import", [this](Storage& storage, bool) { return run_import(storage); }},
        {"first backfill", backfill_to("2024-03-02T06:00:30", at("2024-02-26"))},
        {"first commit", commit(1)},
        {"second commit", commit(2)},
        {"merge", merge, true},
        {"third commit", commit(3)},
        {"second backfill", backfill_to("2024-03-04T12:00:30", std::nullopt)},
        {"build",
         [](Storage& storage, bool) -> Status {
           NoProgress progress;
           CHANDLER_ASSIGN(const auto lock, storage.lock_for_writing("build"));
           CHANDLER_TRY(storage.remove_unfinished());
           CHANDLER_ASSIGN(const auto derived, derive(storage, {"AAA", "BBB"}, Extent::everything, progress));
           (void)derived;
           return {};
         }},
        {"last merge", merge, true}};
    Machine machine(0);
    for (const Job& job : jobs_) {
      machine.disk.arm({});
      check(job.run(*machine.storage, false));
      EXPECT_THAT(machine.violations(), ::testing::IsEmpty()) << job.name;
      undisturbed_.push_back(
          {tables(machine.disk.files()), candles_of(*machine.storage), machine.disk.calls()});
      EXPECT_TRUE(tables(machine.disk.files(true)) == tables(machine.disk.files()) || job.removes)
          << job.name << " leaves something un-synced";
    }
  }
  ~PowerCut() override { ::unsetenv("CHANDLER_THREADS"); }

  void write_csv() {
    Random random(5);
    std::string csv = "Timestamp,Open,High,Low,Close,Volume\n";
    const Klines rows = candles::testing::random_history(random, at("2024-02-24"), 3 * 1440, 0.95, 0,
                                                         kMinuteMs, candles::Source::import);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      csv += fmt::format("{},{},{},{},{},{}\n", rows.open_time[i] / 1000, rows.open[i], rows.high[i],
                         rows.low[i], rows.close[i], rows.volume[i]);
    }
    lake::testing::write_bytes(folder_.path() / "history.csv", csv);
  }

  Status run_import(Storage& storage) const {
    NoProgress progress;
    CHANDLER_ASSIGN(const auto lock, storage.lock_for_writing("import"));
    CHANDLER_TRY(storage.remove_unfinished());
    ImportOptions options;
    options.symbol = "AAA";
    const std::vector<std::string> files = {(folder_.path() / "history.csv").string()};
    CHANDLER_ASSIGN(const auto imported, import_files(storage, files, options, progress));
    CHANDLER_ASSIGN(const auto derived, derive(storage, {"AAA"}, Extent::what_changed, progress));
    (void)derived, (void)imported;
    return {};
  }

  DiskFaults some_faults(Random& random, const After& undisturbed) const {
    DiskFaults faults;
    if (random.chance(0.6)) faults.dies_at = 1 + random.below(undisturbed.calls);
    const double rate = random.chance(0.5) ? 0 : random.uniform() * 0.2;
    for (double* p : {&faults.interrupted, &faults.partial}) *p = random.chance(0.5) ? 4 * rate : 0;
    for (double* p : {&faults.no_space, &faults.write_error, &faults.read_error, &faults.sync_error})
      *p = random.chance(0.4) ? rate * rate : 0;
    return faults;
  }

  // All that the job before had reported, of which this one may have replaced some.
  void expect_nothing_lost(const Machine& machine, std::size_t job) const {
    const Candles now = candles_of(*machine.storage);
    for (std::size_t ended = 0; ended < job; ++ended) {
      for (const auto& [key, close] : undisturbed_[ended].candles) {
        const auto found = now.find(key);
        ASSERT_TRUE(found != now.end()) << key.first << " " << format_minute(from_ms(key.second)) << " of "
                                        << jobs_[ended].name << " is lost";
        bool right = false;
        for (std::size_t i = ended; i <= job && i < jobs_.size(); ++i) {
          const auto it = undisturbed_[i].candles.find(key);
          right = right || (it != undisturbed_[i].candles.end() && it->second == found->second);
        }
        ASSERT_TRUE(right) << key.first << " " << format_minute(from_ms(key.second)) << " has another close";
      }
    }
  }

  // The tables are those that the undisturbed job leaves; files that it removes may have come back.
  void expect_done(const Machine& machine, std::size_t job) const {
    Files found = tables(machine.disk.files());
    for (const auto& [path, bytes] : undisturbed_[job].tables) {
      ASSERT_TRUE(found.contains(path)) << path << " is lost";
      ASSERT_TRUE(found[path] == bytes)
          << path << " has other bytes: " << found[path].size() << " instead of " << bytes.size()
          << ", streams " << streams_in(found[path]) << " instead of " << streams_in(bytes);
      found.erase(path);
    }
    for (const auto& [path, bytes] : found)
      ASSERT_TRUE(path.starts_with("/data/lake/speed_1m/")) << path << " is too much";
  }

  void run(std::uint64_t seed) {
    Random random(seed);
    Machine machine(random.next());
    for (std::size_t job = 0; job < jobs_.size(); ++job) {
      bool remembers = false;
      for (int attempt = 0;; ++attempt) {
        SCOPED_TRACE(fmt::format("{}, attempt {}", jobs_[job].name, attempt));
        const bool disturbed = attempt < 3 && random.chance(0.5);
        machine.disk.arm(disturbed ? some_faults(random, undisturbed_[job]) : DiskFaults{});
        const Status status = jobs_[job].run(*machine.storage, remembers);
        const bool died = machine.disk.died();
        faults_ += machine.disk.failed_calls() + (died ? 1 : 0);
        machine.disk.disarm();
        ASSERT_TRUE(status || died || disturbed) << to_text(status.error());
        if (!status && !died) {
          ASSERT_TRUE(status.error().code == ErrorCode::unreachable) << to_text(status.error());
        }
        const bool cut = random.chance(died ? 0.6 : 0.3);
        if (cut) {
          machine.disk.cut_power();
          ++cuts_;
        } else if (died) {
          machine.disk.restart();
        }
        remembers = !cut && !died && random.chance(0.5);
        if (!remembers) machine.start_process();
        const bool done = status && !died;
        ASSERT_NO_FATAL_FAILURE(expect_nothing_lost(machine, done ? job + 1 : job));
        ASSERT_THAT(machine.violations(), ::testing::IsEmpty());
        if (!done) continue;
        ASSERT_NO_FATAL_FAILURE(expect_done(machine, job));
        break;
      }
    }
    // A consumer once more, which reads again what the power took from its position, and the last job:
    // nothing is left aside, and no byte differs.
    check(run_commits(*machine.storage, topic_, false));
    check(jobs_.back().run(*machine.storage, false));
    const Files last = tables(machine.disk.files());
    for (const auto& [path, bytes] : undisturbed_.back().tables)
      EXPECT_TRUE(last.contains(path) && last.at(path) == bytes) << path << " is lost or has other bytes";
    for (const auto& [path, bytes] : last)
      EXPECT_TRUE(undisturbed_.back().tables.contains(path)) << path << " is too much";
    for (const auto& [path, bytes] : machine.disk.files())
      EXPECT_THAT(path, ::testing::Not(::testing::HasSubstr("unfinished")));
  }

  lake::testing::TemporaryFolder folder_;
  std::vector<speed::CommitBatch> topic_;
  std::vector<Job> jobs_;
  std::vector<After> undisturbed_;
  std::uint64_t faults_ = 0, cuts_ = 0;
};

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

TEST_F(PowerCut, WhatAJobReportedIsThereAndRunningAgainEndsWithTheUndisturbedBytes) {
  const std::uint64_t first = number_from("CHANDLER_FAULT_SEED", 1);
  const std::uint64_t runs = number_from("CHANDLER_FAULT_RUNS", 40);
  for (std::uint64_t seed = first; seed < first + runs; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    run(seed);
    if (HasFailure()) break;
  }
  std::printf("%llu faults and %llu power cuts in %llu runs\n", static_cast<unsigned long long>(faults_),
              static_cast<unsigned long long>(cuts_), static_cast<unsigned long long>(runs));
  EXPECT_GT(faults_, runs) << "the test shows less than it should";
  EXPECT_GT(cuts_, 0U);
}

}  // namespace
}  // namespace chandler::batch
