// Writing to a topic through librdkafka: idempotent, acknowledged by all replicas, compressed. A broker that
// is down costs a bounded queue and then makes publish() wait; nothing that was accepted is dropped.
#pragma once

#include <memory>
#include <stop_token>

#include "base/clock.hpp"
#include "speed/dead_letters.hpp"
#include "speed/figures.hpp"
#include "speed/kafka_source.hpp"

namespace chandler::speed {

struct KafkaRecord {
  std::string_view key;
  std::string_view payload;
  std::string_view source;  // header `source`
  Timestamp received;       // header `received`, ms
};

// Thread safe.
class KafkaSink {
 public:
  // Creates the topic with so many partitions if it is not there. Errors: unreachable, usage.
  static Result<std::unique_ptr<KafkaSink>> open(const KafkaAddress& address, int partitions,
                                                 Figures& figures);
  virtual ~KafkaSink() = default;

  // Takes a copy. Waits while the queue is full: interrupted when stopped meanwhile. unreachable: the broker
  // has refused messages for good (`transport fatal`), a new sink is needed.
  virtual Status publish(const KafkaRecord& record, std::stop_token stop) = 0;
  // Serves acknowledgements; to be called often.
  virtual Status serve() = 0;
  virtual std::size_t queued() const = 0;
  // Waits for all acknowledgements; unreachable if that takes longer.
  virtual Status flush(std::chrono::milliseconds patience) = 0;
};

// Dead letters as messages of a topic: key and payload as they came (at most half a MiB of it), the reason in
// the header `source`.
Result<std::unique_ptr<DeadLetters>> dead_letter_topic(const KafkaAddress& address, Clock& clock);

}  // namespace chandler::speed
