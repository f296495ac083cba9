#include "speed/status_writer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <mutex>

#include "base/log.hpp"

namespace chandler::speed {
namespace {

constexpr Millis kAbandoned{3'600'000};

std::string process_name(std::string_view command) {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host = {"host"};
  return fmt::format("{}-{}-{}", command, host.data(), ::getpid());
}

}  // namespace

lake::SpeedStatus status_of(const Figures& f) {
  const auto count = [](const auto& value) { return static_cast<std::int64_t>(value.load()); };
  lake::SpeedStatus s;
  s.messages = count(f.messages);
  s.closed = count(f.closed);
  s.repeated = count(f.repeated);
  s.late = count(f.late);
  s.rejected = static_cast<std::int64_t>(f.rejected_total());
  s.reconnects = count(f.disconnects);
  s.fetched = count(f.caught_up);
  s.published = count(f.published);
  s.streams = count(f.streams);
  s.unread = count(f.lag_messages);
  s.pending_minutes = count(f.pending_minutes);
  s.commits = count(f.commits);
  s.commit_failures = count(f.commit_failures);
  s.minutes_added = count(f.minutes_added);
  s.minutes_replaced = count(f.minutes_replaced);
  s.newest_event = count(f.newest_event_ms);
  s.watermark = count(f.watermark_ms);
  s.last_commit = count(f.last_commit_ms);
  s.delivery_p99_ms = f.delivery.within(0.99).value_or(Millis{0}).count();
  s.storing_p99_ms = f.storing.within(0.99).value_or(Millis{0}).count();
  for (std::size_t i = 0; i < kRejections; ++i) {
    if (f.rejected[i] > 0)
      s.rejected_by_reason[std::string(name(static_cast<Rejection>(i)))] = count(f.rejected[i]);
  }
  return s;
}

StatusWriter::StatusWriter(lake::Storage& storage, Clock& clock, const Figures& figures, std::string command,
                           std::chrono::milliseconds period)
    : storage_(storage), clock_(clock), figures_(figures), period_(period), written_(clock.steady()) {
  last_.process = process_name(command);
  last_.command = std::move(command);
  last_.started_at = clock.now();
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

StatusWriter::~StatusWriter() {
  thread_.request_stop();
  thread_.join();
  if (const auto gone = storage_.remove(lake::status_path(last_.process)); !gone)
    spdlog::debug("the status cannot be removed: {}", to_text(gone.error()));
}

void StatusWriter::run(const std::stop_token& stop) {
  if (const auto all = lake::read_speed_statuses(storage_)) {
    for (const auto& other : *all) {
      if (clock_.now() - other.updated_at > kAbandoned)
        (void)storage_.remove(lake::status_path(other.process));
    }
  }
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    write();
    never.wait_for(lock, stop, period_, [] { return false; });
  }
}

void StatusWriter::write() {
  lake::SpeedStatus now = status_of(figures_);
  const auto at = clock_.steady();
  const double seconds = std::chrono::duration<double>(at - written_).count();
  now.process = last_.process;
  now.command = last_.command;
  now.started_at = last_.started_at;
  now.updated_at = clock_.now();
  if (seconds > 0) now.messages_per_second = static_cast<double>(now.messages - last_.messages) / seconds;
  if (const auto done = storage_.replace_text(lake::status_path(now.process), lake::to_text(now)); !done)
    spdlog::debug("the status cannot be written: {}", to_text(done.error()));
  last_ = std::move(now);
  written_ = at;
}

}  // namespace chandler::speed
