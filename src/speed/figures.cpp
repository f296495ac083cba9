#include "speed/figures.hpp"

#include <fmt/format.h>

namespace chandler::speed {
namespace {

struct Text {
  std::string_view name, clause;
};
constexpr std::array<Text, kRejections> kTexts = {{
    {"too_large", "the message is far too long"},
    {"not_json", "the message is not JSON"},
    {"wrong_shape", "a field is missing or has the wrong type"},
    {"bad_number", "no candle can have these numbers"},
    {"bad_symbol", "the symbol is not one"},
    {"other_interval", "the candle is not of one minute"},
    {"bad_time", "the event's time does not go with its candle or lies in the future"},
    {"other_event", "the event is of another kind"},
    {"key_differs", "the message's key is not the event's symbol"},
    {"unknown_symbol", "the symbol is not one of those asked for"},
}};

std::string sample(const Gauge& g) {
  const std::string label = g.label_name.empty() ? "" : fmt::format("{{{}=\"{}\"}}", g.label_name, g.label);
  return fmt::format("chandler_{}{} {}\n", g.name, label, g.value);
}

}  // namespace

std::string_view name(Rejection rejection) {
  return kTexts[static_cast<std::size_t>(rejection)].name;
}
std::string_view describe(Rejection rejection) {
  return kTexts[static_cast<std::size_t>(rejection)].clause;
}

std::uint64_t Figures::rejected_total() const {
  std::uint64_t total = 0;
  for (const auto& count : rejected) total += count;
  return total;
}

std::string to_prometheus(const Figures& f) {
  const auto count = [](const auto& v) { return static_cast<double>(v.load()); };
  const auto seconds = [](const auto& v) { return static_cast<double>(v.load()) / 1000; };
  std::vector<Gauge> all = {
      {"messages_total", "Messages received", "counter", count(f.messages)},
      {"message_bytes_total", "Bytes of messages received", "counter", count(f.bytes)},
      {"closed_minutes_total", "Events that closed a minute", "counter", count(f.closed)},
      {"open_updates_total", "Events of minutes that are still open", "counter", count(f.open)},
      {"repeated_total", "Events that changed nothing", "counter", count(f.repeated)},
      {"late_total", "Events older than the watermark", "counter", count(f.late)},
      {"commits_total", "Commits to speed_1m", "counter", count(f.commits)},
      {"commit_failures_total", "Commits that failed and are tried again", "counter",
       count(f.commit_failures)},
      {"files_total", "Files written", "counter", count(f.files)},
      {"minutes_added_total", "Minutes stored that were not there", "counter", count(f.minutes_added)},
      {"minutes_replaced_total", "Minutes replaced by a later event", "counter", count(f.minutes_replaced)},
      {"stream_connects_total", "WebSocket connections opened", "counter", count(f.connects)},
      {"stream_disconnects_total", "WebSocket connections that broke", "counter", count(f.disconnects)},
      {"caught_up_minutes_total", "Minutes fetched by REST after a hole", "counter", count(f.caught_up)},
      {"published_total", "Messages the broker has acknowledged", "counter", count(f.published)},
      {"publish_failures_total", "Messages the broker has refused", "counter", count(f.publish_failures)},
      {"pending_minutes", "Closed minutes that await the next commit", "gauge", count(f.pending_minutes)},
      {"queued_messages", "Messages that await their turn", "gauge", count(f.queued)},
      {"lag_messages", "Messages in the topic that have not been read", "gauge", count(f.lag_messages)},
      {"streams", "Partitions or connections being read", "gauge", count(f.streams)},
      {"newest_event_timestamp_seconds", "Time of the newest event", "gauge", seconds(f.newest_event_ms)},
      {"watermark_timestamp_seconds", "Before it no event is expected", "gauge", seconds(f.watermark_ms)},
      {"last_commit_timestamp_seconds", "When speed_1m was last written", "gauge", seconds(f.last_commit_ms)},
  };
  std::string text;
  const auto head = [&](const Gauge& g) {
    text += fmt::format("# HELP chandler_{} {}\n# TYPE chandler_{} {}\n", g.name, g.help, g.name, g.type);
  };
  for (const Gauge& g : all) {
    head(g);
    text += sample(g);
  }
  Gauge rejected{"rejected_total", "Messages put aside", "counter", 0, "reason", {}};
  head(rejected);
  for (std::size_t i = 0; i < kRejections; ++i) {
    rejected.value = count(f.rejected[i]);
    rejected.label = kTexts[i].name;
    text += sample(rejected);
  }
  return text;
}

}  // namespace chandler::speed
