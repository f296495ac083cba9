#include <fmt/format.h>

#include <filesystem>
#include <future>

#include "cli/commands.hpp"
#include "cli/doctor_checks.hpp"
#include "cli/exchange_flags.hpp"
#include "cli/library_versions.hpp"
#include "cli/speed_flags.hpp"
#include "cli/terminal.hpp"

namespace chandler::cli {
namespace {

struct Options {
  ExchangeFlags exchange;
  StreamFlags stream;
  KafkaFlags kafka;
};

const char* word_of(Health health) {
  return health == Health::ok ? "ok" : health == Health::warn ? "warn" : "fail";
}

// Had there been something wrong with it, the program would have said so and ended.
Check check_configuration(const Globals& globals) {
  const std::string file = globals.config.empty() ? "chandler.toml" : globals.config;
  std::error_code error;
  const bool is_there = std::filesystem::exists(file, error);
  return {"configuration",
          Health::ok,
          is_there ? "was read" : "no file; flags and environment only",
          is_there ? std::filesystem::absolute(file, error).string() : "",
          {}};
}

Check check_versions() {
  std::string found = "chandler " CHANDLER_VERSION;
  for (const LibraryVersion& library : library_versions()) {
    if (library.name == "Arrow" || library.name == "curl" || library.name == "OpenSSL" ||
        library.name == "librdkafka") {
      found += fmt::format(", {} {}", library.name, library.version);
    }
  }
  return {"versions", Health::ok, std::move(found), {}, {}};
}

// What takes time is asked side by side.
Result<std::vector<Check>> examine(const Options& options, Context& context,
                                   const speed::KafkaAddress& brokers) {
  using Checks = std::vector<Check>;
  Clock& clock = context.clock;
  const auto begin = [](auto task) { return std::async(std::launch::async, std::move(task)); };
  std::vector<std::future<Checks>> pending;
  pending.push_back(begin([&] { return check_lake(context.globals.lake, context.stop); }));
  pending.push_back(
      begin([&] { return check_exchange(without_slash(options.exchange.rest_url), clock, context.stop); }));
  if (options.exchange.archive_belongs_to_rest()) {
    pending.push_back(begin([&] {
      return Checks{check_archive(without_slash(options.exchange.archive_url), clock, context.stop)};
    }));
  }
  pending.push_back(begin([&] {
    return Checks{
        check_stream(without_slash(options.stream.stream_url), options.stream.ca_file, clock, context.stop)};
  }));
  if (!brokers.brokers.empty())
    pending.push_back(begin([&] { return Checks{check_brokers(brokers, clock)}; }));

  Checks all{check_versions(), check_configuration(context.globals)};
  for (auto& checks : pending) std::ranges::move(checks.get(), std::back_inserter(all));
  if (context.stop.stop_requested()) return fail(ErrorCode::interrupted, "interrupted");
  return all;
}

// The state comes first, so that it can be coloured without a say in the widths.
void print_table(const std::vector<Check>& checks, bool colour) {
  TextTable table({{"state"}, {"check"}, {"where"}, {"found"}});
  for (const Check& c : checks) table.add({word_of(c.health), c.name, c.where, c.found});
  std::string text = table.to_text(colour);
  if (colour) {
    std::size_t at = text.find('\n') + 1;
    for (const Check& c : checks) {
      const std::string_view word = word_of(c.health);
      const int shade = c.health == Health::ok ? 32 : c.health == Health::warn ? 33 : 31;
      text.replace(at, word.size(), fmt::format("\x1b[{}m{}\x1b[0m", shade, word));
      at = text.find('\n', at) + 1;
    }
  }
  print(text);
  bool first = true;
  for (const Check& c : checks) {
    if (c.remedy.empty()) continue;
    print(fmt::format("{}{}: {}\n", first ? "\n" : "", c.name, c.remedy));
    first = false;
  }
}

void print_document(const std::vector<Check>& checks, const std::string& lake) {
  Json list = Json::array();
  Health worst = Health::ok;
  for (const Check& c : checks) {
    worst = std::max(worst, c.health);
    list.push_back({{"check", c.name},
                    {"state", word_of(c.health)},
                    {"found", c.found},
                    {"where", c.where},
                    {"remedy", c.remedy}});
  }
  Json libraries = Json::object();
  for (const LibraryVersion& library : library_versions()) libraries[library.name] = library.version;
  print_json({{"state", word_of(worst)},
              {"lake", lake},
              {"checks", std::move(list)},
              {"version", CHANDLER_VERSION},
              {"libraries", std::move(libraries)}});
}

Result<int> run(const Options& options, Context& context) {
  CHANDLER_ASSIGN(const auto brokers, options.kafka.address());
  CHANDLER_ASSIGN(const auto checks, examine(options, context, brokers));
  if (context.globals.json) {
    print_document(checks, context.globals.lake);
  } else {
    print_table(checks, context.colour);
  }
  return exit_code_of(checks);
}

}  // namespace

void add_doctor_command(Registry& registry) {
  auto options = std::make_shared<Options>();
  options->kafka.brokers.clear();
  Flags& flags = registry.add("doctor", "What keeps the program from working here, and what to do",
                              [options](Context& context) { return run(*options, context); });
  flags.option("--rest-url", &options->exchange.rest_url, "REST API of the exchange")
      .type("URL")
      .show_default();
  flags.option("--archive-url", &options->exchange.archive_url, "Bulk archive of the exchange")
      .type("URL")
      .show_default();
  flags.option("--stream-url", &options->stream.stream_url, "The exchange's market streams")
      .type("URL")
      .show_default();
  flags
      .option("--stream-ca", &options->stream.ca_file,
              "Certificates to trust for the streams, PEM (default: the system's)")
      .type("FILE");
  flags.option("--brokers", &options->kafka.brokers, "Kafka brokers (default: none are asked)")
      .type("HOST:PORT,…");
  flags
      .option("--kafka-property", &options->kafka.properties,
              "A property of librdkafka, e.g. security.protocol=ssl")
      .type("KEY=VALUE");
}

}  // namespace chandler::cli
