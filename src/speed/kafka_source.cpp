#include "speed/kafka_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/log.hpp"
#include "speed/fetch_waker.hpp"
#include "speed/kafka_handle.hpp"

namespace chandler::speed {
namespace {

constexpr int kAskOffsetsMs = 10'000;
constexpr std::size_t kBatch = 4096;

KafkaProperties properties_of(const KafkaAddress& address, const std::string& group) {
  KafkaProperties properties = {
      {"bootstrap.servers", address.brokers},
      {"client.id", "chandler"},
      {"group.id", group},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "earliest"},
      {"enable.partition.eof", "true"},
      {"partition.assignment.strategy", "range"},
      {"session.timeout.ms", "10000"},
      {"heartbeat.interval.ms", "2000"},
      // A commit of many symbols may hold the consumer for a while.
      {"max.poll.interval.ms", "300000"},
      {"topic.metadata.refresh.interval.ms", "10000"},
      {"reconnect.backoff.max.ms", "2000"},
      {"fetch.wait.max.ms", "100"},
      // What is fetched ahead bounds the memory. One answer of a broker comes on top, decompressed, for each
      // partition.
      {"fetch.message.max.bytes", "1048576"},
      {"queued.min.messages", "1000000"},
      {"queued.max.messages.kbytes", "49152"},
  };
  for (const auto& [key, value] : address.properties) properties[key] = value;
  return properties;
}

class Source final : public KafkaSource {
 public:
  Source(const KafkaAddress& address, KafkaEvents events) : address_(address), events_(std::move(events)) {}
  ~Source() override {
    waker_.reset();
    queue_.reset();
    if (handle_) rd_kafka_consumer_close(handle_.get());
  }

