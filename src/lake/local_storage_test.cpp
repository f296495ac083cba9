#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "lake/test_lake.hpp"

namespace chandler::lake {
namespace {

using testing::check;
using ::testing::HasSubstr;
using testing::read_bytes;
using testing::TemporaryLake;
using testing::value;
using testing::write_bytes;

std::vector<std::string> paths(const Storage& storage, std::string_view folder = "") {
  std::vector<std::string> found;
  for (const StoredFile& file : value(storage.list(folder))) found.push_back(file.path);
  return found;
}

TEST(LocalStorage, ALakeThatIsNotThereIsEmpty) {
  const TemporaryLake lake;
  EXPECT_TRUE(paths(lake.storage()).empty());
  EXPECT_TRUE(value(lake.storage().folders("klines_1m")).empty());
  EXPECT_EQ(lake.storage().open("klines_1m/x.parquet").error().code, ErrorCode::not_found);
  EXPECT_FALSE(std::filesystem::exists(lake.path())) << "reading must not create it";
}

TEST(LocalStorage, WhatIsWrittenIsReadAndListedInOrder) {
  const TemporaryLake lake;
  check(lake.storage().replace_text("b/two", "22"));
  check(lake.storage().replace_text("a/x/one", "1"));
  check(lake.storage().replace_text("top", ""));
  EXPECT_EQ(paths(lake.storage()), (std::vector<std::string>{"a/x/one", "b/two", "top"}));
  EXPECT_EQ(paths(lake.storage(), "a"), (std::vector<std::string>{"a/x/one"}));
  EXPECT_EQ(value(lake.storage().list("b"))[0].bytes, 2);
  EXPECT_EQ(value(lake.storage().folders("")), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(value(read_text(lake.storage(), "b/two")), "22");
  EXPECT_EQ(value(read_text(lake.storage(), "top")), "");
}

TEST(LocalStorage, NamesWithADotAreNotListed) {
  const TemporaryLake lake;
  check(lake.storage().replace_text("a/one", "1"));
  write_bytes(lake.file("a/.one.123.0.chandler-unfinished"), "half");
  write_bytes(lake.file(".git/config"), "x");
  EXPECT_EQ(paths(lake.storage()), (std::vector<std::string>{"a/one"}));
  EXPECT_EQ(value(lake.storage().folders("")), (std::vector<std::string>{"a"}));
}

TEST(LocalStorage, AnOpenFileStaysAsItWasWhileItIsReplaced) {
  const TemporaryLake lake;
  check(lake.storage().replace_text("a/one", "before"));
  const auto file = value(lake.storage().open("a/one"));
  check(lake.storage().replace_text("a/one", "after!"));
  char bytes[6];
  ASSERT_EQ(*file->ReadAt(0, 6, bytes), 6);
  EXPECT_EQ(std::string(bytes, 6), "before");
  EXPECT_EQ(value(read_text(lake.storage(), "a/one")), "after!");
}

TEST(LocalStorage, ReplacingLeavesNothingAside) {
  const TemporaryLake lake;
  for (int i = 0; i < 20; ++i) check(lake.storage().replace_text("a/one", std::string(1000, 'x')));
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(lake.path())) {
    files += entry.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(files, 1U);
}

TEST(LocalStorage, ManyFilesAtOnceArriveWhole) {
  const TemporaryLake lake;
  std::vector<PendingFile> files;
  for (int i = 0; i < 40; ++i) {
    const std::string path = "a/symbol=" + std::to_string(i % 7) + "/" + std::to_string(i);
    files.push_back({path, arrow::Buffer::FromString(path)});
  }
  check(lake.storage().replace(files));
  for (const PendingFile& file : files) EXPECT_EQ(value(read_text(lake.storage(), file.path)), file.path);
  EXPECT_EQ(paths(lake.storage()).size(), 40U);
}

TEST(LocalStorage, AFailedWriteLeavesTheOldFileAndNothingAside) {
  const TemporaryLake lake;
  check(lake.storage().replace_text("a/one", "old"));
  write_bytes(lake.file("b"), "a file where a folder should be");
  const std::vector<PendingFile> files = {{"a/one", arrow::Buffer::FromString("new")},
                                          {"b/two", arrow::Buffer::FromString("new")}};
  const Status status = lake.storage().replace(files);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::unreachable);
  EXPECT_EQ(read_bytes(lake.file("a/one")), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(lake.file("a")), {}), 1);
}

TEST(LocalStorage, RemovingTakesEmptyFoldersAlong) {
  const TemporaryLake lake;
  check(lake.storage().replace_text("a/b/c/one", "1"));
  check(lake.storage().replace_text("a/two", "2"));
  check(lake.storage().remove("a/b/c/one"));
  EXPECT_FALSE(std::filesystem::exists(lake.file("a/b")));
  EXPECT_EQ(paths(lake.storage()), (std::vector<std::string>{"a/two"}));
  check(lake.storage().remove("a/b/c/one"));  // not an error
  check(lake.storage().remove("a/two"));
  EXPECT_TRUE(std::filesystem::exists(lake.path()));
}

TEST(LocalStorage, ASecondWriterIsToldWhoHoldsTheLock) {
  const TemporaryLake lake;
  {
    const auto lock = value(lake.storage().lock_for_writing("backfill"));
    const auto second = lake.storage().lock_for_writing("build");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::locked);
    EXPECT_EQ(exit_code(second.error().code), 3);
    EXPECT_THAT(second.error().what, HasSubstr("process " + std::to_string(::getpid())));
    EXPECT_THAT(second.error().what, HasSubstr("chandler backfill"));
    EXPECT_TRUE(paths(lake.storage()).empty());  // the lock is no part of the lake
  }
  EXPECT_TRUE(lake.storage().lock_for_writing("build"));
}

