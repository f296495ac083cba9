// How the processes of the speed layer are doing, for whoever looks at the lake from outside (dashboard,
// status): each writes one small JSON file speed_1m/_status/<process>.json every few seconds and removes it
// when it ends well. Its name begins with '_', so readers of Hive partitions pass it over.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "lake/storage.hpp"

namespace chandler::lake {

// A process that has not written for so long was killed, or its machine sleeps.
inline constexpr Millis kSpeedStatusFresh{30'000};

// Counts are since the process started.
struct SpeedStatus {
  std::string process;  // consume-HOST-PID: names the file
  std::string command;  // live, consume or produce
  Timestamp started_at{};
  Timestamp updated_at{};            // both by the machine's clock
  double messages_per_second = 0;    // since the last update
  std::int64_t messages = 0;         // received
  std::int64_t closed = 0;           // … that closed a minute
  std::int64_t repeated = 0;         // … that changed nothing
  std::int64_t late = 0;             // … older than the watermark; applied all the same
  std::int64_t rejected = 0;         // put aside as dead letters
  std::int64_t reconnects = 0;       // stream connections that broke
  std::int64_t fetched = 0;          // minutes that the streams failed to tell, by REST
  std::int64_t published = 0;        // acknowledged by the broker
  std::int64_t streams = 0;          // partitions or connections now
  std::int64_t unread = 0;           // messages that wait in the topic
  std::int64_t pending_minutes = 0;  // await the next commit
  std::int64_t commits = 0;
  std::int64_t commit_failures = 0;
  std::int64_t minutes_added = 0;
  std::int64_t minutes_replaced = 0;
  // ms since the epoch by the exchange's clock; 0: none yet.
  std::int64_t newest_event = 0;
  std::int64_t watermark = 0;
  std::int64_t last_commit = 0;  // by the machine's clock
  // What 99 of 100 took at most, in ms; 0: nothing yet.
  std::int64_t delivery_p99_ms = 0;                        // from the exchange to the broker
  std::int64_t storing_p99_ms = 0;                         // from the exchange into speed_1m
  std::map<std::string, std::int64_t> rejected_by_reason;  // not_json: 3

  bool is_fresh(Timestamp now) const { return now - updated_at <= kSpeedStatusFresh; }
};

std::string status_path(std::string_view process);
std::string to_text(const SpeedStatus& status);
// damaged if it is not what to_text would write.
Result<SpeedStatus> parse_speed_status(std::string_view text);
// Of all processes, fresh or not, sorted by process. A file that cannot be read is passed over: nothing
// depends on it.
Result<std::vector<SpeedStatus>> read_speed_statuses(const Storage& storage);

}  // namespace chandler::lake
