// Private to speed/: librdkafka's handles as C++ objects, and its errors as ours.
#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace chandler::speed {

struct KafkaDelete {
  void operator()(rd_kafka_t* p) const { rd_kafka_destroy(p); }
  void operator()(rd_kafka_conf_t* p) const { rd_kafka_conf_destroy(p); }
  void operator()(rd_kafka_queue_t* p) const { rd_kafka_queue_destroy(p); }
  void operator()(rd_kafka_topic_partition_list_t* p) const { rd_kafka_topic_partition_list_destroy(p); }
  void operator()(rd_kafka_message_t* p) const { rd_kafka_message_destroy(p); }
  void operator()(const rd_kafka_metadata_t* p) const { rd_kafka_metadata_destroy(p); }
};
template <class T>
using KafkaPtr = std::unique_ptr<T, KafkaDelete>;
using KafkaProperties = std::map<std::string, std::string>;

// usage: librdkafka does not know a property or its value.
Result<KafkaPtr<rd_kafka_conf_t>> make_kafka_configuration(const KafkaProperties& properties);

// No broker of this list has answered.
Error no_broker(const std::string& brokers, rd_kafka_resp_err_t error);

// The numbers of the topic's partitions. unreachable: no broker answered within the deadline; not_found: the
// brokers do not have the topic; interrupted: `stop` was requested, which is noticed within two seconds.
Result<std::vector<int>> kafka_partitions(rd_kafka_t* handle, const std::string& brokers,
                                          const std::string& topic, std::chrono::milliseconds deadline,
                                          const std::stop_token& stop);

// What librdkafka logs goes through spdlog.
void log_kafka(const rd_kafka_t* handle, int level, const char* facility, const char* text);

}  // namespace chandler::speed
