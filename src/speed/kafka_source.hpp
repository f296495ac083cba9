// Reading a topic through librdkafka, as a member of a consumer group or once from its beginning to its end.
// Offsets are never taken from the broker: whoever owns the source says where each partition is read on.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"

namespace chandler::speed {

struct KafkaAddress {
  std::string brokers;  // host:port,host:port
  std::string topic;
  // Further properties of librdkafka, e.g. security.protocol; they win over those set here.
  std::map<std::string, std::string> properties;
  std::chrono::milliseconds connect_deadline{15'000};
  std::stop_token stop;  // ends the wait for a first answer
};

struct KafkaMessage {
  int partition = 0;
  std::int64_t offset = 0;
  std::string_view key;  // empty: none
  std::string_view payload;
  std::optional<Timestamp> received = {};  // by whoever produced it, as far as the message tells
};

// Called on the thread that polls.
struct KafkaEvents {
  // The partition is ours from now on. Returns the offset to read from; nullopt: the earliest.
  std::function<Result<std::optional<std::int64_t>>(int partition)> on_assigned;
  // They are about to be another's: what is pending must be stored before it returns.
  std::function<Status(std::span<const int> partitions)> on_revoked;
};

class KafkaSource {
 public:
  // Joins the group. Errors: usage (a property that librdkafka refuses), unreachable (no broker answers
  // within the deadline).
  static Result<std::unique_ptr<KafkaSource>> join(const KafkaAddress& address, const std::string& group,
                                                   KafkaEvents events);
  // Every partition from its earliest message to the one that is the latest now. Also not_found (topic).
  static Result<std::unique_ptr<KafkaSource>> read_to_end(const KafkaAddress& address, KafkaEvents events);
  virtual ~KafkaSource() = default;  // leaves the group; on_revoked has been called by then if leave() was

  // Hands over the messages that are there, waiting for the first up to `wait`. An error of `take` or of the
  // events ends it and is returned.
  virtual Status poll(std::chrono::milliseconds wait,
                      const std::function<Status(const KafkaMessage&)>& take) = 0;
  virtual bool at_end() const = 0;  // of read_to_end
  // Stops fetching (or goes on); poll is to be called all the same, or the group takes the partitions away.
  virtual void pause(bool paused) = 0;
  // Tells the broker how far we are, for tools that show a group's lag; nothing here relies on it.
  virtual void report(int partition, std::int64_t next_offset) = 0;
  // Messages in our partitions that have not been read, as far as the broker has told.
  virtual std::int64_t lag() const = 0;
  // Gives the partitions back; on_revoked is called.
  virtual Status leave() = 0;
};

}  // namespace chandler::speed