  Status open(const std::string& group, bool in_group) {
    CHANDLER_ASSIGN(auto conf, make_kafka_configuration(properties_of(address_, group)));
    rd_kafka_conf_set_opaque(conf.get(), this);
    if (in_group) rd_kafka_conf_set_rebalance_cb(conf.get(), &Source::on_rebalance);
    std::array<char, 512> why{};
    handle_.reset(rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), why.data(), why.size()));
    if (!handle_)
      return fail(ErrorCode::usage, fmt::format("the Kafka consumer cannot be made: {}", why.data()));
    (void)conf.release();  // now the handle's
    rd_kafka_poll_set_consumer(handle_.get());
    waker_.emplace(handle_.get(), address_.topic);
    return {};
  }

  Status subscribe() {
    const auto partitions = kafka_partitions(handle_.get(), address_.brokers, address_.topic,
                                             address_.connect_deadline, address_.stop);
    if (!partitions && partitions.error().code != ErrorCode::not_found)
      return std::unexpected(partitions.error());
    if (!partitions) spdlog::warn("topic {} is not there yet; waiting for it", address_.topic);
    const KafkaPtr<rd_kafka_topic_partition_list_t> topics(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(topics.get(), address_.topic.c_str(), RD_KAFKA_PARTITION_UA);
    const auto error = rd_kafka_subscribe(handle_.get(), topics.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return std::unexpected(no_broker(address_.brokers, error));
    in_group_ = true;
    queue_.reset(rd_kafka_queue_get_consumer(handle_.get()));
    return {};
  }

  Status assign_all() {
    CHANDLER_ASSIGN(const auto partitions, kafka_partitions(handle_.get(), address_.brokers, address_.topic,
                                                            address_.connect_deadline, address_.stop));
    const KafkaPtr<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(1));
    for (const int partition : partitions) {
      std::int64_t low = 0, high = 0;
      const auto error = rd_kafka_query_watermark_offsets(handle_.get(), address_.topic.c_str(), partition,
                                                          &low, &high, kAskOffsetsMs);
      if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return std::unexpected(no_broker(address_.brokers, error));
      CHANDLER_TRY(events_.on_assigned(partition));
      if (low < high) {
        rd_kafka_topic_partition_list_add(list.get(), address_.topic.c_str(), partition)->offset = low;
        ends_[partition] = high;
      }
    }
    const auto error = rd_kafka_assign(handle_.get(), list.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return std::unexpected(no_broker(address_.brokers, error));
    queue_.reset(rd_kafka_queue_get_consumer(handle_.get()));
    waker_->set_partitions(partitions);
    return {};
  }

  Status poll(std::chrono::milliseconds wait,
              const std::function<Status(const KafkaMessage&)>& take) override {
    // The first one by one: so the wait ends with it, and the group knows that we live.
    const KafkaPtr<rd_kafka_message_t> first(
        rd_kafka_consumer_poll(handle_.get(), static_cast<int>(wait.count())));
    if (!failure_) return std::exchange(failure_, Status{});
    if (!first) return {};
    CHANDLER_TRY(hand_over(*first, take));
    return take_ready(take);
  }

  bool at_end() const override { return !in_group_ && ends_.empty(); }

  void pause(bool paused) override {
    if (paused == paused_) return;
    paused_ = paused;
    rd_kafka_topic_partition_list_t* raw = nullptr;
    if (rd_kafka_assignment(handle_.get(), &raw) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    const KafkaPtr<rd_kafka_topic_partition_list_t> list(raw);
    paused ? rd_kafka_pause_partitions(handle_.get(), list.get())
           : rd_kafka_resume_partitions(handle_.get(), list.get());
  }

  void report(int partition, std::int64_t next_offset) override {
    const KafkaPtr<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), address_.topic.c_str(), partition)->offset = next_offset;
    rd_kafka_commit(handle_.get(), list.get(), 1);
  }

  std::int64_t lag() const override {
    std::int64_t total = 0;
    for (const auto& [partition, next] : next_) {
      std::int64_t low = 0, high = 0;
      if (rd_kafka_get_watermark_offsets(handle_.get(), address_.topic.c_str(), partition, &low, &high) ==
              RD_KAFKA_RESP_ERR_NO_ERROR &&
          high > next) {
        total += high - next;
      }
    }
    return total;
  }

  Status leave() override {
    if (!in_group_) return {};
    in_group_ = false;
    waker_.reset();
    queue_.reset();
    rd_kafka_consumer_close(handle_.get());  // calls on_rebalance
    handle_.reset();
    return std::exchange(failure_, Status{});
  }

 private:
  static void on_rebalance(rd_kafka_t*, rd_kafka_resp_err_t error,
                           rd_kafka_topic_partition_list_t* partitions, void* opaque) {
    static_cast<Source*>(opaque)->rebalance(error, partitions);
  }

  void rebalance(rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* partitions) {
    if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
      paused_ = false;
      std::vector<int> ours;
      for (int i = 0; i < partitions->cnt; ++i) ours.push_back(partitions->elems[i].partition);
      if (waker_) waker_->set_partitions(std::move(ours));
      for (int i = 0; i < partitions->cnt; ++i) {
        auto& p = partitions->elems[i];
        const auto from = events_.on_assigned(p.partition);
        if (!from) {
          failure_ = std::unexpected(from.error());
          rd_kafka_assign(handle_.get(), nullptr);
          return;
        }
        p.offset =
            *from ? checked(p.partition, **from) : static_cast<std::int64_t>(RD_KAFKA_OFFSET_BEGINNING);
        next_[p.partition] = from->value_or(0);
      }
      rd_kafka_assign(handle_.get(), partitions);
      spdlog::info("reading {} partitions of {}", partitions->cnt, address_.topic);
      return;
    }
    std::vector<int> gone;
    for (int i = 0; i < partitions->cnt; ++i) gone.push_back(partitions->elems[i].partition);
    if (auto stored = events_.on_revoked(gone); !stored && failure_) failure_ = std::move(stored);
    next_.clear();
    if (waker_) waker_->set_partitions({});
    rd_kafka_assign(handle_.get(), nullptr);
    spdlog::info("gave {} partitions of {} back", gone.size(), address_.topic);
  }

  // A position that the topic does not reach any more or not yet: a topic that was deleted and made anew, or
  // messages that the broker has dropped before they were read.
  std::int64_t checked(int partition, std::int64_t position) {
    std::int64_t low = 0, high = 0;
    const auto error = rd_kafka_query_watermark_offsets(handle_.get(), address_.topic.c_str(), partition,
                                                        &low, &high, kAskOffsetsMs);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return position;
    if (position > high) {
      spdlog::warn(
          "{} partition {} ends at offset {}, but was read up to {}: it must have been made anew; reading it "
          "from its beginning",
          address_.topic, partition, high, position);
      return low;
    }
    if (position < low) {
      spdlog::warn(
          "{} partition {}: the broker has dropped {} messages that were never read; `chandler backfill` "
          "fetches what they held",
          address_.topic, partition, low - position);
      return low;
    }
    return position;
  }

  Status hand_over(const rd_kafka_message_t& message,
                   const std::function<Status(const KafkaMessage&)>& take) {
    if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      ends_.erase(message.partition);
      return {};
    }
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      // librdkafka goes on by itself; only what it calls fatal ends a consumer.
      if (message.err == RD_KAFKA_RESP_ERR__FATAL) {
        return fail(ErrorCode::unreachable, fmt::format("Kafka: {}", rd_kafka_message_errstr(&message)),
                    address_.brokers);
      }
      spdlog::debug("kafka: {}", rd_kafka_message_errstr(&message));
      return {};
    }
    const int partition = message.partition;
    if (in_group_) {
      // Taken together with the news that its partition goes to another member, who reads it again.
      const auto next = next_.find(partition);
      if (next == next_.end()) return {};
      next->second = message.offset + 1;
    } else if (const auto end = ends_.find(partition); end == ends_.end() || message.offset >= end->second) {
      return {};  // came after we had begun
    } else if (message.offset + 1 == end->second) {
      ends_.erase(end);
    }
    return take({partition,
                 message.offset,
                 {static_cast<const char*>(message.key), message.key_len},
                 {static_cast<const char*>(message.payload), message.len},
                 received_at(message)});
  }

  // The producer writes it as the message's time; a topic may be set to have the broker's time there instead,
  // and a header keeps ours.
  static std::optional<Timestamp> received_at(const rd_kafka_message_t& message) {
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    const std::int64_t ms = rd_kafka_message_timestamp(&message, &type);
    if (type == RD_KAFKA_TIMESTAMP_CREATE_TIME) return from_ms(ms);
    rd_kafka_headers_t* headers = nullptr;
    const void* text = nullptr;
    std::size_t size = 0;
    if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, "received", &text, &size) != RD_KAFKA_RESP_ERR_NO_ERROR)
      return std::nullopt;
    const auto* digits = static_cast<const char*>(text);
    std::int64_t received = 0;
    const auto [end, error] = std::from_chars(digits, digits + size, received);
    if (error != std::errc{} || end != digits + size) return std::nullopt;
    return from_ms(received);
  }

  // What waits in the queue, in one go: one by one, taking them costs more than reading them.
  Status take_ready(const std::function<Status(const KafkaMessage&)>& take) {
    std::array<rd_kafka_message_t*, kBatch> messages;
    const auto count = rd_kafka_consume_batch_queue(queue_.get(), 0, messages.data(), messages.size());
    if (count == static_cast<std::int64_t>(messages.size())) waker_->note_backlog();
    Status status = std::exchange(failure_, Status{});
    for (std::int64_t i = 0; i < count; ++i) {
      const KafkaPtr<rd_kafka_message_t> message(messages[static_cast<std::size_t>(i)]);
      if (status) status = hand_over(*message, take);
    }
    return status;
  }

  KafkaAddress address_;
  KafkaEvents events_;
  KafkaPtr<rd_kafka_t> handle_;
  KafkaPtr<rd_kafka_queue_t> queue_;
  std::optional<FetchWaker> waker_;   // goes before the handle
  std::map<int, std::int64_t> ends_;  // of partitions that are not read to their end
  std::map<int, std::int64_t> next_;
  Status failure_;
  bool in_group_ = false;
  bool paused_ = false;
};

}  // namespace

Result<std::unique_ptr<KafkaSource>> KafkaSource::join(const KafkaAddress& address, const std::string& group,
                                                       KafkaEvents events) {
  auto source = std::make_unique<Source>(address, std::move(events));
  CHANDLER_TRY(source->open(group, true));
  CHANDLER_TRY(source->subscribe());
  return source;
}

Result<std::unique_ptr<KafkaSource>> KafkaSource::read_to_end(const KafkaAddress& address,
                                                              KafkaEvents events) {
  auto source = std::make_unique<Source>(address, std::move(events));
  CHANDLER_TRY(source->open("chandler-once", false));
  CHANDLER_TRY(source->assign_all());
  return source;
}

}  // namespace chandler::speed
