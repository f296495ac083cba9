// The flags of every command that talks to the exchange, and the clients they make.
#pragma once

#include "cli/command.hpp"
#include "exchange/archive_client.hpp"
#include "exchange/rest_client.hpp"
#include "metrics/families.hpp"

namespace chandler::cli {

struct ExchangeFlags {
  std::string rest_url{exchange::kDefaultRestUrl};
  std::string archive_url{exchange::kDefaultArchiveUrl};
  std::size_t in_flight = 8;
  double request_timeout = 10;  // seconds
  double deadline = 0;          // seconds of the whole job; 0: none
  std::uint64_t seed = 0;       // of the retries' jitter; 0: another one each time
  void add_to(Flags& flags);
  bool archive_belongs_to_rest() const;
};

// A base URL as paths are put after it.
std::string without_slash(std::string url);

// Clients that share one transport and one weight budget. Outlives what is made of it; not movable.
class ExchangeClients {
 public:
  ExchangeClients(const ExchangeFlags& flags, Clock& clock);
  exchange::RestClient& rest() { return rest_; }
  exchange::ArchiveClient& archive() { return archive_; }
  // A wait that the exchange orders, or its limit, shows as a note. `progress` outlives the requests.
  void tell_of_waits(Progress& progress) {
    budget_.tell_of_waits([&progress](std::string_view line) { progress.note(line); });
  }
  // chandler_exchange_…: requests, repeats, waits and bytes by service, and the weight budget. Thread safe.
  void add_to(metrics::Families& families) const;

 private:
  std::unique_ptr<http::Transport> transport_;
  exchange::WeightBudget budget_;
  exchange::RestClient rest_;
  exchange::ArchiveClient archive_;
};

}  // namespace chandler::cli
