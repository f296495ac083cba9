#include "speed/consume.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "speed/status_writer.hpp"

namespace chandler::speed {
namespace {

constexpr std::chrono::milliseconds kWait{100};
constexpr std::chrono::milliseconds kObserve{250};

class Consumer {
 public:
  Consumer(const SpeedEnvironment& environment, const ConsumeOptions& options)
      : environment_(environment),
        options_(options),
        pipeline_(environment.storage, environment.clock, environment.dead_letters, environment.figures,
                  stopped_by(options.pipeline, environment.stop)) {}

  Status run() {
    KafkaEvents events;
    events.on_assigned = [this](int partition) { return assigned(partition); };
    events.on_revoked = [this](std::span<const int> partitions) { return revoked(partitions); };
    CHANDLER_ASSIGN(source_, options_.once
                                 ? KafkaSource::read_to_end(options_.address, std::move(events))
                                 : KafkaSource::join(options_.address, options_.group, std::move(events)));
    const Status read = loop();
    // Whatever ended it: what was read is stored.
    const Status left = options_.once ? Status{} : source_->leave();
    const Status stored = pipeline_.flush();
    observe(true);
    if (!read) return read;
    if (!left) return left;
    return stored;
  }

 private:
  Result<std::optional<std::int64_t>> assigned(int partition) {
    CHANDLER_ASSIGN(const auto stream,
                    pipeline_.open_stream(fmt::format("{}/{}", options_.address.topic, partition)));
    streams_[partition] = stream.index;
    environment_.figures.streams = static_cast<std::int64_t>(streams_.size());
    return stream.position;
  }

  Status revoked(std::span<const int> partitions) {
    std::vector<std::size_t> indices;
    for (const int partition : partitions) {
      if (const auto it = streams_.find(partition); it != streams_.end()) {
        indices.push_back(it->second);
        streams_.erase(it);
      }
    }
    environment_.figures.streams = static_cast<std::int64_t>(streams_.size());
    return pipeline_.close_streams(indices);
  }

  Status loop() {
    const auto take = [this](const KafkaMessage& m) -> Status {
      return pipeline_.take({streams_.at(m.partition), m.offset, m.key, m.payload, m.received});
    };
    while (!source_->at_end()) {
      if (environment_.stop.stop_requested()) {
        return options_.once ? fail(ErrorCode::interrupted, "interrupted before the end of the topic")
                             : Status{};
      }
      source_->pause(pipeline_.is_full());
      CHANDLER_TRY(source_->poll(kWait, take));
      CHANDLER_TRY(pipeline_.tick());
      observe(false);
    }
    return {};
  }

  void observe(bool last) {
    const auto now = environment_.clock.steady();
    if (!last && now - observed_ < kObserve) return;
    observed_ = now;
    if (!options_.once && !last) report_positions();
    environment_.observer.on_progress(pipeline_, pipeline_.take_touched());
  }

  // The group's offsets at the broker follow the lake, for tools that show them.
  void report_positions() {
    environment_.figures.lag_messages = source_->lag();
    const std::uint64_t commits = environment_.figures.commits;
    if (commits == reported_commits_) return;
    reported_commits_ = commits;
    for (const auto& [partition, index] : streams_) {
      if (const auto position = pipeline_.stored_position(index)) source_->report(partition, *position);
    }
  }

  const SpeedEnvironment& environment_;
  const ConsumeOptions& options_;
  Pipeline pipeline_;
  std::unique_ptr<KafkaSource> source_;
  std::map<int, std::size_t> streams_;
  std::chrono::nanoseconds observed_{0};
  std::uint64_t reported_commits_ = 0;
};

}  // namespace

Status consume(const SpeedEnvironment& environment, const ConsumeOptions& options) {
  const StatusWriter status(environment.storage, environment.clock, environment.figures, "consume");
  return Consumer(environment, options).run();
}

}  // namespace chandler::speed
