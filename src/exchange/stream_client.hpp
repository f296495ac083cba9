// Binance's market streams over as many WebSocket connections as they need, for ever: connections that break
// are opened anew, and each is replaced before the exchange would cut it. Limits and behaviour: Binance spot
// "WebSocket Streams" documentation (24 hours per connection, 1024 streams per connection, 5 messages a
// second from the client, 300 connections per 5 minutes and address).
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "exchange/backoff.hpp"

namespace chandler::exchange {

inline constexpr std::string_view kDefaultStreamUrl = "wss://stream.binance.com:9443";

// btcusdt@kline_1m
std::string stream_name(std::string_view symbol, std::string_view channel);

struct StreamOptions {
  std::string base_url{kDefaultStreamUrl};
  std::vector<std::string> streams;
  std::size_t streams_per_connection = 1000;
  std::size_t streams_per_request = 200;
  // A connection is replaced after this much, less a little that differs between connections.
  std::chrono::milliseconds lifetime = std::chrono::hours{23};
  // The old connection stays for so long after the new one delivers.
  std::chrono::milliseconds overlap{2'000};
  std::chrono::milliseconds silence_limit{45'000};
  RetryPolicy retry{
      .attempts = 0, .base = std::chrono::milliseconds{500}, .cap = std::chrono::milliseconds{30'000}};
  std::string ca_file;  // PEM; empty: the system's
};

// Called on I/O threads, of several connections at once; none may block.
struct StreamCallbacks {
  std::function<void(std::string_view message)> on_message;
  // These streams are subscribed, for the first time or again: what was told before may have been missed,
  // unless the connection was replaced without a gap.
  std::function<void(std::span<const std::string> streams, bool gap)> on_subscribed;
};

struct StreamCounters {
  std::uint64_t connects = 0;
  std::uint64_t disconnects = 0;  // not wanted by us
  std::uint64_t failures = 0;     // attempts that did not become a connection
  std::uint64_t renewals = 0;
  std::size_t open = 0;  // connections now
};

// At most `limit` attempts in any `window`: waits before one that would be too many. Thread safe.
class AttemptLimit {
 public:
  AttemptLimit(Clock& clock, std::size_t limit = 280,
               std::chrono::nanoseconds window = std::chrono::minutes{5})
      : clock_(clock), limit_(limit), window_(window) {}
  // False when stopped.
  bool wait(std::stop_token stop);

 private:
  Clock& clock_;
  std::size_t limit_;
  std::chrono::nanoseconds window_;
  std::mutex mutex_;
  std::deque<std::chrono::nanoseconds> attempts_;
};

class StreamClient {
 public:
  // Starts at once. The clock outlives it.
  StreamClient(StreamOptions options, StreamCallbacks callbacks, Clock& clock, Random random);
  ~StreamClient();  // no callback is running afterwards
  StreamClient(const StreamClient&) = delete;

  // Waits until every connection has been subscribed once. The last failure if that takes longer.
  Status wait_subscribed(std::chrono::milliseconds patience, std::stop_token stop = {});
  StreamCounters counters() const;

 private:
  struct Connection;
  void run(Connection& connection, std::stop_token stop);

  StreamOptions options_;
  StreamCallbacks callbacks_;
  Clock& clock_;
  Backoff backoff_;
  AttemptLimit attempts_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  StreamCounters counters_;
  std::size_t waiting_ = 0;  // connections that were never subscribed
  Error last_failure_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::jthread> threads_;  // last: joined first
};

}  // namespace chandler::exchange
