#include "sim/exchange.hpp"

#include <fmt/format.h>

namespace chandler::sim {
namespace {

using net::HttpRequest;
using net::HttpResponse;

// What a request is counted under: names that clients make up must not fill the table.
std::string counted_as(const HttpRequest& request, bool endpoint) {
  if (endpoint) return request.path;
  const auto name = parse_archive_path(request.path);
  if (!name) return "other";
  return std::string("/data/spot/") + (name->monthly ? "monthly" : "daily") +
         (name->checksum ? " CHECKSUM" : "");
}

}  // namespace

Exchange::Exchange(std::shared_ptr<const Market> market, ExchangeOptions options)
    : market_(std::move(market)),
      options_(options),
      rest_(market_, options.limits.weight_per_minute),
      archive_(market_, options.archive),
      limiter_(options.limits),
      faults_(options.faults) {}

HttpResponse Exchange::refuse(const Admission& admission) const {
  const std::string message = admission.status == 418
                                  ? fmt::format(
                                        "Way too much request weight used; IP banned until {}. Please use "
                                        "WebSocket Streams for live updates "
                                        "to avoid bans.",
                                        to_ms(admission.banned_until))
                                  : fmt::format(
                                        "Too much request weight used; current limit is {} request weight "
                                        "per 1 MINUTE. Please use WebSocket "
                                        "Streams for live updates to avoid polling the API.",
                                        options_.limits.weight_per_minute);
  HttpResponse response =
      HttpResponse::json(admission.status, fmt::format(R"({{"code":-1003,"msg":"{}"}})", message));
  response.add_header("Retry-After", std::to_string(admission.retry_after));
  return response;
}

HttpResponse Exchange::serve(const HttpRequest& request, Instant at, int weight) {
  const Timestamp leaves = at.wall + options_.latency;
  Admission admission;
  std::optional<FaultPlan::Choice> fault;
  {
    const std::lock_guard lock(mutex_);
    statistics_.weight += weight;
    admission = limiter_.admit(request.peer, weight, at.wall, request.connection);
    if (admission.status != 200) {
      limiter_.tell_to_wait(request.peer, leaves, std::chrono::seconds(admission.retry_after),
                            request.connection);
    } else if ((fault = faults_.next(request.method + request.target))) {
      ++statistics_.faults[static_cast<std::size_t>(fault->fault)];
    }
  }
  HttpResponse response = admission.status == 200 ? rest_.answer(request, at.now) : refuse(admission);
  if (fault) {
    response = spoil(std::move(response), *fault);
    if (response.status == 429 || response.status == 418) {
      const std::int64_t wait = options_.faults.retry_after * (response.status == 418 ? 2 : 1);
      response.add_header("Retry-After", std::to_string(wait));
      const std::lock_guard lock(mutex_);
      limiter_.tell_to_wait(request.peer, leaves, std::chrono::seconds(wait), request.connection);
    }
  }
  response.add_header("x-mbx-used-weight", std::to_string(admission.used_weight));
  response.add_header("x-mbx-used-weight-1m", std::to_string(admission.used_weight));
  return response;
}

HttpResponse Exchange::serve_archive(const HttpRequest& request, Timestamp now) {
  HttpResponse response = archive_.answer(request, now);
  std::optional<FaultPlan::Choice> fault;
  {
    const std::lock_guard lock(mutex_);
    fault = faults_.next(request.method + request.target);
    if (!fault) return response;
    // The archive has no limits to tell anybody of.
    if (fault->fault == Fault::told_to_wait || fault->fault == Fault::banned)
      fault->fault = Fault::unavailable;
    ++statistics_.faults[static_cast<std::size_t>(fault->fault)];
  }
  return spoil(std::move(response), *fault);
}

HttpResponse Exchange::answer(const HttpRequest& request, Instant at) {
  const auto weight = RestApi::weight(request);
  HttpResponse response = weight                        ? serve(request, at, *weight)
                          : Archive::owns(request.path) ? serve_archive(request, at.now)
                                                        : rest_.answer(request, at.now);
  response.delay = options_.latency;
  const std::lock_guard lock(mutex_);
  ++statistics_.requests;
  ++statistics_.paths[counted_as(request, weight.has_value())];
  ++statistics_.statuses[response.status];
  statistics_.bytes += static_cast<std::int64_t>(response.payload().size());
  if (response.status == 429 || response.status == 418) ++statistics_.told_to_wait;
  return response;
}

Statistics Exchange::statistics() const {
  const std::lock_guard lock(mutex_);
  Statistics statistics = statistics_;
  statistics.max_weight_per_minute = limiter_.max_weight();
  statistics.weight_limit = options_.limits.weight_per_minute;
  statistics.requests_while_told_to_wait = limiter_.offences();
  statistics.requests_after_the_order = limiter_.certain_offences();
  statistics.bans = limiter_.bans();
  return statistics;
}

void Exchange::reset_statistics() {
  const std::lock_guard lock(mutex_);
  statistics_ = {};
  limiter_.reset();
  faults_.reset();
}

}  // namespace chandler::sim
