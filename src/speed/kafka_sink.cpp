#include "speed/kafka_sink.hpp"

#include <fmt/format.h>

#include <array>
#include <thread>

#include "base/log.hpp"
#include "speed/kafka_handle.hpp"

namespace chandler::speed {
namespace {

constexpr int kServeMs = 100;
constexpr int kCreateTopicMs = 10'000;
constexpr std::chrono::milliseconds kFlushSlice{100}, kFlushAfterStop{2'500};

KafkaProperties properties_of(const KafkaAddress& address) {
  KafkaProperties properties = {
      {"bootstrap.servers", address.brokers},
      {"client.id", "chandler"},
      {"enable.idempotence", "true"},
      {"acks", "all"},
      {"compression.codec", "lz4"},
      {"linger.ms", "5"},
      // For as long as it takes: back-pressure, not loss, is what a dead broker causes.
      {"message.timeout.ms", "0"},
      {"queue.buffering.max.messages", "200000"},
      {"queue.buffering.max.kbytes", "98304"},
      {"reconnect.backoff.max.ms", "2000"},
      {"topic.metadata.refresh.interval.ms", "10000"},
  };
  for (const auto& [key, value] : address.properties) properties[key] = value;
  return properties;
}

class Sink final : public KafkaSink {
 public:
  Sink(const KafkaAddress& address, Clock& clock, Figures& figures)
      : address_(address), clock_(clock), figures_(figures) {}
  ~Sink() override {
    acknowledgements_ = {};
    // What is still queued was not acknowledged and will be fetched again by whoever starts next.
    if (handle_)
      rd_kafka_purge(handle_.get(),
                     RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
  }

  Status open(int partitions) {
    CHANDLER_ASSIGN(auto conf, make_kafka_configuration(properties_of(address_)));
    rd_kafka_conf_set_opaque(conf.get(), this);
    rd_kafka_conf_set_dr_msg_cb(conf.get(), &Sink::on_delivery);
    std::array<char, 512> why{};
    handle_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), why.data(), why.size()));
    if (!handle_)
      return fail(ErrorCode::usage, fmt::format("the Kafka producer cannot be made: {}", why.data()));
    (void)conf.release();  // now the handle's
    // On a thread of its own: their delay is a figure, so they must not wait for the next event.
    acknowledgements_ = std::jthread([handle = handle_.get()](const std::stop_token& stop) {
      while (!stop.stop_requested()) rd_kafka_poll(handle, kServeMs);
    });
    return create_topic(partitions);
  }

  Status publish(const KafkaRecord& record, std::stop_token stop) override {
    const std::int64_t at = to_ms(record.received);
    for (;;) {
      rd_kafka_headers_t* headers = headers_of(record);
      const auto error = rd_kafka_producev(
          handle_.get(), RD_KAFKA_V_TOPIC(address_.topic.c_str()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
          RD_KAFKA_V_TIMESTAMP(at), RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(at)),
          RD_KAFKA_V_KEY(record.key.data(), record.key.size()),
          RD_KAFKA_V_VALUE(const_cast<char*>(record.payload.data()), record.payload.size()),
          RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
      rd_kafka_headers_destroy(headers);  // they are the message's only if it was taken
      if (error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        return fail(ErrorCode::usage, fmt::format("a message of {} bytes is too long", record.payload.size()),
                    address_.topic, "--kafka-property message.max.bytes=… allows for more");
      }
      if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return fail(ErrorCode::unreachable,
                    fmt::format("Kafka does not take a message: {}", rd_kafka_err2str(error)),
                    address_.brokers);
      }
      if (stop.stop_requested())
        return fail(ErrorCode::interrupted, "interrupted while the broker takes no more");
      rd_kafka_poll(handle_.get(), kServeMs);
    }
  }

  Status healthy() const override {
    std::array<char, 512> why{};
    const auto fatal = rd_kafka_fatal_error(handle_.get(), why.data(), why.size());
    if (fatal == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    return fail(ErrorCode::unreachable, fmt::format("Kafka: {}", why.data()), address_.brokers);
  }

  std::size_t queued() const override { return static_cast<std::size_t>(rd_kafka_outq_len(handle_.get())); }

  Status flush(std::chrono::milliseconds patience) override {
    auto end = std::chrono::steady_clock::now() + patience;
    bool stopping = false;
    do {
      if (!std::exchange(stopping, address_.stop.stop_requested()) && stopping)
        end = std::min(end, std::chrono::steady_clock::now() + kFlushAfterStop);
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      const auto slice = std::clamp(left, std::chrono::milliseconds{0}, kFlushSlice);
      if (rd_kafka_flush(handle_.get(), static_cast<int>(slice.count())) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return {};
    } while (std::chrono::steady_clock::now() < end);
    return fail(ErrorCode::unreachable, fmt::format("the broker has not acknowledged {} messages", queued()),
                address_.brokers, "run the command again: it fetches what is missing");
  }

 private:
  static rd_kafka_headers_t* headers_of(const KafkaRecord& record) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(record.headers.size() + 1);
    const auto add = [headers](std::string_view name, std::string_view value) {
      rd_kafka_header_add(headers, name.data(), static_cast<std::ptrdiff_t>(name.size()), value.data(),
                          static_cast<std::ptrdiff_t>(value.size()));
    };
    for (const KafkaHeader& header : record.headers) add(header.name, header.value);
    add("received", fmt::format("{}", to_ms(record.received)));
    return headers;
  }

  static void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    const Sink& sink = *static_cast<Sink*>(opaque);
    auto& figures = sink.figures_;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      figures.published.fetch_add(1, std::memory_order_relaxed);
      const Timestamp received = from_ms(reinterpret_cast<std::int64_t>(message->_private));
      figures.delivery.add(sink.clock_.now() - received);
    } else if (message->err != RD_KAFKA_RESP_ERR__PURGE_QUEUE &&
               message->err != RD_KAFKA_RESP_ERR__PURGE_INFLIGHT) {
      figures.publish_failures.fetch_add(1, std::memory_order_relaxed);
      spdlog::warn("kafka has not taken a message: {}", rd_kafka_err2str(message->err));
    }
  }

