#include "web/front.hpp"

#include <fmt/format.h>

#include "lake/metadata.hpp"
#include "web/compress.hpp"

namespace chandler::web {
namespace {

constexpr std::size_t kWorthCompressing = 1024;
constexpr int kQuickCompression = 1;
constexpr std::size_t kWorthAFile = 16 << 10;

bool is_text(std::string_view type) {
  return type.starts_with("text/") || type.starts_with("application/json") ||
         type.starts_with("application/openapi");
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool matches_etag(std::string_view if_none_match, std::string_view etag) {
  while (!if_none_match.empty()) {
    const std::size_t comma = if_none_match.find(',');
    std::string_view item = trimmed(if_none_match.substr(0, comma));
    if_none_match = comma == std::string_view::npos ? std::string_view{} : if_none_match.substr(comma + 1);
    if (item.starts_with("W/")) item.remove_prefix(2);
    if (item == "*" || item == etag) return true;
  }
  return false;
}

CachedResponse encode(const Answer& answer, bool may_gzip) {
  CachedResponse encoded;
  lake::Digest digest;
  digest.add(std::string_view(answer.body));
  const bool compressible = is_text(answer.type) && answer.body.size() >= kWorthCompressing;
  const bool compress = may_gzip && compressible;
  encoded.etag = fmt::format("\"{}{}\"", digest.hex(), compress ? "-gzip" : "");
  encoded.freshness = answer.freshness;
  std::string body = compress ? gzip(answer.body, kQuickCompression) : answer.body;
  if (body.size() >= kWorthAFile && answer.freshness.kind != Freshness::Kind::never)
    encoded.file = net::MemoryFile::make(body);
  if (!encoded.file) encoded.body = std::make_shared<const std::string>(std::move(body));

  net::HttpResponse head;
  head.add_header("Content-Type", answer.type);
  head.add_header("Cache-Control", answer.status == 200 ? "no-cache" : "no-store");
  if (answer.status == 200) head.add_header("ETag", encoded.etag);
  if (compressible) head.add_header("Vary", "Accept-Encoding");
  if (compress) head.add_header("Content-Encoding", "gzip");
  if (!answer.file_name.empty()) {
    head.add_header("Content-Disposition", fmt::format("attachment; filename=\"{}\"", answer.file_name));
  }
  head.headers += answer.headers;
  head.headers += common_headers();
  encoded.headers = std::make_shared<const std::string>(std::move(head.headers));
  return encoded;
}

Front::Front(FrontOptions options, const LakeWatch& watch, WorkPool& pool, const Clock& clock)
    : options_(std::move(options)), watch_(watch), pool_(pool), clock_(clock), cache_(options_.cache_bytes) {}

void Front::add(std::string path, Handle handle) {
  Endpoint& endpoint = endpoints_[path];
  endpoint.path = std::move(path);
  endpoint.handle = std::move(handle);
}

void Front::add_stream(std::string path, StreamHandle handle) {
  Endpoint& endpoint = endpoints_[path];
  endpoint.path = std::move(path);
  endpoint.stream = std::move(handle);
}

void Front::Endpoint::count(int status) {
  auto& counter = status == 304 ? not_modified : status < 400 ? ok : status < 500 ? refused : failed;
  counter.fetch_add(1, std::memory_order_relaxed);
}

void Front::answer(const net::HttpRequest& request, net::Responder responder) {
  if (auto refused = refusal(options_.access, request)) return responder.send(std::move(*refused));
  const auto it = endpoints_.find(request.path);
  if (it == endpoints_.end()) {
    for (const InstantHandle& handle : instant_) {
      if (auto response = handle(request)) return responder.send(std::move(*response));
    }
    const CachedResponse none =
        encode(error_answer(404, "not_found", "there is nothing at this address", "see /api/v1/openapi.json"),
               false);
    return responder.send(respond_with(none, 404, {}));
  }
  Endpoint& endpoint = it->second;
  if (endpoint.stream) {
    endpoint.count(200);
    return endpoint.stream(request, std::move(responder));
  }
  const bool gzip = accepts_gzip(request.header("accept-encoding"));
  std::string key;
  key.reserve(request.target.size() + 1);
  key.append(1, gzip ? 'z' : 'p').append(request.target);
  // The one header that changes what is answered; a space is in no target.
  if (const auto unit = request.header("x-mbx-time-unit"); !unit.empty()) key.append(1, ' ').append(unit);
  if (const auto cached = cache_.find(key); cached && is_fresh(*cached)) {
    auto response = respond_with(*cached, 200, request.header("if-none-match"));
    endpoint.count(response.status);
    return responder.send(std::move(response));
  }
  make(endpoint, std::move(key), gzip, request, std::move(responder));
}

net::HttpResponse Front::respond_with(const CachedResponse& cached, int status,
                                      std::string_view if_none_match) {
  net::HttpResponse response;
  response.headers = *cached.headers;
  if (status == 200 && !if_none_match.empty() && matches_etag(if_none_match, cached.etag)) {
    response.status = 304;
    return response;
  }
  response.status = status;
  response.shared_body = cached.body;
  response.file = cached.file;
  return response;
}

std::uint64_t Front::generation_of(const Freshness& freshness, const LakeListing& listing) const {
  if (freshness.kind == Freshness::Kind::lake) return listing.generation;
  if (freshness.kind != Freshness::Kind::symbol) return 0;
  const SymbolFiles* files = listing.find(freshness.symbol);
  return files != nullptr ? files->generation() : 0;
}

bool Front::is_fresh(const CachedResponse& cached) const {
  const Freshness& freshness = cached.freshness;
  if (freshness.at_most.count() > 0 && clock_.steady() - cached.made_at > freshness.at_most) return false;
  return generation_of(freshness, *watch_.now()) == cached.generation;
}

void Front::make(Endpoint& endpoint, std::string key, bool gzip, const net::HttpRequest& request,
                 net::Responder responder) {
  {
    const std::lock_guard lock(mutex_);
    auto& waiters = waiting_[key];
    waiters.push_back({std::move(responder), std::string(request.header("if-none-match"))});
    if (waiters.size() > 1) return;  // somebody makes it already
  }
  const bool accepted = pool_.submit([this, &endpoint, key, gzip, request] {
    // Taken before the files are read: what changes meanwhile makes the answer old, never wrongly new.
    const ListingPtr listing = watch_.now();
    const auto begin = clock_.steady();
    Answer answer;
    try {
      answer = endpoint.handle(request);
    } catch (const std::exception& e) {
      answer = error_answer(500, "internal", e.what(), "this is a defect of chandler; please report it");
    }
    CachedResponse response = encode(answer, gzip);
    endpoint.made.fetch_add(1, std::memory_order_relaxed);
    endpoint.making_ns.fetch_add(static_cast<std::uint64_t>((clock_.steady() - begin).count()),
                                 std::memory_order_relaxed);
    response.generation = generation_of(answer.freshness, *listing);
    response.made_at = begin;
    if (answer.status == 200 && answer.freshness.kind != Freshness::Kind::never) cache_.store(key, response);
    finish(endpoint, key, answer.status, response);
  });
  if (accepted) return;
  const CachedResponse busy =
      encode(error_answer(503, "overloaded", "too many requests wait already", "try again"), false);
  finish(endpoint, key, 503, busy);
}

void Front::finish(Endpoint& endpoint, const std::string& key, int status, const CachedResponse& response) {
  std::vector<Waiter> waiters;
  {
    const std::lock_guard lock(mutex_);
    const auto it = waiting_.find(key);
    if (it == waiting_.end()) return;
    waiters = std::move(it->second);
    waiting_.erase(it);
  }
  for (Waiter& waiter : waiters) {
    auto one = respond_with(response, status, waiter.if_none_match);
    if (status == 503) one.add_header("Retry-After", "1");
    endpoint.count(one.status);
    waiter.responder.send(std::move(one));
  }
}

std::vector<EndpointCounts> Front::counts() const {
  std::vector<EndpointCounts> all;
  for (const auto& [path, e] : endpoints_) {
    all.push_back({path, e.ok, e.not_modified, e.refused, e.failed,
                   static_cast<double>(e.making_ns.load()) * 1e-9, e.made});
  }
  return all;
}

}  // namespace chandler::web
