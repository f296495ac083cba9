// The five requests that a lake needs of an object store, each with a deadline, tried again with growing,
// jittered pauses, and with errors that say what to do.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <stop_token>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "http/transport.hpp"
#include "s3/reply_xml.hpp"
#include "s3/settings.hpp"

namespace chandler::s3 {

struct RetryPolicy {
  std::chrono::nanoseconds deadline{std::chrono::seconds{60}};  // of one operation, pauses included
  int attempts = 10;
  int connect_attempts = 4;  // without a connection; nothing is lost by giving up soon
  std::chrono::milliseconds base{100};
  std::chrono::milliseconds cap{5000};
  // What is under way, or begun, after the program was asked to stop.
  std::chrono::nanoseconds grace{std::chrono::seconds{3}};
};

struct Object {
  std::string bytes;      // the whole object or its end
  std::int64_t size = 0;  // of the whole object
  std::string etag;
  // How long ago the object was written, by the store's own clock; whole seconds.
  std::optional<std::chrono::seconds> age;
};

struct Listing {
  std::vector<ListedObject> objects;  // as the store sorts them: by their bytes
  std::vector<std::string> prefixes;
};

// What a write needs to be true. At most one of them.
struct Condition {
  bool absent = false;    // no such object
  std::string etag = {};  // the object is the one with this tag
};

// Thread safe. Errors: not_found (object), unreachable (bucket, credentials, network, the store's own), usage
// (what the store cannot do).
class Client {
 public:
  Client(Settings settings, std::string bucket, std::unique_ptr<http::Transport> transport, Clock& clock,
         Random random, RetryPolicy policy = {}, std::stop_token stop = {});

  // All objects whose keys begin with the prefix; with a delimiter, only those without it in the rest of the
  // key, and the prefixes of the others. One request for each thousand of them.
  Result<Listing> list(const std::string& prefix, std::string_view delimiter = {});
  // One request. `last` bytes at most, from the object's end; all if not given. If `etag` is not empty, only
  // that version: not_found if there is another now.
  Result<Object> get(const std::string& key, std::optional<std::int64_t> last = {},
                     const std::string& etag = {});
  // The new object's tag; none if the condition did not hold. The store checks a SHA-256 of what arrives.
  // Given up when `until` (steady time of the clock) comes.
  Result<std::optional<std::string>> put(const std::string& key, std::string_view bytes,
                                         const Condition& condition = {},
                                         std::chrono::nanoseconds until = std::chrono::nanoseconds::max());
  // Not an error if it is not there (or, with a tag, is another one).
  Status remove(const std::string& key, const std::string& etag = {});

  const Settings& settings() const { return settings_; }

 private:
  struct Ask;
  http::Request request_of(const Ask& ask) const;
  Result<http::Reply> send(const Ask& ask);
  std::chrono::nanoseconds time_left(std::chrono::nanoseconds until) const;
  std::chrono::nanoseconds pause(int failures);
  std::string where(std::string_view key) const;
  Error error_of(const http::Reply& reply, std::string_view key) const;
  Error error_of(const http::Failure& failure) const;

  Settings settings_;
  std::string bucket_;
  std::unique_ptr<http::Transport> transport_;
  Clock& clock_;
  RetryPolicy policy_;
  std::mutex mutex_;
  Random random_;  // guarded by mutex_
  std::stop_token stop_;
  std::atomic<std::int64_t> stopped_at_;  // steady nanoseconds
  std::stop_callback<std::function<void()>> on_stop_;
};

}  // namespace chandler::s3