  Status create_topic(int partitions) {
    const auto found = kafka_partitions(handle_.get(), address_.brokers, address_.topic,
                                        address_.connect_deadline, address_.stop);
    if (found) return {};
    if (found.error().code != ErrorCode::not_found) return std::unexpected(found.error());
    std::array<char, 512> why{};
    const std::unique_ptr<rd_kafka_NewTopic_t, decltype(&rd_kafka_NewTopic_destroy)> topic(
        rd_kafka_NewTopic_new(address_.topic.c_str(), partitions, -1, why.data(), why.size()),
        &rd_kafka_NewTopic_destroy);
    if (!topic)
      return fail(ErrorCode::usage,
                  fmt::format("the topic {} cannot be made: {}", address_.topic, why.data()));
    const std::unique_ptr<rd_kafka_queue_t, KafkaDelete> queue(rd_kafka_queue_new(handle_.get()));
    rd_kafka_NewTopic_t* topics[] = {topic.get()};
    rd_kafka_CreateTopics(handle_.get(), topics, 1, nullptr, queue.get());
    const std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)> event(
        rd_kafka_queue_poll(queue.get(), kCreateTopicMs), &rd_kafka_event_destroy);
    if (!event) return std::unexpected(no_broker(address_.brokers, RD_KAFKA_RESP_ERR__TIMED_OUT));
    const auto* result = rd_kafka_event_CreateTopics_result(event.get());
    std::size_t count = 0;
    const auto* const* results =
        result != nullptr ? rd_kafka_CreateTopics_result_topics(result, &count) : nullptr;
    if (count == 0)
      return fail(ErrorCode::unreachable,
                  fmt::format("the topic cannot be made: {}", rd_kafka_event_error_string(event.get())),
                  address_.brokers);
    const auto error = rd_kafka_topic_result_error(results[0]);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
      spdlog::info("created topic {} with {} partitions", address_.topic, partitions);
      return {};
    }
    return fail(ErrorCode::unreachable,
                fmt::format("the topic {} cannot be made: {}", address_.topic, rd_kafka_err2str(error)),
                address_.brokers, "create it with Kafka's own tools");
  }

  KafkaAddress address_;
  Clock& clock_;
  Figures& figures_;
  KafkaPtr<rd_kafka_t> handle_;
  std::jthread acknowledgements_;  // last: it uses the others
};

class LettersTopic final : public DeadLetters {
 public:
  explicit LettersTopic(Clock& clock) : clock_(clock) {}
  Status open(const KafkaAddress& address) {
    CHANDLER_ASSIGN(sink_, KafkaSink::open(address, 1, clock_, figures_));
    return {};
  }
  Status put(const DeadLetter& letter) override {
    CHANDLER_TRY(sink_->healthy());
    const std::string offset = fmt::format("{}", letter.offset);
    const std::string bytes = fmt::format("{}", letter.payload.size());
    const KafkaHeader headers[] = {
        {"reason", letter.reason}, {"stream", letter.stream}, {"offset", offset}, {"bytes", bytes}};
    return sink_->publish(
        {letter.key.substr(0, kKeyKept), letter.payload.substr(0, kLetterKept), headers, clock_.now()}, {});
  }
  Status flush() override { return sink_->queued() == 0 ? Status{} : sink_->flush(kLetterPatience); }

 private:
  static constexpr std::size_t kLetterKept = 512 * 1024;
  static constexpr std::size_t kKeyKept = 4096;
  static constexpr std::chrono::milliseconds kLetterPatience{30'000};
  Clock& clock_;
  Figures figures_;
  std::unique_ptr<KafkaSink> sink_;
};

}  // namespace

Result<std::unique_ptr<DeadLetters>> dead_letter_topic(const KafkaAddress& address, Clock& clock) {
  auto letters = std::make_unique<LettersTopic>(clock);
  CHANDLER_TRY(letters->open(address));
  return letters;
}

Result<std::unique_ptr<KafkaSink>> KafkaSink::open(const KafkaAddress& address, int partitions, Clock& clock,
                                                   Figures& figures) {
  auto sink = std::make_unique<Sink>(address, clock, figures);
  CHANDLER_TRY(sink->open(partitions));
  return sink;
}

}  // namespace chandler::speed
