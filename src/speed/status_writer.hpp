// Writes a process's figures into the lake every few seconds (lake/speed_status.hpp), so that a dashboard in
// another process, or on another machine, can show them.
#pragma once

#include <string>
#include <thread>

#include "base/clock.hpp"
#include "lake/speed_status.hpp"
#include "speed/figures.hpp"

namespace chandler::speed {

lake::SpeedStatus status_of(const Figures& figures);

// On a thread of its own: a slow disk must not hold up messages. A lake that cannot be written is no error
// here; whoever stores candles will say so.
class StatusWriter {
 public:
  // Removes what processes have left that were killed more than an hour ago. All must outlive it.
  StatusWriter(lake::Storage& storage, Clock& clock, const Figures& figures, std::string command,
               std::chrono::milliseconds period = std::chrono::milliseconds{2'000});
  ~StatusWriter();  // removes the file
  StatusWriter(const StatusWriter&) = delete;
  StatusWriter& operator=(const StatusWriter&) = delete;

 private:
  void run(const std::stop_token& stop);
  void write();

  lake::Storage& storage_;
  Clock& clock_;
  const Figures& figures_;
  std::chrono::milliseconds period_;
  lake::SpeedStatus last_;
  std::chrono::nanoseconds written_;
  std::jthread thread_;
};

}  // namespace chandler::speed
