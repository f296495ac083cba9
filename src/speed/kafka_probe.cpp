#include "speed/kafka_probe.hpp"

#include <fmt/format.h>

#include <array>

#include "speed/kafka_handle.hpp"

namespace chandler::speed {

Result<int> count_brokers(const KafkaAddress& address) {
  KafkaProperties properties{{"bootstrap.servers", address.brokers}, {"client.id", "chandler"}};
  for (const auto& [key, value] : address.properties) properties[key] = value;
  CHANDLER_ASSIGN(auto conf, make_kafka_configuration(properties));
  std::array<char, 512> why{};
  const KafkaPtr<rd_kafka_t> handle(rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), why.data(), why.size()));
  if (!handle) return fail(ErrorCode::usage, fmt::format("the Kafka client cannot be made: {}", why.data()));
  (void)conf.release();  // now the handle's
  const rd_kafka_metadata_t* raw = nullptr;
  // Of the topics that this handle knows: none, so that the answer stays small.
  const auto error =
      rd_kafka_metadata(handle.get(), 0, nullptr, &raw, static_cast<int>(address.connect_deadline.count()));
  const KafkaPtr<const rd_kafka_metadata_t> metadata(raw);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return std::unexpected(no_broker(address.brokers, error));
  return metadata->broker_cnt;
}

}  // namespace chandler::speed
