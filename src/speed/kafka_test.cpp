// Against librdkafka's own mock broker: groups, rebalances and failures without Java. tests/speed has the
// real one.
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <thread>

#include "lake/catalog.hpp"
#include "lake/test_lake.hpp"
#include "speed/consume.hpp"
#include "speed/kafka_sink.hpp"

namespace chandler::speed {
namespace {

using candles::testing::random_kline;
using lake::testing::check;
using lake::testing::TemporaryLake;
using lake::testing::value;

constexpr std::int64_t kStart = 1'700'000'000'000 / kDayMs * kDayMs;
const std::vector<std::string> kSymbols = {"AAAUSDT", "BBBUSDT", "CCCUSDT", "DDDUSDT", "EEEUSDT", "FFFUSDT"};

// librdkafka starts its threads with thrd_create, which ThreadSanitizer does not intercept: they crash in it.
#ifdef __SANITIZE_THREAD__
constexpr bool kWatched = true;
#else
constexpr bool kWatched = false;
#endif

class Broker {
 public:
  Broker() {
    if (kWatched) return;
    handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), nullptr, 0);
    cluster_ = rd_kafka_mock_cluster_new(handle_, 1);
    rd_kafka_mock_topic_create(cluster_, "klines", 4, 1);
  }
  ~Broker() {
    if (kWatched) return;
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(handle_);
  }
  KafkaAddress address() const {
    KafkaAddress a;
    a.brokers = rd_kafka_mock_cluster_bootstraps(cluster_);
    a.topic = "klines";
    return a;
  }
  void down() { rd_kafka_mock_broker_set_down(cluster_, 1); }
  void up() { rd_kafka_mock_broker_set_up(cluster_, 1); }

 private:
  rd_kafka_t* handle_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

class Silent final : public SpeedObserver {
 public:
  void on_progress(const Pipeline&, const std::set<std::pair<std::string, Day>>&) override {}
};

class NoLetters final : public DeadLetters {
 public:
  Status put(const DeadLetter&) override { return {}; }
  Status flush() override { return {}; }
};

class KafkaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (kWatched) GTEST_SKIP() << "librdkafka's threads cannot be watched";
  }
  // Every minute of every symbol in [first, last), once.
  void publish(KafkaSink& sink, int first, int last) {
    for (int m = first; m < last; ++m) {
      for (const auto& symbol : kSymbols) {
        const auto json = exchange::kline_event_json(symbol, kline(symbol, m));
        check(sink.publish({symbol, json, {}, from_ms(kStart)}, {}));
      }
      check(sink.healthy());
    }
  }
  static candles::Kline kline(const std::string& symbol, int minute) {
    Random random(static_cast<std::uint64_t>(minute) * 100 + static_cast<std::uint64_t>(symbol[0]));
    return random_kline(random, kStart + minute * kMinuteMs, candles::Source::stream);
  }
  Status consume_until(std::stop_token stop, bool once, Figures& figures) {
    NoLetters letters;
    Silent observer;
    ConsumeOptions options;
    options.address = broker.address();
    options.once = once;
    options.pipeline.trigger = Millis{50};
    return consume({lake.storage(), clock, letters, figures, observer, stop}, options);
  }
  std::size_t stored() {
    std::size_t rows = 0;
    for (const auto& symbol : kSymbols) {
      for (const auto& p : value(lake::partitions_of(lake.storage(), lake::Table::speed_1m, symbol))) {
        rows += value(lake::read_kline_footer(lake.storage(), p)).rows;
      }
    }
    return rows;
  }
  void expect_whole(int minutes) {
    for (const auto& symbol : kSymbols) {
      int next = 0;
      for (const auto& p : value(lake::partitions_of(lake.storage(), lake::Table::speed_1m, symbol))) {
        const auto rows = value(lake::read_klines(lake.storage(), p));
        for (std::size_t i = 0; i < rows.size(); ++i, ++next) {
          ASSERT_EQ(rows.open_time[i], kStart + next * kMinuteMs) << symbol;
          ASSERT_TRUE(candles::same_values(rows.at(i), kline(symbol, next))) << symbol;
        }
      }
      EXPECT_EQ(next, minutes) << symbol;
    }
  }
  bool wait_for(const std::function<bool()>& condition) {
    for (int i = 0; i < 600; ++i) {
      if (condition()) return true;
      clock.sleep(std::chrono::milliseconds{50});
    }
    return false;
  }

  SystemClock clock;
  TemporaryLake lake;
  Broker broker;
};

