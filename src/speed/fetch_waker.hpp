// Private to speed/. librdkafka (2.0) stops fetching when what it has fetched ahead exceeds
// queued.max.messages.kbytes, and its broker thread does not look again until something wakes it: up to a
// second later (rd_kafka_broker_consumer_serve), in which a fast reader has long run dry. Any request to the
// broker wakes that thread, so while there is a backlog we ask for a partition's offsets now and then.
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace chandler::speed {

class FetchWaker {
 public:
  // The handle must outlive it.
  FetchWaker(rd_kafka_t* handle, std::string topic) : handle_(handle), topic_(std::move(topic)) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  // The partitions whose brokers are to be woken.
  void set_partitions(std::vector<int> partitions) {
    const std::lock_guard lock(mutex_);
    partitions_ = std::move(partitions);
  }
  // A whole batch was there at once: there is a backlog.
  void note_backlog() { backlog_ = kRounds; }

 private:
  static constexpr std::chrono::milliseconds kPeriod{10};
  static constexpr int kRounds = 200;  // after the last sign of a backlog
  static constexpr int kAnswerMs = 1'000;

  void run(const std::stop_token& stop) {
    std::condition_variable_any never;
    std::unique_lock lock(mutex_);
    for (std::size_t turn = 0; !stop.stop_requested(); ++turn) {
      never.wait_for(lock, stop, kPeriod, [] { return false; });
      if (stop.stop_requested() || partitions_.empty() || backlog_ == 0) continue;
      --backlog_;
      const int partition = partitions_[turn % partitions_.size()];
      lock.unlock();
      std::int64_t low = 0, high = 0;
      rd_kafka_query_watermark_offsets(handle_, topic_.c_str(), partition, &low, &high, kAnswerMs);
      lock.lock();
    }
  }

  rd_kafka_t* handle_;
  std::string topic_;
  std::mutex mutex_;
  std::vector<int> partitions_;
  std::atomic<int> backlog_{0};
  std::jthread thread_;  // last: it uses the others
};

}  // namespace chandler::speed
