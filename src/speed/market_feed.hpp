// The market as one queue of events: what the exchange's streams tell, and what they failed to tell, fetched
// by REST. What `produce` publishes and `live` stores.
#pragma once

#include <deque>

#include "exchange/rest_client.hpp"
#include "exchange/stream_client.hpp"
#include "exchange/stream_event.hpp"
#include "lake/storage.hpp"
#include "speed/coverage.hpp"
#include "speed/figures.hpp"

namespace chandler::speed {

struct FeedEvent {
  std::string symbol;
  std::string json;  // the exchange's own event, without a combined stream's wrapping
  bool closed = false;
  bool fetched = false;  // by REST
  Timestamp received;    // the machine's clock
  // No kline of one minute: `json` is the message as it came, `symbol` is empty. Whoever takes it counts it.
  std::optional<Rejection> refused = {};
};

struct FeedOptions {
  std::vector<std::string> symbols;
  exchange::StreamOptions stream;
  std::uint64_t seed = 0;  // of the jitter
  // How far back minutes are fetched that the lake lacks when it starts; older ones are backfill's.
  Millis catch_up = kDay;
  // A minute that no event has told this long after its end is fetched, even if no connection broke.
  Millis grace{90'000};
  // Events that wait to be taken. Sights of open candles are dropped when it is full; closed ones too, and
  // fetched later.
  std::size_t max_queued = 100'000;
  std::size_t max_queued_bytes = 64u << 20;
};

// Minutes of the symbol inside the range that a lake has or has asked for.
Result<RangeSet> known_minutes(const lake::Storage& storage, const std::string& symbol, TimeRange range);

// Klines of one minute of every symbol. take() belongs to one thread.
class MarketFeed {
 public:
  // The lake says what is missing from before. All must outlive the feed. Errors: unreachable (exchange).
  static Result<std::unique_ptr<MarketFeed>> start(FeedOptions options, const lake::Storage& storage,
                                                   exchange::RestClient& rest, Clock& clock, Figures& figures,
                                                   std::stop_token stop);
  ~MarketFeed();

  // Moves what waits into `events` (cleared first), waiting for the first up to `wait`.
  void take(std::vector<FeedEvent>& events, std::chrono::milliseconds wait);
  // The exchange's time as far as it has told.
  Timestamp market_now() const { return from_ms(market_now_ms_.load()); }

 private:
  MarketFeed(FeedOptions options, exchange::RestClient& rest, Clock& clock, Figures& figures);
  Status read_coverage(const lake::Storage& storage);
  void on_message(std::string_view message);
  bool push(FeedEvent event, bool may_wait, std::stop_token stop);
  void catch_up_loop(std::stop_token stop);
  // True if nothing is left to be fetched.
  bool catch_up(const std::string& symbol, Timestamp until, std::stop_token stop);
  bool fetch(const std::string& symbol, TimeRange range, std::stop_token stop);

  FeedOptions options_;
  exchange::RestClient& rest_;
  Clock& clock_;
  Figures& figures_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  exchange::StreamEventParser parser_;  // these are guarded by mutex_
  Coverage coverage_;
  std::deque<FeedEvent> queue_;
  std::size_t queued_bytes_ = 0;
  std::atomic<std::int64_t> market_now_ms_{0};
  std::atomic<bool> gap_{true};  // a connection is new: look at once
  std::unique_ptr<exchange::StreamClient> streams_;
  std::jthread catch_up_;
};

}  // namespace chandler::speed
