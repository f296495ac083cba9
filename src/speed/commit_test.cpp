#include "speed/commit.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "lake/test_lake.hpp"
#include "serving/candle_service.hpp"
#include "speed/pipeline.hpp"

namespace chandler::speed {
namespace {

using candles::testing::random_kline;
using lake::testing::TemporaryFolder;
using lake::testing::TemporaryLake;
using lake::testing::value;

constexpr std::int64_t kStart = 1'700'000'000'000 / kDayMs * kDayMs;

SymbolChanges changes(const std::string& symbol, int first, int count, std::uint64_t seed,
                      std::int64_t delay = 5) {
  Random random(seed);
  SymbolChanges c{symbol, {}};
  for (int m = first; m < first + count; ++m) {
    const std::int64_t t = kStart + m * kMinuteMs;
    c.closed.push_back({random_kline(random, t, candles::Source::stream), t + kMinuteMs + delay});
  }
  return c;
}

TEST(Commit, MinutesGoToTheirDaysAndAReplayChangesNoByte) {
  TemporaryLake lake;
  CommitBatch batch;
  batch.symbols = {changes("A", 1430, 20, 1), changes("B", 3, 2, 2)};
  batch.snapshots.push_back({"klines/0", 100, from_ms(kStart), {}});
  const auto first = value(commit(lake.storage(), batch, "test"));
  EXPECT_EQ(first.added, 22u);
  EXPECT_EQ(first.files, 4u);  // A has two days; the snapshot
  EXPECT_EQ(value(read_day(lake.storage(), "A", day_of(from_ms(kStart)))).size(), 10u);
  EXPECT_EQ(value(read_day(lake.storage(), "A", day_of(from_ms(kStart + kDayMs)))).size(), 10u);
  const auto before = lake::testing::files_of(lake);
  const auto again = value(commit(lake.storage(), batch, "test"));
  EXPECT_EQ(again.added + again.replaced, 0u);
  EXPECT_EQ(again.repeated, 22u);
  EXPECT_EQ(lake::testing::files_of(lake), before);
}

TEST(Commit, TheLaterEventWinsInWhateverOrderTheCommitsCome) {
  for (const bool swapped : {false, true}) {
    TemporaryLake lake;
    CommitBatch early, later;
    early.symbols = {changes("A", 0, 5, 1, 5)};
    later.symbols = {changes("A", 0, 5, 2, 50)};
    value(commit(lake.storage(), swapped ? later : early, "test"));
    value(commit(lake.storage(), swapped ? early : later, "test"));
    const auto stored = value(read_day(lake.storage(), "A", day_of(from_ms(kStart))));
    for (std::size_t i = 0; i < 5; ++i) {
      EXPECT_TRUE(candles::same_values(stored.rows.at(i), later.symbols[0].closed[i].kline));
    }
  }
}

TEST(Commit, AnOlderSnapshotNeverTurnsAPositionBack) {
  TemporaryLake lake;
  CommitBatch fresh, zombie;
  fresh.snapshots.push_back({"klines/0", 100, from_ms(kStart + 500), {}});
  zombie.snapshots.push_back({"klines/0", 60, from_ms(kStart + 100), {}});
  value(commit(lake.storage(), fresh, "test"));
  value(commit(lake.storage(), zombie, "test"));
  const auto found = value(resume(lake.storage(), "klines/0"));
  EXPECT_EQ(found.position, 100);
  EXPECT_EQ(found.watermark, from_ms(kStart + 500));
  EXPECT_FALSE(value(resume(lake.storage(), "klines/1")).position);
}

TEST(Commit, WithoutItsSnapshotAStreamGoesOnFromThePositionsInsideTheFiles) {
  TemporaryLake lake;
  for (int i = 0; i < 3; ++i) {
    CommitBatch batch;
    batch.symbols = {changes("A", i * 10, 5, 1)};
    batch.snapshots.push_back({"klines/0", 100 * (i + 1), from_ms(kStart), {}});
    value(commit(lake.storage(), batch, "test"));
  }
  lake::testing::check(lake.storage().remove(lake::snapshot_path("klines/0")));
  // What the last commit had seen is not yet promised by any file; what the one before had, is.
  EXPECT_EQ(value(resume(lake.storage(), "klines/0")).position, 200);
}

// A market in messages; every consumer is killed at some commit, with only part of its files in place.
TEST(Commit, AKillAtAnyInstantNeitherLosesNorDoublesAMinute) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Random random(seed);
    std::vector<std::pair<std::string, StoredMinute>> log;  // offset = index
    for (int m = 0; m < 200; ++m) {
      const char* symbol = m % 2 == 0 ? "A" : "B";
      const std::int64_t t = kStart + (1400 + m / 2) * kMinuteMs;
      log.emplace_back(symbol,
                       StoredMinute{random_kline(random, t, candles::Source::stream), t + kMinuteMs + 1});
    }
    TemporaryLake lake;
    std::int64_t end = 0;
    int kills = 0;
    while (end < static_cast<std::int64_t>(log.size())) {
      State state(Millis{0});
      const auto from = value(resume(lake.storage(), "klines/0")).position.value_or(0);
      const auto stream = state.add_stream("klines/0", from, std::nullopt);
      end = std::min<std::int64_t>(static_cast<std::int64_t>(log.size()),
                                   from + 1 + static_cast<std::int64_t>(random.below(90)));
      for (std::int64_t i = from; i < end; ++i) {
        const auto& [symbol, minute] = log[static_cast<std::size_t>(i)];
        state.apply(stream, {symbol, minute.event_time, true, minute.kline});
        state.advance(stream, i + 1);
      }
      CommitBatch batch = state.take();
      if (random.chance(0.5)) {
        // Killed: some of the files are written, the snapshot with the position is not.
        ++kills;
        CommitBatch part = batch;
        part.snapshots.clear();
        if (random.chance(0.5)) part.symbols.resize(random.below(part.symbols.size() + 1));
        value(commit(lake.storage(), part, "test"));
        end = from;
      } else {
        value(commit(lake.storage(), batch, "test"));
      }
    }
    EXPECT_GT(kills, 0);
    std::size_t rows = 0;
    for (const char* symbol : {"A", "B"}) {
      for (int d = 0; d < 2; ++d)
        rows += value(read_day(lake.storage(), symbol, day_of(from_ms(kStart + d * kDayMs)))).size();
    }
    EXPECT_EQ(rows, log.size());
  }
}

