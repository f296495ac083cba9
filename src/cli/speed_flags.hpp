// Flags and screens that `consume`, `live` and `produce` share.
#pragma once

#include <set>

#include "cli/command.hpp"
#include "cli/metrics_flags.hpp"
#include "speed/consume.hpp"
#include "speed/market_feed.hpp"

namespace chandler::cli {

// A duration as users write it: 500ms, 10s, 5m, 1h, 1d, or a number of seconds.
Result<Millis> parse_duration(std::string_view text);

struct PipelineFlags {
  std::string trigger = "10s";
  std::string watermark = "1h";
  std::string dead_letter;
  MetricsFlags metrics;
  void add_to(Flags& flags);
  Result<speed::PipelineOptions> options(std::string purpose) const;
};

struct KafkaFlags {
  std::string brokers = "localhost:9092";
  std::string topic;
  std::vector<std::string> properties;
  void add_to(Flags& flags, std::string default_topic);
  Result<speed::KafkaAddress> address() const;
};

struct StreamFlags {
  std::string stream_url{exchange::kDefaultStreamUrl};
  std::string catch_up = "1d";
  std::string renew_after = "23h";
  std::string ca_file;
  void add_to(Flags& flags);
  // Symbols: those given, or those that the lake has.
  Result<speed::FeedOptions> options(const lake::Storage& storage, const std::vector<std::string>& symbols,
                                     std::uint64_t seed) const;
};

// Where rejected messages go: --dead-letter, or a file beside the speed layer's tables of a lake on disk.
std::string dead_letter_path(const PipelineFlags& flags, const Globals& globals);

// {"p50": …, "p99": …}: bounds in ms that such a share stayed within; null where there is none.
Json latency_json(const speed::Latencies& latencies);

// {"not_json": 3, …}: the reasons that occurred.
Json rejected_json(const speed::Figures& figures);
// "3 rejected", and why where any were: "3 rejected (2 not_json, 1 bad_number)".
std::string rejected_text(const speed::Figures& figures);

}  // namespace chandler::cli
