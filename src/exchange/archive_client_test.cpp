#include "exchange/archive_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "exchange/scripted_exchange.hpp"
#include "exchange/zip_bytes.hpp"

namespace chandler::exchange {
namespace {

using namespace std::chrono_literals;
using candles::Interval;
using testing::failure;
using ::testing::HasSubstr;
using testing::recorded;
using testing::reply;
using testing::ScriptedExchange;
using testing::zip_of;

const Timestamp kStart = from_ms(1'700'000'040'000);
const Day kDay2020 = *parse_day("2020-01-01");
const std::string kZip = recorded("BTCUSDT-1m-2020-01-01.zip");
const std::string kChecksum = recorded("BTCUSDT-1m-2020-01-01.zip.CHECKSUM");

// The archive as it should be: one day of one symbol.
ScriptedExchange::Answer honest(const http::Request& request) {
  const std::string file = "/data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2020-01-01.zip";
  if (request.url == "http://archive.test" + file) return reply(200, kZip);
  if (request.url == "http://archive.test" + file + ".CHECKSUM") return reply(200, kChecksum);
  return reply(404, "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code></Error>");
}

struct Rig {
  ManualClock clock{kStart};
  ScriptedExchange archive{clock, honest};
  ArchiveClient client{{.base_url = "http://archive.test/"}, archive, clock, Random(1)};

  Result<std::optional<ArchiveFile>> day(const Call& call = {}) {
    return client.fetch_day("BTCUSDT", Interval::m1, kDay2020, call);
  }
};

TEST(ArchiveClient, AFileIsFetchedAndComparedWithItsChecksum) {
  Rig rig;
  const auto file = rig.day();
  ASSERT_TRUE(file && *file) << to_text(file.error());
  EXPECT_EQ((*file)->rows.size(), 1440u);
  EXPECT_TRUE((*file)->checksum_published);
  EXPECT_EQ((*file)->sha256, kChecksum.substr(0, 64));
  EXPECT_EQ(rig.archive.sent.size(), 2u);
  EXPECT_EQ(rig.client.counters().files, 1);
}

TEST(ArchiveClient, WhatIsNotPublishedIsAbsentAfterOneRequest) {
  Rig rig;
  const auto file = rig.client.fetch_month("BTCUSDT", Interval::m1, std::chrono::year{2020} / 1);
  ASSERT_TRUE(file);
  EXPECT_FALSE(*file);
  ASSERT_EQ(rig.archive.sent.size(), 1u);
  EXPECT_EQ(rig.archive.sent[0].url,
            "http://archive.test/data/spot/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-2020-01.zip");
  EXPECT_EQ(rig.client.counters().absent, 1);
}

TEST(ArchiveClient, WithoutAChecksumTheZipsOwnCrcHasToDo) {
  Rig rig;
  rig.archive.then(reply(200, kZip));
  rig.archive.then(reply(404, ""));
  const auto file = rig.day();
  ASSERT_TRUE(file && *file);
  EXPECT_FALSE((*file)->checksum_published);

  std::string damaged = kZip;
  damaged[damaged.size() / 2] ^= 1;
  Rig other;
  other.archive.then(reply(200, damaged));
  other.archive.then(reply(404, ""));
  ASSERT_TRUE(*other.day());
  EXPECT_EQ(other.client.counters().mismatches, 1);
}

TEST(ArchiveClient, AMismatchIsDownloadedAgain) {
  std::string damaged = kZip;
  damaged[100] ^= 1;
  Rig rig;
  rig.archive.then(reply(200, damaged));
  const auto file = rig.day();
  ASSERT_TRUE(file && *file);
  EXPECT_EQ((*file)->rows.size(), 1440u);
  EXPECT_EQ(rig.client.counters().mismatches, 1);
  EXPECT_EQ(rig.archive.sent.size(), 4u);
}

TEST(ArchiveClient, AMismatchThatStaysIsAnErrorThatSaysWhat) {
  Rig rig;
  const std::string other =
      zip_of({{"BTCUSDT-1m-2020-01-01.csv", "1577836800000,1,1,1,1,1,1577836859999,1,1,1,1,0\n"}});
  for (int i = 0; i < 3; ++i) {
    rig.archive.then(reply(200, other));
    rig.archive.then(reply(200, kChecksum));
  }
  const auto file = rig.day();
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::invalid_data);
  EXPECT_THAT(file.error().what, HasSubstr("SHA-256"));
  EXPECT_THAT(file.error().where, HasSubstr("BTCUSDT-1m-2020-01-01.zip"));
  EXPECT_EQ(rig.archive.sent.size(), 6u);
}

TEST(ArchiveClient, PassingFailuresAreTriedAgainAndOrdersToWaitObeyed) {
  Rig rig;
  rig.archive.then(reply(503, "<Error><Code>SlowDown</Code></Error>", {{"retry-after", "5"}}));
  rig.archive.then(reply(429, "", {{"retry-after", "11"}}));
  rig.archive.then(reply(403, "<html>"));
  rig.archive.then(failure(http::Failure::Kind::timeout));
  const auto file = rig.day();
  ASSERT_TRUE(file && *file) << to_text(file.error());
  EXPECT_EQ(rig.archive.sent_while_told_to_wait, 0);
  EXPECT_GE(rig.archive.sent[2].at, 16s);
  EXPECT_EQ(rig.archive.sent.size(), 6u);
}

TEST(ArchiveClient, AnArchiveThatCannotBeReachedEndsUnreachable) {
  Rig rig;
  for (int i = 0; i < 5; ++i) rig.archive.then(failure(http::Failure::Kind::unreachable));
  const auto file = rig.day();
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::unreachable);
  EXPECT_THAT(file.error().remedy, HasSubstr("--archive-url"));
  EXPECT_EQ(rig.archive.sent.size(), 5u) << "a file that cannot be had is not a mismatch";
}