class PipelineTest : public ::testing::Test {
 protected:
  std::string event(const std::string& symbol, int minute, bool closed = true) {
    auto k = random_kline(random, kStart + minute * kMinuteMs, candles::Source::stream);
    std::string text = exchange::kline_event_json(symbol, k);
    if (!closed) {
      text.replace(text.find("\"x\":true"), 8, "\"x\":false");
      const std::string stamp = "\"E\":" + std::to_string(k.open_time + kMinuteMs);
      text.replace(text.find(stamp), stamp.size(), "\"E\":" + std::to_string(k.open_time + 30'000));
    }
    return text;
  }
  Random random{5};
  TemporaryLake lake;
  TemporaryFolder folder;
  ManualClock clock{from_ms(kStart + 2 * kDayMs)};
  std::string letters_path = folder.path() / "dead.jsonl";
  std::unique_ptr<DeadLetters> letters = dead_letter_file(letters_path);
  Figures figures;
};

TEST_F(PipelineTest, CommitsWhenTheTriggerIsDueAndServesTheOpenCandle) {
  Pipeline pipeline(lake.storage(), clock, *letters, figures, {});
  const auto stream = value(pipeline.open_stream("klines/0"));
  EXPECT_FALSE(stream.position);
  lake::testing::check(pipeline.take({stream.index, 0, "A", event("A", 0)}));
  lake::testing::check(pipeline.take({stream.index, 1, "A", event("A", 1, false)}));
  lake::testing::check(pipeline.tick());
  EXPECT_TRUE(value(lake.storage().list("speed_1m")).empty());
  clock.advance(std::chrono::seconds{10});
  lake::testing::check(pipeline.tick());
  lake::testing::check(pipeline.flush());
  EXPECT_EQ(value(resume(lake.storage(), "klines/0")).position, 2);
  const auto series = value(serving::SymbolSeries::open(lake.storage(), "A"));
  const auto rows = value(serving::read_candles(series, {.interval = candles::Interval::m1}));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows.provisional[0], 0);
  EXPECT_EQ(rows.provisional[1], 1);
  EXPECT_EQ(figures.minutes_added, 1u);
}

TEST_F(PipelineTest, AfterHalfTheTriggerACommitComesWhenClosedMinutesHaveStoppedComing) {
  Pipeline pipeline(lake.storage(), clock, *letters, figures, {});
  const auto stream = value(pipeline.open_stream("live")).index;
  const auto commits_after = [&](std::chrono::milliseconds more) {
    clock.advance(more);
    lake::testing::check(pipeline.tick());
    // What is taken from the state is being stored: on another thread, in real time.
    const std::uint64_t wanted = pipeline.state().has_changes() ? 0 : figures.commits + 1;
    while (figures.commits < wanted) {
      SystemClock().sleep(std::chrono::milliseconds{1});
      lake::testing::check(pipeline.tick());
    }
    return figures.commits.load();
  };
  // Open candles alone wait for the trigger.
  lake::testing::check(pipeline.take({stream, -1, "A", event("A", 0, false)}));
  EXPECT_EQ(commits_after(std::chrono::milliseconds{6'000}), 0u);
  // A closed minute has just come: more may follow.
  lake::testing::check(pipeline.take({stream, -1, "A", event("A", 0)}));
  EXPECT_EQ(commits_after(std::chrono::milliseconds{100}), 0u);
  EXPECT_EQ(commits_after(std::chrono::milliseconds{500}), 1u);
  EXPECT_EQ(figures.minutes_added, 1u);
  // Not before half of the trigger.
  lake::testing::check(pipeline.take({stream, -1, "A", event("A", 1)}));
  EXPECT_EQ(commits_after(std::chrono::milliseconds{4'000}), 1u);
  EXPECT_EQ(commits_after(std::chrono::milliseconds{1'500}), 2u);
}

TEST_F(PipelineTest, TheTimeFromReceiptToCommitIsThatOfClosedMinutesOnlyAndOfSuccessOnly) {
  Pipeline pipeline(lake.storage(), clock, *letters, figures, {});
  const auto stream = value(pipeline.open_stream("live")).index;
  lake::testing::check(pipeline.take({stream, -1, "A", event("A", 0), clock.now()}));
  lake::testing::check(pipeline.take({stream, -1, "B", event("B", 0), clock.now()}));
  lake::testing::check(pipeline.take({stream, -1, "A", event("A", 1, false), clock.now()}));
  clock.advance(std::chrono::seconds{4});
  lake::testing::check(pipeline.take({stream, -1, "C", event("C", 0), clock.now()}));
  lake::testing::check(pipeline.take({stream, -1, "D", event("D", 0)}));  // nobody says when it came
  EXPECT_FALSE(figures.storing.within(1));
  clock.advance(std::chrono::seconds{1});
  lake::testing::check(pipeline.flush());
  // Two took 5 s, one 1 s.
  EXPECT_EQ(figures.storing.total(), Millis{11'000});
  EXPECT_EQ(figures.storing.within(0.33), Millis{1'000});
  EXPECT_EQ(figures.storing.within(0.34), Millis{5'000});
  EXPECT_EQ(figures.storing.within(1), Millis{5'000});
}

TEST_F(PipelineTest, HostileMessagesAreCountedAndPutAsideAndPassed) {
  PipelineOptions options;
  options.symbols = {"A"};
  Pipeline pipeline(lake.storage(), clock, *letters, figures, options);
  const auto stream = value(pipeline.open_stream("klines/0")).index;
  const std::string future = event("A", 5 * 1440);
  const std::vector<std::pair<std::string, std::string>> hostile = {
      {"", "not json"}, {"", std::string(3 << 20, '{')}, {"B", event("A", 1)},          {"", event("B", 1)},
      {"", future},     {"", "{\"e\":\"kline\"}"},       {"", std::string("\0\xff", 2)}};
  std::int64_t offset = 0;
  for (const auto& [key, payload] : hostile)
    lake::testing::check(pipeline.take({stream, offset++, key, payload}));
  lake::testing::check(pipeline.take({stream, offset++, "A", event("A", 2)}));
  lake::testing::check(pipeline.flush());
  EXPECT_EQ(figures.rejected_total(), hostile.size());
  EXPECT_EQ(figures.closed, 1u);
  EXPECT_EQ(value(resume(lake.storage(), "klines/0")).position, offset);
  std::ifstream in(letters_path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), hostile.size());
  EXPECT_NE(lines[1].find("\"bytes\":3145728"), std::string::npos);
  EXPECT_LT(lines[1].size(), 10'000u);
  EXPECT_NE(lines[2].find("\"key\":\"B\""), std::string::npos);
  metrics::Families families;
  add_to(families, figures);
  EXPECT_NE(families.text().find("chandler_rejected_total{reason=\"too_large\"} 1\n"), std::string::npos);
}

TEST_F(PipelineTest, TwoProcessesThatBothWriteASymbolLoseNothing) {
  Pipeline one(lake.storage(), clock, *letters, figures, {});
  Pipeline two(lake.storage(), clock, *letters, figures, {});
  const auto a = value(one.open_stream("klines/0")).index;
  const auto b = value(two.open_stream("klines/1")).index;
  for (int m = 0; m < 100; ++m) {
    lake::testing::check(m % 2 == 0 ? one.take({a, m, "A", event("A", m)})
                                    : two.take({b, m, "A", event("A", m)}));
    if (m % 10 == 0) lake::testing::check(one.flush());
    if (m % 15 == 0) lake::testing::check(two.flush());
  }
  lake::testing::check(one.flush());
  lake::testing::check(two.flush());
  EXPECT_EQ(value(read_day(lake.storage(), "A", day_of(from_ms(kStart)))).size(), 100u);
}

}  // namespace
}  // namespace chandler::speed
