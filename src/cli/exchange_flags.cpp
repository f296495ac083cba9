#include "cli/exchange_flags.hpp"

#include <random>

#include "http/curl_transport.hpp"

namespace chandler::cli {

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

namespace {

exchange::RetryPolicy policy_of(const ExchangeFlags& flags) {
  exchange::RetryPolicy policy;
  policy.request_timeout = std::chrono::milliseconds(static_cast<std::int64_t>(flags.request_timeout * 1000));
  return policy;
}

// A month's file is a few MB where a page is 150 kB.
exchange::RetryPolicy archive_policy_of(const ExchangeFlags& flags) {
  exchange::RetryPolicy policy = exchange::ArchiveOptions{}.retry;
  policy.request_timeout = 6 * policy_of(flags).request_timeout;
  return policy;
}

// Retries of many clients must not fall together, so the seed is another one each time unless the user fixes
// it.
Random jitter(const ExchangeFlags& flags, std::uint64_t stream) {
  std::uint64_t seed = flags.seed;
  if (seed == 0) {
    std::random_device device;
    seed = (static_cast<std::uint64_t>(device()) << 32) | device();
  }
  return Random(seed + stream);
}

}  // namespace

void ExchangeFlags::add_to(Flags& flags) {
  flags.option("--rest-url", &rest_url, "REST API of the exchange").type("URL").show_default();
  flags.option("--archive-url", &archive_url, "Bulk archive of the exchange").type("URL").show_default();
  flags.option("--in-flight", &in_flight, "Requests at a time").range(1, 64).show_default();
  flags.option("--request-timeout", &request_timeout, "Seconds that one request may take")
      .range(0.05, 600.0)
      .show_default();
  flags.option("--deadline", &deadline, "Seconds that the whole job may take; 0 for no limit")
      .at_least(0)
      .show_default();
  flags.option("--seed", &seed, "Seed of the retries' jitter, to replay a run; 0 for another one each time");
}

ExchangeClients::ExchangeClients(const ExchangeFlags& flags, Clock& clock)
    : transport_(http::make_curl_transport()),
      budget_(clock),
      rest_({without_slash(flags.rest_url), policy_of(flags)}, *transport_, budget_, clock, jitter(flags, 0)),
      archive_({without_slash(flags.archive_url), archive_policy_of(flags)}, *transport_, clock,
               jitter(flags, 1)) {}

void ExchangeClients::add_to(metrics::Families& families) const {
  const auto rest = rest_.counters();
  const auto archive = archive_.counters();
  const auto by_service = [&](const char* name, const char* help, std::int64_t of_rest,
                              std::int64_t of_archive) {
    families.begin_counter(name, help);
    families.add(static_cast<double>(of_rest), {{"service", "rest"}});
    families.add(static_cast<double>(of_archive), {{"service", "archive"}});
  };
  by_service("chandler_exchange_requests_total", "Requests sent, repeats included", rest.requests,
             archive.requests);
  by_service("chandler_exchange_retries_total", "Requests sent because the one before failed", rest.retries,
             archive.retries);
  by_service("chandler_exchange_told_to_wait_total", "Answers that said to wait (429, 418)",
             rest.told_to_wait, archive.told_to_wait);
  by_service("chandler_exchange_received_bytes_total", "Bytes of the answers' bodies", rest.bytes,
             archive.bytes);
  families.begin_gauge("chandler_exchange_wait_seconds", "How much longer nothing may be sent");
  const auto seconds = [](std::chrono::nanoseconds wait) {
    return std::chrono::duration<double>(wait).count();
  };
  families.add(seconds(budget_.gate().remaining()), {{"service", "rest"}});
  families.add(seconds(archive_.gate().remaining()), {{"service", "archive"}});
  families.gauge("chandler_exchange_weight", "Request weight that is held against the limit now",
                 budget_.used());
  families.gauge("chandler_exchange_weight_limit", "The exchange's limit of request weight per minute",
                 budget_.limit());
  families.counter("chandler_exchange_weight_total", "Request weight sent",
                   static_cast<double>(budget_.total_sent()));
  families.begin_counter("chandler_archive_files_total", "Files of the archive, by what came of them");
  families.add(static_cast<double>(archive.files), {{"outcome", "accepted"}});
  families.add(static_cast<double>(archive.absent), {{"outcome", "absent"}});
  families.add(static_cast<double>(archive.mismatches), {{"outcome", "mismatch"}});
}

// Another exchange's history is not to be filled from Binance's own archive unless somebody says so.
bool ExchangeFlags::archive_belongs_to_rest() const {
  return rest_url == exchange::kDefaultRestUrl || archive_url != exchange::kDefaultArchiveUrl;
}

}  // namespace chandler::cli
