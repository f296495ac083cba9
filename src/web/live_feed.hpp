// Server-sent events: candles that move, and the news that the lake has changed.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "net/http_server.hpp"
#include "web/sources.hpp"
#include "web/work_pool.hpp"

namespace chandler::web {

// The parameters of /api/v1/live.
std::vector<Param> live_params();

// Thread safe.
class LiveFeed {
 public:
  LiveFeed(const Sources& sources, LakeWatch& watch, WorkPool& pool, std::size_t max_listeners);
  ~LiveFeed();
  LiveFeed(const LiveFeed&) = delete;
  LiveFeed& operator=(const LiveFeed&) = delete;

  // Answers with a stream of events. With a symbol: `candle`, the last two candles of the interval as
  // /api/v1/candles writes them, at once and after each change; `gone` when the symbol leaves the lake.
  // Always: `lake` with the lake's generation after each change, and a comment every 15 s, so that both sides
  // know that the other lives.
  void listen(const net::HttpRequest& request, net::Responder responder);
  std::size_t listeners() const;

 private:
  struct Listener {
    std::shared_ptr<net::BodyStream> stream;
    std::string symbol;  // empty: the lake only
    candles::Interval interval = candles::Interval::m1;
    std::atomic<std::uint64_t> sent{0};  // generation of the symbol's files that was sent last
  };
  using ListenerPtr = std::shared_ptr<Listener>;

  std::vector<ListenerPtr> open_listeners();
  void tell(const ListingPtr& listing);
  void send_candles(const ListenerPtr& listener, const LakeListing& listing);

  const Sources& sources_;
  WorkPool& pool_;
  std::size_t max_listeners_;
  mutable std::mutex mutex_;
  std::vector<ListenerPtr> listeners_;
  std::jthread heart_;
};

}  // namespace chandler::web
