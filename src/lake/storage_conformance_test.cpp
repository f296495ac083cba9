// What every storage promises, asked of each of them.
#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "base/parallel.hpp"
#include "base/random.hpp"
#include "lake/kline_file.hpp"
#include "lake/test_lake.hpp"
#include "lake/test_object_store.hpp"

namespace chandler::lake {
namespace {

using namespace std::chrono_literals;

candles::Klines minutes(Timestamp first, std::size_t count) {
  Random random(3);
  return candles::testing::random_history(random, first, count, 0.0);
}

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

enum class Kind { local, object_store, object_store_with_small_pages };

class StorageConformance : public ::testing::TestWithParam<Kind> {
 protected:
  StorageConformance() {
    store_.page = GetParam() == Kind::object_store_with_small_pages ? 2 : 1000;
    storage_ = open();
  }
  std::shared_ptr<Storage> open() {
    return GetParam() == Kind::local ? testing::value(open_local_storage((folder_.path() / "lake").string()))
                                     : store_.open(clock_);
  }
  std::vector<std::string> paths(std::string_view folder) const {
    std::vector<std::string> names;
    for (const StoredFile& file : testing::value(storage_->list(folder))) names.push_back(file.path);
    return names;
  }

  testing::TemporaryFolder folder_;
  SystemClock clock_;
  testing::ObjectStore store_;
  std::shared_ptr<Storage> storage_;
};

TEST_P(StorageConformance, AnEmptyLakeHasNothingAndThatIsNoError) {
  EXPECT_THAT(paths(""), IsEmpty());
  EXPECT_THAT(paths("klines_1m/symbol=NONE"), IsEmpty());
  EXPECT_THAT(*storage_->folders("klines_1m"), IsEmpty());
  const auto missing = storage_->open("a/b");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_EQ(storage_->open_footer("a/b").error().code, ErrorCode::not_found);
  EXPECT_TRUE(storage_->remove("a/b"));
  EXPECT_TRUE(storage_->remove_unfinished());
}

TEST_P(StorageConformance, AFileIsThereAsItWasWrittenAndItsReplacementToo) {
  for (const std::string& text :
       {std::string("one"), std::string(), std::string(1 << 20, 'x'), std::string("\0\xff", 2)}) {
    ASSERT_TRUE(storage_->replace_text("t/symbol=A/part.parquet", text));
    EXPECT_EQ(*read_text(*storage_, "t/symbol=A/part.parquet"), text);
    const auto files = *storage_->list("t");
    ASSERT_EQ(files.size(), 1);
    EXPECT_EQ(files[0].path, "t/symbol=A/part.parquet");
    EXPECT_EQ(files[0].bytes, static_cast<std::int64_t>(text.size()));
  }
}

TEST_P(StorageConformance, AListingIsSortedWholeAndOfThatFolderOnly) {
  for (const char* path : {"t/b", "t/a/x", "t/a/y", "t/a.b/x", "tt/a", "t/symbol=币安/p", "t/a b/p", "u"}) {
    ASSERT_TRUE(storage_->replace_text(path, path));
  }
  EXPECT_THAT(paths("t"), ElementsAre("t/a b/p", "t/a.b/x", "t/a/x", "t/a/y", "t/b", "t/symbol=币安/p"));
  EXPECT_THAT(paths("t/a"), ElementsAre("t/a/x", "t/a/y"));
  EXPECT_EQ(paths("").size(), 8);
  EXPECT_THAT(*storage_->folders("t"), ElementsAre("a", "a b", "a.b", "symbol=币安"));
  EXPECT_THAT(*storage_->folders(""), ElementsAre("t", "tt"));
}

TEST_P(StorageConformance, AFolderGoesWithItsLastFile) {
  ASSERT_TRUE(storage_->replace_text("t/symbol=A/x", "x"));
  ASSERT_TRUE(storage_->replace_text("t/symbol=B/x", "x"));
  ASSERT_TRUE(storage_->remove("t/symbol=A/x"));
  EXPECT_THAT(*storage_->folders("t"), ElementsAre("symbol=B"));
  ASSERT_TRUE(storage_->remove("t/symbol=B/x"));
  EXPECT_THAT(paths(""), IsEmpty());
}

TEST_P(StorageConformance, AnOpenFileStaysAsItWas) {
  ASSERT_TRUE(storage_->replace_text("f", "old"));
  const auto file = *storage_->open("f");
  ASSERT_TRUE(storage_->replace_text("f", "newer"));
  EXPECT_EQ((*file->ReadAt(0, 3))->ToString(), "old");
  EXPECT_EQ(*file->GetSize(), 3);
  ASSERT_TRUE(storage_->remove("f"));
  EXPECT_EQ((*file->ReadAt(0, 3))->ToString(), "old");
}

TEST_P(StorageConformance, AFooterReaderSeesTheWholeFile) {
  Random random(5);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{10}, std::size_t{64 << 10}, std::size_t{200'000}}) {
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>(random.below(256));
    ASSERT_TRUE(storage_->replace_text("f", text));
    const auto file = *storage_->open_footer("f");
    ASSERT_EQ(*file->GetSize(), static_cast<std::int64_t>(size));
    const auto last = static_cast<std::int64_t>(std::min<std::size_t>(size, 8));
    EXPECT_EQ((*file->ReadAt(static_cast<std::int64_t>(size) - last, last))->ToString(),
              text.substr(size - static_cast<std::size_t>(last)));
    EXPECT_EQ((*file->ReadAt(0, static_cast<std::int64_t>(size)))->ToString(), text);
  }
}

TEST_P(StorageConformance, PartitionsAreWrittenAndReadBack) {
  candles::Klines rows = minutes(from_ms(1'714'521'600'000), 1440);
  testing::store(*storage_, Table::klines_1m, "BTCUSDT", rows);
  const auto partition = minutes_partition("BTCUSDT", month_of(from_ms(1'714'521'600'000)));
  EXPECT_EQ(read_kline_footer(*storage_, partition)->rows, 1440);
  EXPECT_EQ(read_klines(*storage_, partition)->close, rows.close);
}

TEST_P(StorageConformance, StagedFilesAppearTogetherAndOnlyWhenCommitted) {
  {
    auto staging = *storage_->stage();
    ASSERT_TRUE(staging->add({"t/a", arrow::Buffer::FromString("never")}));
  }
  EXPECT_THAT(paths(""), IsEmpty());
  auto staging = *storage_->stage();
  ASSERT_TRUE(staging->add({"t/a", arrow::Buffer::FromString("first")}));
  ASSERT_TRUE(staging->add({"t/a", arrow::Buffer::FromString("second")}));
  ASSERT_TRUE(staging->add({"t/b", arrow::Buffer::FromString("b")}));
  EXPECT_THAT(paths(""), IsEmpty());
  EXPECT_EQ((*(*staging->open("t/a"))->ReadAt(0, 6))->ToString(), "second");
  ASSERT_TRUE(staging->commit());
  EXPECT_EQ(*read_text(*storage_, "t/a"), "second");
  EXPECT_EQ(*read_text(*storage_, "t/b"), "b");
}

TEST_P(StorageConformance, ReadersSeeOldOrNewAndNeverAMixture) {
  ASSERT_TRUE(storage_->replace_text("f", std::string(100'000, 'a')));
  std::atomic<bool> done{false};
  std::atomic<int> mixed{0};
  std::jthread reader([&] {
    while (!done) {
      const auto text = read_text(*storage_, "f");
      if (!text || text->size() != 100'000 || std::set<char>(text->begin(), text->end()).size() != 1) ++mixed;
    }
  });
  for (int i = 0; i < 50; ++i)
    ASSERT_TRUE(storage_->replace_text("f", std::string(100'000, static_cast<char>('a' + i % 20))));
  done = true;
  reader.join();
  EXPECT_EQ(mixed, 0);
}

TEST_P(StorageConformance, ThreadsReplaceDifferentFilesAtOnce) {
  ASSERT_TRUE(parallel_for(64, 8, [&](std::size_t i) {
    return storage_->replace_text("t/" + std::to_string(i), std::to_string(i));
  }));
  EXPECT_EQ(paths("t").size(), 64);
  EXPECT_EQ(*read_text(*storage_, "t/63"), "63");
}

TEST_P(StorageConformance, OneWriterAtATimeAndTheOtherIsToldWho) {
  auto lock = *storage_->lock_for_writing("build");
  const auto second = open()->lock_for_writing("import");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::locked);
  EXPECT_THAT(second.error().what, HasSubstr("chandler build"));
  EXPECT_THAT(second.error().what, HasSubstr(std::to_string(::getpid())));
  EXPECT_FALSE(second.error().remedy.empty());
  EXPECT_THAT(paths(""), IsEmpty());                                 // a lock is no file of the lake
  EXPECT_TRUE(open()->lock_for_writing("live", TableGroup::speed));  // has a lock of its own
  lock.reset();
  EXPECT_TRUE(open()->lock_for_writing("import"));
}

TEST_P(StorageConformance, ALockIsWaitedForWithPatience) {
  auto lock = *storage_->lock_for_writing("consume", TableGroup::speed);
  std::jthread later([&] {
    std::this_thread::sleep_for(150ms);
    lock.reset();
  });
  EXPECT_TRUE(open()->lock_for_writing("merge", TableGroup::speed, 20s));
}

TEST_P(StorageConformance, OfManyWritersAtOnceExactlyOneHasTheLock) {
  std::atomic<int> inside{0}, together{0}, taken{0};
  ASSERT_TRUE(parallel_for(6, 6, [&](std::size_t) -> Status {
    CHANDLER_ASSIGN(const auto lock, open()->lock_for_writing("consume", TableGroup::speed, 60s));
    if (++inside != 1) ++together;
    std::this_thread::sleep_for(5ms);
    --inside;
    ++taken;
    return {};
  }));
  EXPECT_EQ(together, 0);
  EXPECT_EQ(taken, 6);
}

INSTANTIATE_TEST_SUITE_P(Storages, StorageConformance,
                         ::testing::Values(Kind::local, Kind::object_store,
                                           Kind::object_store_with_small_pages),
                         [](const auto& kind) -> std::string {
                           if (kind.param == Kind::local) return "Local";
                           return kind.param == Kind::object_store ? "ObjectStore"
                                                                   : "ObjectStoreWithSmallPages";
                         });

}  // namespace
}  // namespace chandler::lake
