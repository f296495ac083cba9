// Seeded faults: which request fails, and how, depends on the seed, on what is asked and on how often it has
// been asked before, but not on the order in which other requests come. One seed replays.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/random.hpp"
#include "net/http_message.hpp"

namespace chandler::sim {

enum class Fault {
  internal_error,  // 500, the exchange's JSON
  bad_gateway,     // 502, an HTML page
  unavailable,     // 503, an HTML page
  html_page,       // 200, but an HTML page
  hang,
  reset,
  truncate,      // ends before Content-Length
  garbage,       // 200, not the JSON it should be
  told_to_wait,  // 429 out of the blue
  banned,        // 418 out of the blue
};
inline constexpr std::size_t kFaultKinds = 10;
std::string_view name(Fault fault);

struct FaultOptions {
  double rate = 0;  // share of the requests, 0…1
  std::uint64_t seed = 1;
  std::int64_t retry_after = 1;  // s, of told_to_wait; banned: twice that
};

// Not thread safe.
class FaultPlan {
 public:
  explicit FaultPlan(FaultOptions options) : options_(options) {}

  struct Choice {
    Fault fault;
    Random random;  // for the details
  };
  // Whether and how this request fails. `identity`: method and target without what varies by chance.
  std::optional<Choice> next(std::string_view identity);
  void reset() { asked_.clear(); }
  const FaultOptions& options() const { return options_; }

 private:
  FaultOptions options_;
  std::unordered_map<std::uint64_t, std::uint32_t> asked_;  // never iterated
};

// The answer as the fault leaves it. Retry-After is not included.
net::HttpResponse spoil(net::HttpResponse response, FaultPlan::Choice choice);

// FNV-1a, 64 bit.
std::uint64_t hash_of(std::string_view text);

}  // namespace chandler::sim
