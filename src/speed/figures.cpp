#include "speed/figures.hpp"

#include <algorithm>

namespace chandler::speed {
namespace {

void add_histogram(metrics::Families& families, const char* name, const char* help,
                   const Latencies& latencies) {
  std::array<double, Latencies::kBounds.size()> seconds;
  std::ranges::transform(Latencies::kBounds, seconds.begin(),
                         [](std::int64_t ms) { return static_cast<double>(ms) / 1000; });
  families.histogram(name, help, seconds, latencies.counts(),
                     static_cast<double>(latencies.total().count()) / 1000);
}

}  // namespace

std::uint64_t Figures::rejected_total() const {
  std::uint64_t total = 0;
  for (const auto& count : rejected) total += count;
  return total;
}

void add_to(metrics::Families& families, const Figures& f) {
  const auto counter = [&](const char* name, const char* help, const Figures::Count& value) {
    families.counter(name, help, static_cast<double>(value.load()));
  };
  const auto gauge = [&](const char* name, const char* help, const std::atomic<std::int64_t>& value) {
    families.gauge(name, help, static_cast<double>(value.load()));
  };
  const auto instant = [&](const char* name, const char* help, const std::atomic<std::int64_t>& ms) {
    families.gauge(name, help, static_cast<double>(ms.load()) / 1000);
  };
  counter("chandler_messages_total", "Messages received", f.messages);
  counter("chandler_message_bytes_total", "Bytes of messages received", f.bytes);
  counter("chandler_closed_minutes_total", "Events that closed a minute", f.closed);
  counter("chandler_open_updates_total", "Events of minutes that are still open", f.open);
  counter("chandler_repeated_total", "Events that changed nothing", f.repeated);
  counter("chandler_late_total", "Events older than the watermark", f.late);
  counter("chandler_commits_total", "Commits to speed_1m", f.commits);
  counter("chandler_commit_failures_total", "Commits that failed and are tried again", f.commit_failures);
  counter("chandler_files_total", "Files written", f.files);
  counter("chandler_minutes_added_total", "Minutes stored that were not there", f.minutes_added);
  counter("chandler_minutes_replaced_total", "Minutes replaced by a later event", f.minutes_replaced);
  counter("chandler_stream_connects_total", "WebSocket connections opened", f.connects);
  counter("chandler_stream_disconnects_total", "WebSocket connections that broke", f.disconnects);
  counter("chandler_caught_up_minutes_total", "Minutes fetched by REST after a hole", f.caught_up);
  counter("chandler_published_total", "Messages the broker has acknowledged", f.published);
  counter("chandler_publish_failures_total", "Messages the broker has refused", f.publish_failures);
  gauge("chandler_pending_minutes", "Closed minutes that await the next commit", f.pending_minutes);
  gauge("chandler_queued_messages", "Messages that await their turn", f.queued);
  gauge("chandler_lag_messages", "Messages in the topic that have not been read", f.lag_messages);
  gauge("chandler_streams", "Partitions or connections being read", f.streams);
  instant("chandler_newest_event_timestamp_seconds", "Time of the newest event", f.newest_event_ms);
  instant("chandler_watermark_timestamp_seconds", "Before it no event is expected", f.watermark_ms);
  instant("chandler_last_commit_timestamp_seconds", "When speed_1m was last written", f.last_commit_ms);
  families.begin_counter("chandler_rejected_total", "Messages put aside");
  for (std::size_t i = 0; i < kRejections; ++i) {
    families.add(static_cast<double>(f.rejected[i].load()),
                 {{"reason", std::string(name(static_cast<Rejection>(i)))}});
  }
  add_histogram(families, "chandler_delivery_seconds",
                "Of events, from the exchange to the broker's acknowledgement", f.delivery);
  add_histogram(families, "chandler_storing_seconds", "Of closed minutes, from the exchange to their commit",
                f.storing);
  add_histogram(families, "chandler_commit_seconds", "Of commits themselves", f.commit);
}

}  // namespace chandler::speed
