// Writing to a topic through librdkafka: idempotent, acknowledged by all replicas, compressed. A broker that
// is down costs a bounded queue and then makes publish() wait; nothing that was accepted is dropped.
#pragma once

#include <memory>
#include <span>
#include <stop_token>

#include "base/clock.hpp"
#include "speed/dead_letters.hpp"
#include "speed/figures.hpp"
#include "speed/kafka_source.hpp"

namespace chandler::speed {

struct KafkaHeader {
  std::string_view name, value;
};

struct KafkaRecord {
  std::string_view key;
  std::string_view payload;
  std::span<const KafkaHeader> headers;
  Timestamp received;  // header `received` in ms, and the message's own time
};

// Thread safe.
class KafkaSink {
 public:
  // Creates the topic with so many partitions if it is not there. Errors: unreachable, usage.
  // `clock` and `figures` must outlive it.
  static Result<std::unique_ptr<KafkaSink>> open(const KafkaAddress& address, int partitions, Clock& clock,
                                                 Figures& figures);
  virtual ~KafkaSink() = default;

  // Takes a copy. Waits while the queue is full: interrupted when stopped meanwhile. usage: the message
  // is longer than the broker takes; unreachable: it takes none.
  virtual Status publish(const KafkaRecord& record, std::stop_token stop) = 0;
  // unreachable once the broker has refused us for good; a new sink is needed then.
  virtual Status healthy() const = 0;
  virtual std::size_t queued() const = 0;
  // Waits for all acknowledgements; unreachable if that takes longer.
  virtual Status flush(std::chrono::milliseconds patience) = 0;
};

// Dead letters as messages of a topic: key and payload as they came (at most 4 KiB and half a MiB of them),
// in headers the `reason`, the `stream` (klines/0) and its `offset`, and the payload's length in `bytes`.
Result<std::unique_ptr<DeadLetters>> dead_letter_topic(const KafkaAddress& address, Clock& clock);

}  // namespace chandler::speed