TEST_F(KafkaTest, WhatWasProducedIsConsumedOnceAndAgainWithoutChange) {
  Figures produced;
  const auto sink = value(KafkaSink::open(broker.address(), 4, clock, produced));
  publish(*sink, 0, 1500);
  check(sink->flush(std::chrono::seconds{30}));
  EXPECT_EQ(produced.published, 1500u * kSymbols.size());

  Figures first;
  check(consume_until({}, true, first));
  EXPECT_EQ(first.minutes_added, 1500u * kSymbols.size());
  EXPECT_EQ(first.rejected_total(), 0u);
  expect_whole(1500);
  const auto before = lake::testing::files_of(lake);
  Figures second;
  check(consume_until({}, true, second));
  EXPECT_EQ(second.messages, first.messages);
  EXPECT_EQ(second.minutes_added, 0u);
  EXPECT_EQ(lake::testing::files_of(lake), before);
}

TEST_F(KafkaTest, ReceiptTravelsWithTheMessageSoThatBothSidesKnowTheirDelay) {
  ManualClock later(from_ms(kStart + 3'000));
  Figures produced;
  const auto sink = value(KafkaSink::open(broker.address(), 4, later, produced));
  const auto json = exchange::kline_event_json("AAAUSDT", kline("AAAUSDT", 0));
  check(sink->publish({"AAAUSDT", json, {}, from_ms(kStart)}, {}));
  check(sink->flush(std::chrono::seconds{30}));
  EXPECT_EQ(produced.delivery.total(), Millis{3'000});

  std::vector<Timestamp> received;
  KafkaEvents events;
  events.on_assigned = [](int) { return Result<std::optional<std::int64_t>>(std::nullopt); };
  const auto source = value(KafkaSource::read_to_end(broker.address(), std::move(events)));
  while (!source->at_end()) {
    check(source->poll(std::chrono::milliseconds{100}, [&](const KafkaMessage& m) -> Status {
      received.push_back(m.received.value());
      return {};
    }));
  }
  EXPECT_EQ(received, std::vector{from_ms(kStart)});
}

TEST_F(KafkaTest, ADeadLetterKeepsWhereItCameFromAndNoMessageIsTooLongForIt) {
  const std::string key(2 << 20, 'k'), payload(3 << 20, '{');
  KafkaAddress address = broker.address();
  address.topic = "letters";
  const auto letters = value(dead_letter_topic(address, clock));
  check(letters->put({"klines/3", 7, key, payload, "the message is far too long"}));
  check(letters->flush());
  KafkaEvents events;
  events.on_assigned = [](int) { return Result<std::optional<std::int64_t>>(std::nullopt); };
  const auto source = value(KafkaSource::read_to_end(address, std::move(events)));
  std::size_t seen = 0;
  while (!source->at_end()) {
    check(source->poll(std::chrono::milliseconds{100}, [&](const KafkaMessage& m) -> Status {
      ++seen;
      EXPECT_EQ(m.key, key.substr(0, 4096));
      EXPECT_EQ(m.payload, payload.substr(0, 512 * 1024));
      return {};
    }));
  }
  EXPECT_EQ(seen, 1u);
}

TEST_F(KafkaTest, MembersOfAGroupThatComeAndGoLoseAndDoubleNothing) {
  Figures produced;
  const auto sink = value(KafkaSink::open(broker.address(), 4, clock, produced));
  publish(*sink, 0, 100);
  constexpr int kMinutes = 500;
  std::vector<std::unique_ptr<Figures>> figures;
  std::vector<std::jthread> members;
  const auto add_member = [&] {
    figures.push_back(std::make_unique<Figures>());
    members.emplace_back(
        [this, f = figures.back().get()](std::stop_token stop) { check(consume_until(stop, false, *f)); });
  };
  add_member();
  ASSERT_TRUE(wait_for([&] { return stored() >= 50 * kSymbols.size(); }));
  int at = 100;
  for (int round = 0; round < 2; ++round) {
    add_member();
    publish(*sink, at, at + 100);
    at += 100;
    clock.sleep(std::chrono::milliseconds{400});
    members.erase(members.begin());  // stops it and waits
    publish(*sink, at, at + 100);
    at += 100;
  }
  ASSERT_EQ(at, kMinutes);
  check(sink->flush(std::chrono::seconds{30}));
  EXPECT_TRUE(wait_for([&] { return stored() >= static_cast<std::size_t>(kMinutes) * kSymbols.size(); }));
  members.clear();
  expect_whole(kMinutes);
}

TEST_F(KafkaTest, ABrokerThatIsDownCostsTimeAndNoMessage) {
  Figures produced;
  const auto sink = value(KafkaSink::open(broker.address(), 4, clock, produced));
  publish(*sink, 0, 50);
  broker.down();
  publish(*sink, 50, 150);
  EXPECT_FALSE(sink->flush(std::chrono::milliseconds{300}));
  broker.up();
  publish(*sink, 150, 200);
  check(sink->flush(std::chrono::seconds{30}));
  EXPECT_EQ(produced.published, 200u * kSymbols.size());
  Figures consumed;
  check(consume_until({}, true, consumed));
  expect_whole(200);
}

TEST_F(KafkaTest, AFullQueueMakesTheProducerWaitAndStopEndsTheWait) {
  Figures produced;
  KafkaAddress address = broker.address();
  address.properties["queue.buffering.max.messages"] = "100";
  const auto sink = value(KafkaSink::open(address, 4, clock, produced));
  broker.down();
  std::stop_source stop;
  Status status;
  std::jthread writer([&] {
    while (status)
      status = sink->publish(
          {"AAAUSDT", exchange::kline_event_json("AAAUSDT", kline("AAAUSDT", 0)), {}, from_ms(0)},
          stop.get_token());
  });
  clock.sleep(std::chrono::milliseconds{300});
  EXPECT_LE(sink->queued(), 100u);
  stop.request_stop();
  writer.join();
  EXPECT_EQ(status.error().code, ErrorCode::interrupted);
}

TEST_F(KafkaTest, NoBrokerAndWrongPropertiesAreNamed) {
  Figures figures;
  KafkaAddress nobody;
  nobody.brokers = "127.0.0.1:1";
  nobody.topic = "klines";
  nobody.connect_deadline = std::chrono::milliseconds{500};
  const auto refused = KafkaSink::open(nobody, 1, clock, figures);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unreachable);
  EXPECT_EQ(refused.error().where, "127.0.0.1:1");
  KafkaAddress odd = broker.address();
  odd.properties["no.such.thing"] = "1";
  EXPECT_EQ(KafkaSource::join(odd, "g", {}).error().code, ErrorCode::usage);
}

TEST(KafkaStop, AWaitForBrokersThatDoNotAnswerEndsWithTheProgram) {
  if (kWatched) GTEST_SKIP() << "librdkafka's threads cannot be watched";
  std::stop_source source;
  KafkaAddress nobody{
      .brokers = "127.0.0.1:1", .topic = "klines", .properties = {}, .stop = source.get_token()};
  nobody.connect_deadline = std::chrono::hours{1};
  source.request_stop();
  Figures figures;
  SystemClock clock;
  EXPECT_EQ(KafkaSink::open(nobody, 1, clock, figures).error().code, ErrorCode::interrupted);
  EXPECT_EQ(KafkaSource::join(nobody, "g", {}).error().code, ErrorCode::interrupted);
}

}  // namespace
}  // namespace chandler::speed
