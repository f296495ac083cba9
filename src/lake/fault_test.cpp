// The local storage over a disk that fails and loses power: what has been found wrong, one test each. Seeded
// runs of whole jobs are in batch/power_cut_test.cpp.
#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lake/test_disk.hpp"
#include "lake/test_lake.hpp"

namespace chandler::lake {
namespace {

using testing::check;
using testing::DiskFaults;
using ::testing::HasSubstr;
using testing::TestDisk;
using testing::value;

class Faults : public ::testing::Test {
 protected:
  std::shared_ptr<Storage> open() { return value(open_local_storage("/lake", disk)); }
  std::string content(const std::string& path) { return value(read_text(*open(), path)); }
  // As after a power cut that spares nothing that was not synced.
  std::map<std::string, std::string> on_disk() const { return disk.files(true); }

  TestDisk disk{1};
};

std::vector<PendingFile> files(int count, const std::string& text) {
  std::vector<PendingFile> files;
  for (int i = 0; i < count; ++i)
    files.push_back({fmt::format("t/{}/part", i), arrow::Buffer::FromString(text + std::to_string(i))});
  return files;
}

TEST_F(Faults, WhatAReplacementReportedSurvivesAPowerCutHoweverManyFilesItHas) {
  for (const int count : {1, 7, 8, 30}) {
    check(open()->replace(files(count, "v")));
    for (int i = 0; i < count; ++i)
      EXPECT_EQ(on_disk().at(fmt::format("/lake/t/{}/part", i)), "v" + std::to_string(i));
  }
}

TEST_F(Faults, AFileThatCannotBeOpenedIsNotTakenForAbsent) {
  const auto storage = open();
  check(storage->replace_text("a/one", "1"));
  disk.arm({.read_error = 1});
  EXPECT_EQ(storage->open("a/one").error().code, ErrorCode::unreachable);
  disk.disarm();
  EXPECT_EQ(storage->open("a/two").error().code, ErrorCode::not_found);
}

// The name of the file is in place, but no sync covered it. Whoever finds it there and has nothing to change
// would report it as stored.
TEST_F(Faults, AfterAFailedSyncTheNextReplacementMakesTheNamesDurableToo) {
  const auto storage = open();
  check(storage->replace_text("a/one", "old"));
  // Each call in turn is the one that fails.
  bool failed_with_the_new_name = false;
  for (std::uint64_t call = 1; call < 12; ++call) {
    check(storage->replace_text("a/one", "old"));
    disk.arm({.dies_at = call});
    const Status status = storage->replace_text("a/one", "new");
    const bool died = disk.died();
    disk.restart();
    if (!died) break;
    EXPECT_FALSE(status);
    if (content("a/one") != "new") continue;
    failed_with_the_new_name = true;
    check(storage->replace(std::span<const PendingFile>{}));  // nothing to change
    EXPECT_EQ(on_disk().at("/lake/a/one"), "new") << "call " << call;
  }
  EXPECT_TRUE(failed_with_the_new_name);
}

TEST_F(Faults, TheNextWriterMakesDurableWhatAKilledOneLeftInPlace) {
  bool unsynced = false;
  for (std::uint64_t call = 1;; ++call) {
    TestDisk fresh(call);
    {
      const auto storage = value(open_local_storage("/lake", fresh));
      fresh.arm({.dies_at = call});
      const auto lock = storage->lock_for_writing("first");
      if (lock) (void)storage->replace_text("a/b/one", "1");
    }
    if (!fresh.died()) break;
    fresh.restart();
    const auto storage = value(open_local_storage("/lake", fresh));
    unsynced = unsynced || fresh.files(true) != fresh.files();
    const auto lock = value(storage->lock_for_writing("second"));
    for (const auto& [path, bytes] : fresh.files()) {
      EXPECT_THAT(path, ::testing::Not(HasSubstr("unfinished")));
      if (path.ends_with("lock")) continue;
      EXPECT_EQ(fresh.files(true).at(path), bytes) << path;
    }
    check(storage->replace_text("a/b/two", "2"));
    EXPECT_EQ(fresh.files(true).at("/lake/a/b/two"), "2") << "killed in call " << call;
  }
  EXPECT_TRUE(unsynced);
}

TEST_F(Faults, AWriterThatHasEndedWellCostsTheNextOneNoSync) {
  { const auto lock = value(open()->lock_for_writing("first")); }
  disk.arm({.sync_error = 1});
  EXPECT_TRUE(open()->lock_for_writing("second"));
}

TEST_F(Faults, AKilledCommitOfTheSpeedLayerLeavesNothingAfterTheNextOne) {
  const std::string path = "speed_1m/symbol=A/year=2024/month=5/day=1/part.parquet";
  {
    const auto storage = open();
    check(storage->replace_text(path, "old"));
    const auto lock = value(storage->lock_for_writing("consume", TableGroup::speed));
    disk.arm({.dies_at = 2});  // created, not yet written
    EXPECT_FALSE(storage->replace_text(path, "new"));
  }
  ASSERT_TRUE(disk.died());
  disk.restart();
  const auto unfinished = [&] {
    return std::ranges::count_if(disk.files(), [](const auto& f) { return f.first.ends_with("unfinished"); });
  };
  EXPECT_EQ(unfinished(), 1);
  const auto lock = value(open()->lock_for_writing("consume", TableGroup::speed));
  EXPECT_EQ(unfinished(), 0);
  EXPECT_EQ(content(path), "old");
}

// The disk is written to while an import goes on. A failure that shows before the commit must not be lost.
TEST_F(Faults, AStagedFileThatTheDiskLostBehindTheScenesIsNotPutInPlace) {
  const auto storage = open();
  check(storage->replace_text("a/one", "old"));
  const auto staging = value(storage->stage());
  DiskFaults faults;
  faults.write_error = 0.3;
  for (int i = 0; i < 40; ++i) {
    disk.arm(faults);
    (void)staging->add({"a/one", arrow::Buffer::FromString("new" + std::to_string(i))});
  }
  disk.disarm();
  check(staging->add({"a/one", arrow::Buffer::FromString("newest")}));
  const Status committed = staging->commit();
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code, ErrorCode::unreachable);
  EXPECT_EQ(content("a/one"), "old");
}

TEST_F(Faults, ShortTransfersAndInterruptedCallsAreNoErrors) {
  disk.arm({.interrupted = 0.4, .partial = 0.9});
  const auto storage = open();
  const std::string text(20'000, 'x');
  const auto lock = value(storage->lock_for_writing("test"));
  check(storage->replace(files(12, text)));
  for (int i = 0; i < 12; ++i) EXPECT_EQ(content(fmt::format("t/{}/part", i)), text + std::to_string(i));
}

TEST_F(Faults, AFullDiskIsNamedAndWhatWasStoredIsIntact) {
  const auto storage = open();
  check(storage->replace(files(3, "old")));
  for (const int count : {3, 20}) {
    disk.arm({.no_space = 1});
    const Status status = storage->replace(files(count, "new"));
    disk.disarm();
    ASSERT_FALSE(status);
    EXPECT_EQ(exit_code(status.error().code), 3);
    EXPECT_THAT(to_text(status.error()), HasSubstr("No space left on device"));
    EXPECT_THAT(to_text(status.error()), HasSubstr("free some disk space"));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(content(fmt::format("t/{}/part", i)), "old" + std::to_string(i));
    EXPECT_EQ(disk.files().size(), 3U) << "something was left aside";
  }
}

TEST_F(Faults, AFolderThatCannotBeLookedAtEndsInAnErrorAndNotInARecursion) {
  const auto storage = open();
  disk.arm({.dies_at = 1});
  EXPECT_FALSE(storage->replace_text("a/one", "1"));
  EXPECT_FALSE(storage->replace_text("a/one", "1"));
  EXPECT_FALSE(storage->lock_for_writing("test"));
}

// Whatever single call fails, in whatever way: old or new, never anything else, and nothing left aside.
TEST_F(Faults, EveryCallMayFailAndTheFileIsOldOrNew) {
  Random random(3);
  for (int round = 0; round < 400; ++round) {
    TestDisk fresh(static_cast<std::uint64_t>(round));
    const auto storage = value(open_local_storage("/lake", fresh));
    check(storage->replace(files(9, "old")));
    DiskFaults faults;
    for (double* p : {&faults.no_space, &faults.write_error, &faults.sync_error})
      *p = random.chance(0.5) ? 0.05 : 0;
    fresh.arm(faults);
    const int count = random.chance(0.5) ? 2 : 9;
    const Status status = storage->replace(files(count, "new"));
    fresh.disarm();
    if (random.chance(0.5)) fresh.cut_power();
    for (int i = 0; i < count; ++i) {
      const std::string found = value(read_text(*storage, fmt::format("t/{}/part", i)));
      EXPECT_TRUE(found == "new" + std::to_string(i) || (!status && found == "old" + std::to_string(i)))
          << found << ", round " << round;
    }
  }
}

}  // namespace
}  // namespace chandler::lake
