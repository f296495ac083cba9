// Whether a Kafka broker answers.
#pragma once

#include "speed/kafka_source.hpp"

namespace chandler::speed {

// How many brokers the cluster says it has. The topic of the address is not looked at. unreachable: none has
// answered within the deadline; usage: a property that librdkafka refuses.
Result<int> count_brokers(const KafkaAddress& address);

}  // namespace chandler::speed
