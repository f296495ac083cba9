#include "cli/doctor_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <ranges>

#include "cli/terminal.hpp"
#include "exchange/archive_client.hpp"
#include "exchange/rest_client.hpp"
#include "http/curl_transport.hpp"
#include "lake/local_survey.hpp"
#include "lake/storage.hpp"
#include "net/web_socket.hpp"
#include "speed/kafka_probe.hpp"

namespace chandler::cli {
namespace {

using namespace std::chrono_literals;

constexpr Millis kTolerableSkew{1'000};
constexpr std::uint64_t kLittleSpace = 1ULL << 30;

// One repeat, since a first connection may fail by chance.
exchange::RetryPolicy policy() {
  return {.attempts = 2, .request_timeout = kDoctorDeadline};
}

exchange::Call call_of(const Clock& clock, std::stop_token stop) {
  return {clock.steady() + kDoctorDeadline, std::move(stop)};
}

Random jitter() {
  std::random_device device;
  return Random(device());
}

Millis since(const Clock& clock, std::chrono::nanoseconds begin) {
  return std::chrono::duration_cast<Millis>(clock.steady() - begin);
}

std::string answer_in(Millis time) {
  return fmt::format("answers in {} ms", time.count());
}

Check check_access(const lake::LocalSurvey& survey) {
  const std::string root = survey.root.string();
  if (!survey.readable) return failed_check("lake", survey.readable.error());
  if (!survey.writable) {
    Check check = failed_check("lake", survey.writable.error());
    check.found = fmt::format("cannot be {}: {}", survey.exists ? "written" : "made", check.found);
    if (check.remedy.empty()) check.remedy = "name a folder that you may write with --lake";
    return check;
  }
  if (!survey.exists)
    return {"lake", Health::warn, "is not there yet", root, "`chandler backfill SYMBOL` makes and fills it"};
  return {"lake", Health::ok, "can be read and written", root, {}};
}

Check check_writers(const lake::LocalSurvey& survey) {
  if (survey.writers.empty()) return {"writer", Health::ok, "nobody writes the lake", {}, {}};
  const Error& first = survey.writers.front();
  Check check{"writer", Health::warn, first.what, first.where, first.remedy};
  for (const Error& other : survey.writers | std::views::drop(1)) check.found += "; " + other.what;
  return check;
}

Check check_unfinished(const lake::LocalSurvey& survey) {
  if (survey.unfinished == 0) return {"unfinished", Health::ok, "no unfinished files", {}, {}};
  const std::string found =
      fmt::format("{} unfinished file{} ({})", survey.unfinished, survey.unfinished == 1 ? "" : "s",
                  format_bytes(static_cast<std::uint64_t>(survey.unfinished_bytes)));
  if (!survey.writers.empty())
    return {"unfinished", Health::ok, found + " of the writer at work", survey.root.string(), {}};
  return {"unfinished", Health::warn, found + " of a writer that was killed", survey.root.string(),
          "nothing is lost: the next command that writes the lake removes them"};
}

}  // namespace

Check failed_check(std::string name, const Error& error) {
  return {std::move(name), Health::fail, error.what,
          error.where,     error.remedy, error.code == ErrorCode::unreachable};
}

Check judge_clock(Millis skew, Millis round_trip) {
  const auto size = std::chrono::abs(skew);
  Check check{"clock", Health::ok, {}, {}, {}};
  check.found = fmt::format("{} ms {} the exchange's (±{} ms)", size.count(),
                            skew.count() < 0 ? "behind" : "ahead of", (round_trip.count() + 1) / 2);
  if (size - round_trip / 2 > kTolerableSkew) {
    check.health = Health::warn;
    check.remedy = "set the clock by NTP: `timedatectl set-ntp true`";
  }
  return check;
}

Check judge_disk(std::uint64_t free_bytes, std::string where) {
  Check check{"disk", Health::ok, format_bytes(free_bytes) + " free", std::move(where), {}};
  if (free_bytes < kLittleSpace) {
    check.health = Health::warn;
    check.remedy = "free some space, or move the lake and name it with --lake";
  }
  return check;
}

std::vector<Check> check_lake(const std::string& uri, std::stop_token stop) {
  if (uri.find("://") != std::string::npos && !uri.starts_with("file://")) {
    const auto storage = lake::open_storage(uri, std::move(stop));
    if (!storage) return {failed_check("lake", storage.error())};
    if (const auto tables = (*storage)->folders(""); !tables) return {failed_check("lake", tables.error())};
    return {{"lake", Health::ok, "can be listed", uri, {}}};
  }
  const auto survey = lake::survey_local_lake(uri);
  if (!survey) return {failed_check("lake", survey.error())};
  const std::string root = survey->root.string();
  std::vector<Check> checks{check_access(*survey)};
  checks.push_back(survey->free_bytes ? judge_disk(*survey->free_bytes, root)
                                      : failed_check("disk", survey->free_bytes.error()));
  if (survey->exists) {
    checks.push_back(check_writers(*survey));
    checks.push_back(check_unfinished(*survey));
  }
  return checks;
}

std::vector<Check> check_exchange(const std::string& rest_url, Clock& clock, std::stop_token stop) {
  const auto transport = http::make_curl_transport();
  exchange::WeightBudget budget(clock);
  exchange::RestClient rest({rest_url, policy()}, *transport, budget, clock, jitter());
  const exchange::Call call = call_of(clock, std::move(stop));
  // The first answer opens the connection, the second tells the time.
  if (const auto warm = rest.server_time(call); !warm) return {failed_check("exchange", warm.error())};
  const Timestamp sent = clock.now();
  const auto began = clock.steady();
  const auto time = rest.server_time(call);
  if (!time) return {failed_check("exchange", time.error())};
  const Millis round_trip = since(clock, began);
  return {{"exchange", Health::ok, answer_in(round_trip), rest_url, {}},
          judge_clock(sent + round_trip / 2 - *time, round_trip)};
}

// The smallest file there is: one candle. That it is not published is an answer, too.
Check check_archive(const std::string& archive_url, Clock& clock, std::stop_token stop) {
  const auto transport = http::make_curl_transport();
  exchange::ArchiveClient archive({archive_url, policy(), 1}, *transport, clock, jitter());
  const auto began = clock.steady();
  const auto day = archive.fetch_day("BTCUSDT", candles::Interval::d1, Day{2024y / 1 / 1},
                                     call_of(clock, std::move(stop)));
  if (!day) return failed_check("archive", day.error());
  return {"archive", Health::ok, answer_in(since(clock, began)), archive_url, {}};
}

Check check_stream(const std::string& stream_url, const std::string& ca_file, Clock& clock,
                   std::stop_token stop) {
  net::WebSocketClientOptions options;
  options.url = stream_url + "/stream";
  options.connect_deadline = kDoctorDeadline;
  options.ca_file = ca_file;
  const auto began = clock.steady();
  const auto client = net::WebSocketClient::connect(std::move(options), {}, std::move(stop));
  if (!client) {
    Check check = failed_check("stream", client.error());
    if (check.remedy.empty()) check.remedy = "check the network, or name another exchange with --stream-url";
    return check;
  }
  return {"stream", Health::ok, answer_in(since(clock, began)), stream_url, {}};
}

Check check_brokers(speed::KafkaAddress address, Clock& clock) {
  address.connect_deadline = kDoctorDeadline;
  const auto began = clock.steady();
  const auto brokers = speed::count_brokers(address);
  if (!brokers) return failed_check("broker", brokers.error());
  return {"broker",
          Health::ok,
          fmt::format("{}, {} in the cluster", answer_in(since(clock, began)), *brokers),
          address.brokers,
          {}};
}

int exit_code_of(std::span<const Check> checks) {
  const auto has_failed = [](const Check& check) { return check.health == Health::fail; };
  if (std::ranges::none_of(checks, has_failed)) return 0;
  const bool reach =
      std::ranges::any_of(checks, [&](const Check& c) { return has_failed(c) && c.out_of_reach; });
  return exit_code(reach ? ErrorCode::unreachable : ErrorCode::incomplete);
}

}  // namespace chandler::cli
