// Between the HTTP server and the handlers: access, cache, compression, ETags, one making of an answer for
// all who wait for it, metrics.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "net/http_server.hpp"
#include "web/access.hpp"
#include "web/answer.hpp"
#include "web/lake_watch.hpp"
#include "web/response_cache.hpp"
#include "web/work_pool.hpp"

namespace chandler::web {

// May block; called on a thread of the pool.
using Handle = std::function<Answer(const net::HttpRequest&)>;
// Must not block; called on an I/O thread.
using StreamHandle = std::function<void(const net::HttpRequest&, net::Responder)>;
// Answers at once what is in memory (assets); nothing if it does not know the path.
using InstantHandle = std::function<std::optional<net::HttpResponse>(const net::HttpRequest&)>;

struct EndpointCounts {
  std::string path;
  std::uint64_t ok = 0, not_modified = 0, refused = 0, failed = 0;  // by status: 2xx, 304, 4xx, 5xx
  double making_seconds = 0;                                        // spent in the handler
  std::uint64_t made = 0;                                           // how often the handler ran
};

struct FrontOptions {
  AccessRules access;
  std::size_t cache_bytes = 96 << 20;
  std::size_t max_waiting = 512;  // requests that wait for a thread; more are answered 503
};

// Thread safe once all routes are added.
class Front {
 public:
  Front(FrontOptions options, const LakeWatch& watch, WorkPool& pool, const Clock& clock);

  void add(std::string path, Handle handle);
  void add_stream(std::string path, StreamHandle handle);
  void add_instant(InstantHandle handle) { instant_.push_back(std::move(handle)); }

  void answer(const net::HttpRequest& request, net::Responder responder);

  std::vector<EndpointCounts> counts() const;
  ResponseCache::Counts cache_counts() { return cache_.counts(); }

 private:
  struct Endpoint {
    std::string path;
    Handle handle;
    StreamHandle stream;
    std::atomic<std::uint64_t> ok{0}, not_modified{0}, refused{0}, failed{0}, made{0}, making_ns{0};
    void count(int status);
  };
  struct Waiter {
    net::Responder responder;
    std::string if_none_match;
  };

  bool is_fresh(const CachedResponse& cached) const;
  std::uint64_t generation_of(const Freshness& freshness, const LakeListing& listing) const;
  void make(Endpoint& endpoint, std::string key, bool gzip, const net::HttpRequest& request,
            net::Responder responder);
  void finish(Endpoint& endpoint, const std::string& key, int status, const CachedResponse& response);
  static net::HttpResponse respond_with(const CachedResponse& cached, int status,
                                        std::string_view if_none_match);

  FrontOptions options_;
  const LakeWatch& watch_;
  WorkPool& pool_;
  const Clock& clock_;
  ResponseCache cache_;
  std::map<std::string, Endpoint, std::less<>> endpoints_;
  std::vector<InstantHandle> instant_;
  std::mutex mutex_;
  std::map<std::string, std::vector<Waiter>> waiting_;  // by cache key, for answers being made
};

// As an answer leaves: type, ETag, compression where `may_gzip` and it pays.
CachedResponse encode(const Answer& answer, bool may_gzip);
// Whether an If-None-Match header names this ETag (RFC 9110 §13.1.2: weak comparison).
bool matches_etag(std::string_view if_none_match, std::string_view etag);

}  // namespace chandler::web
