#include "sim/faults.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace chandler::sim {
namespace {

struct Kind {
  std::string_view name;
  int share;  // of 100
};
constexpr std::array<Kind, kFaultKinds> kKinds{{{"internal_error", 12},
                                                {"bad_gateway", 10},
                                                {"unavailable", 16},
                                                {"html_page", 8},
                                                {"hang", 6},
                                                {"reset", 16},
                                                {"truncate", 12},
                                                {"garbage", 12},
                                                {"told_to_wait", 5},
                                                {"banned", 3}}};

std::string html_page(int status) {
  return fmt::format(
      "<!DOCTYPE html>\n<html><head><title>{0} {1}</title></head>\n<body><h1>{0} {1}</h1><p>The request "
      "could not be "
      "served. Reference {2:016x}.</p></body></html>\n",
      status, net::reason_phrase(status), hash_of(std::to_string(status)));
}

std::string garbled(std::string_view body, Random& random) {
  switch (random.below(3)) {
    case 0:
      return std::string(body.substr(0, body.empty() ? 0 : random.below(body.size())));
    case 1: {
      std::string bytes("\x00\xff<", 3);
      for (auto n = random.below(500); n > 0; --n) bytes += static_cast<char>(random.below(256));
      return bytes;
    }
    default:
      return R"({"unexpected":["nothing",{"of":"the kind"}],"number":-1e999})";
  }
}

}  // namespace

std::string_view name(Fault fault) {
  return kKinds[static_cast<std::size_t>(fault)].name;
}

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

std::optional<FaultPlan::Choice> FaultPlan::next(std::string_view identity) {
  if (options_.rate <= 0) return std::nullopt;
  constexpr std::size_t kRemembered = 1 << 20;
  if (asked_.size() > kRemembered) asked_.clear();
  const std::uint64_t what = hash_of(identity);
  const std::uint32_t time = asked_[what]++;
  Random random(Random(options_.seed ^ what).next() + time);
  random.next();
  if (!random.chance(options_.rate)) return std::nullopt;
  auto drawn = static_cast<int>(random.below(100));
  std::size_t kind = 0;
  while (drawn >= kKinds[kind].share) drawn -= kKinds[kind++].share;
  return Choice{static_cast<Fault>(kind), random.split()};
}

net::HttpResponse spoil(net::HttpResponse response, FaultPlan::Choice choice) {
  using net::HttpResponse;
  switch (choice.fault) {
    case Fault::internal_error:
      return HttpResponse::json(
          500, R"({"code":-1000,"msg":"An unknown error occurred while processing the request."})");
    case Fault::bad_gateway:
      return HttpResponse::text(502, "text/html", html_page(502));
    case Fault::unavailable:
      return HttpResponse::text(503, "text/html", html_page(503));
    case Fault::html_page:
      return HttpResponse::text(200, "text/html", html_page(503));
    case Fault::hang:
      response.delivery = net::Delivery::hang;
      return response;
    case Fault::reset:
      response.delivery = net::Delivery::reset;
      return response;
    case Fault::truncate:
      response.delivery = net::Delivery::truncate;
      response.truncate_after =
          response.payload().empty() ? 0 : choice.random.below(response.payload().size());
      return response;
    case Fault::garbage:
      response.body = garbled(response.payload(), choice.random);
      response.shared_body.reset();
      return response;
    case Fault::told_to_wait:
      return HttpResponse::json(
          429,
          R"({"code":-1003,"msg":"Too many requests queued; please use WebSocket Streams for live updates to avoid polling the API."})");
    case Fault::banned:
      return HttpResponse::json(
          418,
          R"({"code":-1003,"msg":"Way too much request weight used; please use WebSocket Streams for live updates to avoid bans."})");
  }
  return response;
}

}  // namespace chandler::sim
