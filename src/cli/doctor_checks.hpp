// What `doctor` looks at: each check asks one thing of the machine, the lake or the network and says what it
// found and what to do about it. None takes longer than kDoctorDeadline, and none leaves anything behind.
#pragma once

#include <chrono>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "speed/kafka_source.hpp"

namespace chandler::cli {

inline constexpr std::chrono::milliseconds kDoctorDeadline{5'000};

enum class Health { ok, warn, fail };

struct Check {
  std::string name;
  Health health = Health::ok;
  std::string found;
  std::string where;          // URL or path; empty where there is none
  std::string remedy;         // empty if there is nothing to do
  bool out_of_reach = false;  // the exchange, the broker or the lake cannot be reached
};

// A failure of what `name` checks.
Check failed_check(std::string name, const Error& error);

// The machine's clock minus the exchange's, known to half the round trip. Warns of what is certainly more
// than a second.
Check judge_clock(Millis skew, Millis round_trip);
// Warns below 1 GiB.
Check judge_disk(std::uint64_t free_bytes, std::string where);

// lake, disk, writer, unfinished; of an object store, whose client keeps its own deadlines, only whether it
// can be listed.
std::vector<Check> check_lake(const std::string& uri, std::stop_token stop);
// exchange, clock. URLs are without a slash at their end.
std::vector<Check> check_exchange(const std::string& rest_url, Clock& clock, std::stop_token stop);
Check check_archive(const std::string& archive_url, Clock& clock, std::stop_token stop);
Check check_stream(const std::string& stream_url, const std::string& ca_file, Clock& clock,
                   std::stop_token stop);
// Cannot be stopped before its deadline.
Check check_brokers(speed::KafkaAddress address, Clock& clock);

// 0 if nothing failed, 3 if what failed cannot be reached, else 1.
int exit_code_of(std::span<const Check> checks);

}  // namespace chandler::cli