TEST(ArchiveClient, AStopRequestAndADeadlineEndIt) {
  Rig rig;
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(rig.day({.stop = stop.get_token()}).error().code, ErrorCode::interrupted);
  rig.archive.then(reply(429, "", {{"retry-after", "60"}}));
  EXPECT_EQ(rig.day({.deadline = 30s}).error().code, ErrorCode::unreachable);
  EXPECT_LE(rig.clock.steady(), 30s);
}

TEST(ArchiveClient, OtherIntervalsAreRefused) {
  Rig rig;
  EXPECT_EQ(rig.client.fetch_day("BTCUSDT", Interval::h1, kDay2020).error().code, ErrorCode::usage);
}

TEST(ArchiveClient, ManyThreadsUnderFaultsGetTheSameRows) {
  ManualClock clock(kStart);
  Random faults(5);
  ScriptedExchange archive(clock, [&](const http::Request& r) -> ScriptedExchange::Answer {
    if (faults.chance(0.1)) return reply(429, "", {{"retry-after", std::to_string(faults.below(20))}});
    if (faults.chance(0.1)) return failure(http::Failure::Kind::broken);
    auto answer = honest(r);
    if (faults.chance(0.1)) answer->body[faults.below(answer->body.size())] ^= 4;
    return answer;
  });
  ArchiveClient client(
      {.base_url = "http://archive.test", .retry = {.attempts = 12}, .tries_of_a_mismatch = 12}, archive,
      clock, Random(1));
  std::atomic<int> whole{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 5; ++i) {
          const auto file = client.fetch_day("BTCUSDT", Interval::m1, kDay2020);
          whole += file && *file && (*file)->rows.size() == 1440;
        }
      });
    }
  }
  EXPECT_EQ(whole, 20);
  EXPECT_EQ(archive.sent_while_told_to_wait, 0);
}

}  // namespace
}  // namespace chandler::exchange