// A child that holds the lock and writes without end; killed, it leaves no lock and only whole files.
TEST(LocalStorage, AKilledWriterLeavesWholeFilesAndNoLock) {
  const TemporaryLake lake;
  const std::string contents[] = {std::string(300'000, 'a'), std::string(500'000, 'b')};
  check(lake.storage().replace_text("a/one", contents[0]));
  Random random(1);
  bool left_something = false;
  for (int round = 0; round < 25; ++round) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const auto lock = lake.storage().lock_for_writing("test");
      if (!lock || ::write(ready[1], "x", 1) != 1) ::_exit(1);
      for (std::size_t i = 0;; ++i) {
        if (!lake.storage().replace_text("a/one", contents[i % 2])) ::_exit(2);
      }
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    EXPECT_FALSE(lake.storage().lock_for_writing("test"));
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(8000)));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
    ::close(ready[0]);
    ::close(ready[1]);

    const std::string found = read_bytes(lake.file("a/one"));
    EXPECT_TRUE(found == contents[0] || found == contents[1]);
    EXPECT_EQ(paths(lake.storage()), (std::vector<std::string>{"a/one"}));
    const auto entries = std::distance(std::filesystem::directory_iterator(lake.file("a")), {});
    left_something = left_something || entries > 1;
  }
  const auto lock = value(lake.storage().lock_for_writing("test"));
  check(lake.storage().remove_unfinished());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(lake.file("a")), {}), 1);
  EXPECT_TRUE(left_something) << "no round hit a write: the test shows less than it should";
}

TEST(LocalStorage, BatchAndSpeedLayerHaveAWriterEach) {
  const TemporaryLake lake;
  const auto batch = value(lake.storage().lock_for_writing("backfill"));
  const auto speed = value(lake.storage().lock_for_writing("live", TableGroup::speed));
  EXPECT_EQ(lake.storage().lock_for_writing("build").error().code, ErrorCode::locked);
  const auto second =
      lake.storage().lock_for_writing("consume", TableGroup::speed, std::chrono::milliseconds{30});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().what, ::testing::HasSubstr("live"));
}

TEST(LocalStorage, EachGroupRemovesOnlyItsOwnUnfinishedFiles) {
  const TemporaryLake lake;
  const std::string batch = "klines_1m/.part.parquet.1.0.chandler-unfinished";
  const std::string speed = "speed_1m/symbol=A/.part.parquet.1.0.chandler-unfinished";
  write_bytes(lake.file(batch), "half");
  write_bytes(lake.file(speed), "half");
  check(lake.storage().remove_unfinished());
  EXPECT_FALSE(std::filesystem::exists(lake.file(batch)));
  EXPECT_TRUE(std::filesystem::exists(lake.file(speed)));
  write_bytes(lake.file(batch), "half");
  check(lake.storage().remove_unfinished(TableGroup::speed));
  EXPECT_TRUE(std::filesystem::exists(lake.file(batch)));
  EXPECT_FALSE(std::filesystem::exists(lake.file(speed)));
}

TEST(LocalStorage, UnfinishedFilesOfOthersAreLeftAlone) {
  const TemporaryLake lake;
  write_bytes(lake.file("a/.part.parquet.1.0.chandler-unfinished"), "half");
  write_bytes(lake.file("a/.keep"), "mine");
  check(lake.storage().remove_unfinished());
  EXPECT_TRUE(std::filesystem::exists(lake.file("a/.keep")));
  EXPECT_FALSE(std::filesystem::exists(lake.file("a/.part.parquet.1.0.chandler-unfinished")));
}

TEST(LocalStorage, ThreadsMayReplaceDifferentFiles) {
  const TemporaryLake lake;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 20; ++i) {
          check(lake.storage().replace_text("a/" + std::to_string(t) + "/" + std::to_string(i), "x"));
        }
      });
    }
  }
  EXPECT_EQ(paths(lake.storage()).size(), 80U);
}

TEST(LocalStorage, AddressesAreFoldersOrFileUris) {
  const testing::TemporaryFolder folder;
  const std::string path = (folder.path() / "lake").string();
  check(value(open_storage("file://" + path))->replace_text("one", "1"));
  EXPECT_EQ(value(read_text(*value(open_storage(path + "/")), "one")), "1");
  EXPECT_EQ(open_storage("").error().code, ErrorCode::usage);
  EXPECT_EQ(open_storage("gopher://x/y").error().code, ErrorCode::usage);
  EXPECT_EQ(open_storage(path + "/one").error().code, ErrorCode::usage);
}

}  // namespace
}  // namespace chandler::lake
