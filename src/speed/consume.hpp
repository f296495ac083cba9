// The job of `chandler consume`: topic → speed_1m.
#pragma once

#include <stop_token>

#include "speed/kafka_source.hpp"
#include "speed/pipeline.hpp"

namespace chandler::speed {

struct ConsumeOptions {
  KafkaAddress address;
  std::string group = "chandler";
  bool once = false;  // earliest..latest, then the end
  PipelineOptions pipeline;
};

// Who wants to see how it goes; called on the job's thread, a few times a second.
class SpeedObserver {
 public:
  virtual ~SpeedObserver() = default;
  // `touched`: days that have been stored since the last call.
  virtual void on_progress(const Pipeline& pipeline,
                           const std::set<std::pair<std::string, Day>>& touched) = 0;
};

struct SpeedEnvironment {
  lake::Storage& storage;
  Clock& clock;
  DeadLetters& dead_letters;
  Figures& figures;
  SpeedObserver& observer;
  std::stop_token stop;
};

// Ends when everything is read (once) or when stopped; what was read is stored by then in either case. The
// caller has to look at figures for what was rejected. Errors: unreachable, not_found, usage; interrupted
// only when stopped before the end of `once`.
Status consume(const SpeedEnvironment& environment, const ConsumeOptions& options);

}  // namespace chandler::speed
