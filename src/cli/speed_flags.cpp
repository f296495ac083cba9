#include "cli/speed_flags.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <random>

#include "lake/catalog.hpp"

namespace chandler::cli {

Result<Millis> parse_duration(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  double scale = 0;
  if (unit == "ms") scale = 1;
  if (unit.empty() || unit == "s") scale = 1e3;
  if (unit == "m") scale = 60e3;
  if (unit == "h") scale = 3600e3;
  if (unit == "d") scale = 86400e3;
  if (error != std::errc{} || scale == 0 || !(value >= 0) || value * scale > 1e13) {
    return fail(ErrorCode::usage, fmt::format("'{}' is no duration", text), {},
                "write it as 500ms, 10s, 5m, 1h or 1d");
  }
  return Millis{std::llround(value * scale)};
}

void PipelineFlags::add_to(Flags& flags) {
  flags.option("--trigger", &trigger, "How often what has come is stored").type("DURATION").show_default();
  flags.option("--watermark", &watermark, "How late an event may be before its day counts as closed")
      .type("DURATION")
      .show_default();
  flags
      .option("--dead-letter", &dead_letter,
              "Where messages go that cannot be used (default: speed_1m/_dead_letter.jsonl in the lake)")
      .type("FILE|topic:NAME");
  metrics.add_to(flags);
}

Result<speed::PipelineOptions> PipelineFlags::options(std::string purpose) const {
  speed::PipelineOptions options;
  options.purpose = std::move(purpose);
  CHANDLER_ASSIGN(options.trigger, parse_duration(trigger));
  CHANDLER_ASSIGN(options.lateness, parse_duration(watermark));
  return options;
}

void KafkaFlags::add_to(Flags& flags, std::string default_topic) {
  topic = std::move(default_topic);
  flags.option("--brokers", &brokers, "Kafka brokers").type("HOST:PORT,…").show_default();
  flags.option("--topic", &topic, "Topic").type("NAME").show_default();
  flags.option("--kafka-property", &properties, "A property of librdkafka, e.g. security.protocol=ssl")
      .type("KEY=VALUE");
}

Result<speed::KafkaAddress> KafkaFlags::address() const {
  speed::KafkaAddress address;
  address.brokers = brokers;
  address.topic = topic;
  for (const std::string& property : properties) {
    const auto equals = property.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(ErrorCode::usage, fmt::format("'{}' is no property", property), {},
                  "write it as key=value");
    }
    address.properties[property.substr(0, equals)] = property.substr(equals + 1);
  }
  return address;
}

void StreamFlags::add_to(Flags& flags) {
  flags.option("--stream-url", &stream_url, "The exchange's market streams").type("URL").show_default();
  flags.option("--catch-up", &catch_up, "How far back minutes that the lake lacks are fetched at the start")
      .type("DURATION")
      .show_default();
  flags
      .option("--renew-after", &renew_after,
              "Replace each connection after this long; the exchange cuts after 24 hours")
      .type("DURATION")
      .show_default();
  flags.option("--stream-ca", &ca_file, "Certificates to trust for the streams, PEM (default: the system's)")
      .type("FILE");
}

Result<speed::FeedOptions> StreamFlags::options(const lake::Storage& storage,
                                                const std::vector<std::string>& symbols,
                                                std::uint64_t seed) const {
  speed::FeedOptions feed;
  CHANDLER_ASSIGN(feed.symbols, parse_symbols(symbols));
  if (feed.symbols.empty()) {
    constexpr lake::Table kTables[] = {lake::Table::klines_1m, lake::Table::speed_1m};
    CHANDLER_ASSIGN(feed.symbols, lake::symbols_of(storage, kTables));
  }
  if (feed.symbols.empty()) {
    return fail(ErrorCode::usage, "no symbol was given, and the lake has none", storage.uri(),
                "name some, e.g. BTCUSDT");
  }
  feed.stream.base_url = stream_url;
  while (feed.stream.base_url.ends_with('/')) feed.stream.base_url.pop_back();
  feed.stream.ca_file = ca_file;
  CHANDLER_ASSIGN(feed.catch_up, parse_duration(catch_up));
  CHANDLER_ASSIGN(feed.stream.lifetime, parse_duration(renew_after));
  feed.seed = seed != 0 ? seed : std::random_device{}();
  return feed;
}

std::string dead_letter_path(const PipelineFlags& flags, const Globals& globals) {
  if (!flags.dead_letter.empty()) return flags.dead_letter;
  std::string lake = globals.lake;
  if (lake.starts_with("file://")) lake.erase(0, 7);
  // An object store has no files to append to.
  if (lake.find("://") != std::string::npos) return "chandler_dead_letter.jsonl";
  return lake + "/speed_1m/_dead_letter.jsonl";
}

Json latency_json(const speed::Latencies& latencies) {
  const auto bound = [&](double share) {
    const auto within = latencies.within(share);
    return within ? Json(within->count()) : Json(nullptr);
  };
  return {{"p50", bound(0.5)}, {"p99", bound(0.99)}};
}

Json rejected_json(const speed::Figures& figures) {
  Json reasons = Json::object();
  for (std::size_t i = 0; i < speed::kRejections; ++i) {
    if (const auto count = figures.rejected[i].load(); count > 0)
      reasons[std::string(name(static_cast<speed::Rejection>(i)))] = count;
  }
  return reasons;
}

std::string rejected_text(const speed::Figures& figures) {
  const Json counts = rejected_json(figures);
  std::string reasons;
  for (const auto& [reason, count] : counts.items())
    reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", count.get<std::uint64_t>(), reason);
  const std::string total = fmt::format("{} rejected", figures.rejected_total());
  return reasons.empty() ? total : fmt::format("{} ({})", total, reasons);
}

}  // namespace chandler::cli
