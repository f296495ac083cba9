#include "speed/kafka_handle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <vector>

#include "base/log.hpp"

namespace chandler::speed {
namespace {

// One question for the topic's metadata may wait for so long; then it is asked again, until the deadline.
constexpr std::chrono::milliseconds kAskAgain{2'000};

}  // namespace

void log_kafka(const rd_kafka_t*, int level, const char*, const char* text) {
  // syslog's levels; librdkafka repeats a broker's absence for as long as it lasts.
  spdlog::log(level <= 3 ? spdlog::level::info : spdlog::level::debug, "kafka: {}", text);
}

Result<KafkaPtr<rd_kafka_conf_t>> make_kafka_configuration(const KafkaProperties& properties) {
  KafkaPtr<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  rd_kafka_conf_set_log_cb(conf.get(), &log_kafka);
  std::array<char, 512> why{};
  for (const auto& [key, value] : properties) {
    if (rd_kafka_conf_set(conf.get(), key.c_str(), value.c_str(), why.data(), why.size()) !=
        RD_KAFKA_CONF_OK) {
      return fail(ErrorCode::usage,
                  fmt::format("the Kafka property {}={} cannot be used: {}", key, value, why.data()), {},
                  "librdkafka's CONFIGURATION.md lists them");
    }
  }
  return conf;
}

Error no_broker(const std::string& brokers, rd_kafka_resp_err_t error) {
  return {ErrorCode::unreachable, fmt::format("no Kafka broker answers ({})", rd_kafka_err2str(error)),
          brokers, "start one (`make kafka` for a local one), or name another with --brokers"};
}

Result<std::vector<int>> kafka_partitions(rd_kafka_t* handle, const std::string& brokers,
                                          const std::string& topic, std::chrono::milliseconds deadline,
                                          const std::stop_token& stop) {
  const std::unique_ptr<rd_kafka_topic_t, decltype(&rd_kafka_topic_destroy)> handle_of_topic(
      rd_kafka_topic_new(handle, topic.c_str(), nullptr), &rd_kafka_topic_destroy);
  if (!handle_of_topic) return fail(ErrorCode::usage, fmt::format("'{}' cannot be a topic", topic));
  const auto end = std::chrono::steady_clock::now() + deadline;
  for (;;) {
    if (stop.stop_requested())
      return fail(ErrorCode::interrupted, "stopped before a Kafka broker answered", brokers);
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    const auto wait = std::clamp(left, std::chrono::milliseconds{100}, kAskAgain);
    const rd_kafka_metadata_t* raw = nullptr;
    const auto error =
        rd_kafka_metadata(handle, 0, handle_of_topic.get(), &raw, static_cast<int>(wait.count()));
    const KafkaPtr<const rd_kafka_metadata_t> metadata(raw);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (left <= kAskAgain) return std::unexpected(no_broker(brokers, error));
      continue;
    }
    const auto& found = metadata->topics[0];
    if (metadata->topic_cnt == 0 || found.err != RD_KAFKA_RESP_ERR_NO_ERROR || found.partition_cnt == 0) {
      return fail(ErrorCode::not_found, fmt::format("the brokers have no topic {}", topic), brokers,
                  "`chandler produce` creates it, or name another with --topic");
    }
    std::vector<int> partitions;
    for (int i = 0; i < found.partition_cnt; ++i) partitions.push_back(found.partitions[i].id);
    std::ranges::sort(partitions);
    return partitions;
  }
}

}  // namespace chandler::speed
