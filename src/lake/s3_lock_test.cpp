#include "lake/s3_lock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "lake/catalog.hpp"
#include "lake/test_lake.hpp"
#include "lake/test_object_store.hpp"

namespace chandler::lake {
namespace {

using namespace std::chrono_literals;

candles::Klines minutes(Timestamp first, std::size_t count) {
  Random random(3);
  return candles::testing::random_history(random, first, count, 0.0);
}

using ::testing::HasSubstr;
constexpr const char* kKey = "p/.chandler.lock";

class S3LockTest : public ::testing::Test {
 protected:
  // The lock of a writer on another machine that was killed so long ago.
  void leave_lock(std::chrono::seconds age, std::chrono::milliseconds lease) {
    const nlohmann::json claim = {{"holder", "process 7 on elsewhere (chandler build, since long)"},
                                  {"token", "theirs"},
                                  {"lease_ms", lease.count()},
                                  {"space", "another machine"},
                                  {"pid", "7"},
                                  {"start", "1"}};
    const auto paused = store_.pause();
    store_.objects[kKey] = {claim.dump(), "\"theirs\"", std::time(nullptr) - age.count()};
  }
  testing::ObjectStore::Stored lock_object() {
    const auto paused = store_.pause();
    return store_.objects.at(kKey);
  }
  std::string token() { return nlohmann::json::parse(lock_object().bytes)["token"]; }

  testing::ObjectStore store_;
  SystemClock clock_;
};

TEST_F(S3LockTest, AKilledWritersLockIsHeldUntilItsLeaseEndsAndTheErrorSaysWhen) {
  leave_lock(10s, 30s);
  const auto lock = store_.open(clock_)->lock_for_writing("build");
  ASSERT_FALSE(lock);
  EXPECT_THAT(lock.error().what, HasSubstr("process 7 on elsewhere"));
  EXPECT_THAT(lock.error().remedy, HasSubstr("ends by itself after 2"));
  EXPECT_EQ(token(), "theirs");
}

TEST_F(S3LockTest, ALockWhoseLeaseIsOverIsTaken) {
  leave_lock(40s, 30s);
  EXPECT_TRUE(store_.open(clock_)->lock_for_writing("build"));
}

TEST_F(S3LockTest, TheAgeIsToldByTheStoreAndByTheLeaseThatWasPromised) {
  leave_lock(40s, 60s);
  EXPECT_FALSE(store_.open(clock_, 1s)->lock_for_writing("build"));
}

TEST_F(S3LockTest, AProcessOfThisMachineThatIsGoneHasNoLock) {
  auto storage = store_.open(clock_);
  {
    auto lock = *storage->lock_for_writing("build");
    // As the same process would have left it, had it been another with this number.
    auto claim = nlohmann::json::parse(lock_object().bytes);
    claim["token"] = "gone";
    EXPECT_FALSE(claim["start"].get<std::string>().empty());
    claim["start"] = "1";
    {
      const auto paused = store_.pause();
      store_.objects[kKey] = {claim.dump(), "\"gone\"", std::time(nullptr)};
    }
    EXPECT_TRUE(store_.open(clock_)->lock_for_writing("import"));
  }
}

TEST_F(S3LockTest, AHeldLockIsRenewedForAsLongAsItTakes) {
  auto lock = *store_.open(clock_, 1s)->lock_for_writing("build");
  const std::string first = lock_object().etag;
  for (int i = 0; i < 25; ++i) {
    std::this_thread::sleep_for(100ms);
    ASSERT_FALSE(store_.open(clock_, 1s)->lock_for_writing("import")) << i;
  }
  EXPECT_NE(lock_object().etag, first);
  lock.reset();
  EXPECT_FALSE(store_.objects.contains(kKey));
}

TEST_F(S3LockTest, WithoutARenewalInTimeWritingStops) {
  const auto storage = store_.open(clock_, 1s);
  auto lock = *storage->lock_for_writing("build");
  ASSERT_TRUE(storage->replace_text("klines_1m/a", "x"));
  leave_lock(0s, 30s);  // somebody has taken it away
  std::this_thread::sleep_for(900ms);
  const Status late = storage->replace_text("klines_1m/a", "y");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::locked);
  EXPECT_EQ(store_.objects.at("p/klines_1m/a").bytes, "x");
  EXPECT_FALSE(storage->remove("klines_1m/a"));
  EXPECT_TRUE(storage->replace_text("speed_1m/a", "y"));  // another lock's
  lock.reset();
  EXPECT_EQ(token(), "theirs");
}

TEST_F(S3LockTest, AStoreThatFailsMeanwhileDoesNotCostTheLock) {
  const auto storage = store_.open(clock_, 1s);
  auto lock = *storage->lock_for_writing("build");
  std::atomic<int> failures{0};
  auto paused = store_.pause();
  store_.instead = [&](const http::Request& request,
                       bool done) -> std::optional<testing::ObjectStore::Answer> {
    // What is renewed is stored, but the answer gets lost every other time.
    if (!done || request.method != "PUT" || ++failures % 2 == 0) return std::nullopt;
    return std::unexpected(http::Failure{http::Failure::Kind::broken, "reset"});
  };
  paused.unlock();
  std::this_thread::sleep_for(2s);
  EXPECT_GT(failures, 2);
  EXPECT_TRUE(storage->replace_text("klines_1m/a", "y"));
  lock.reset();
}

TEST_F(S3LockTest, ALockWhoseAnswerGotLostIsRecognized) {
  bool lost = false;
  store_.instead = [&](const http::Request& request,
                       bool done) -> std::optional<testing::ObjectStore::Answer> {
    if (!done || request.method != "PUT" || std::exchange(lost, true)) return std::nullopt;
    return std::unexpected(http::Failure{http::Failure::Kind::broken, "reset"});
  };
  EXPECT_TRUE(store_.open(clock_)->lock_for_writing("build"));
  EXPECT_TRUE(lost);
}

TEST_F(S3LockTest, AStoreThatOverlooksConditionsIsRefused) {
  store_.knows_conditions = false;
  const auto lock = store_.open(clock_)->lock_for_writing("build");
  ASSERT_FALSE(lock);
  EXPECT_THAT(lock.error().what, HasSubstr("If-None-Match"));
}

TEST_F(S3LockTest, NoFileIsAskedAboutSinglyAndEachIsReadInOneRequest) {
  const auto storage = store_.open(clock_);
  for (int month = 1; month <= 6; ++month) {
    const auto begin =
        begin_of(first_day(std::chrono::year{2024} / std::chrono::month(static_cast<unsigned>(month))));
    testing::store(*storage, Table::klines_1m, "BTCUSDT", minutes(begin, 100));
  }
  store_.log.clear();
  ASSERT_EQ(read_catalog(*storage, "BTCUSDT")->minutes.size(), 6);
  // Two tables are listed; each of the six footers is one request.
  EXPECT_EQ(store_.log.size(), 2 + 6);
  EXPECT_EQ(std::ranges::count_if(store_.log, [](const auto& line) { return line.starts_with("HEAD"); }), 0);
}

}  // namespace
}  // namespace chandler::lake
