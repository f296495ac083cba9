// From raw messages to speed_1m: parse, upsert, commit. What `consume` feeds from Kafka and `live` from a
// WebSocket. Messages are taken on the caller's thread; a commit is written on another one meanwhile.
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <set>
#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "exchange/stream_event.hpp"
#include "speed/commit.hpp"
#include "speed/dead_letters.hpp"
#include "speed/figures.hpp"

namespace chandler::speed {

struct PipelineOptions {
  std::string purpose = "live";  // what others are told who wait for the lake
  Millis trigger{10'000};        // a commit this long after the last one …
  // … or from half of that on, as soon as closed minutes wait and no more come: all candles of a market close
  // at the same instant, and a commit right after it is worth more than one at any other time.
  Millis settled{500};
  std::size_t commit_minutes = 400'000;  // … or when so many closed minutes wait
  Millis lateness{3'600'000};
  std::stop_token stop = {};                   // once requested, flush() does not try for long
  std::set<std::string, std::less<>> symbols;  // none: every symbol is welcome
};

inline PipelineOptions stopped_by(PipelineOptions options, std::stop_token stop) {
  options.stop = std::move(stop);
  return options;
}

// A message as it came. stream: what Pipeline::open_stream gave.
struct RawMessage {
  std::size_t stream = 0;
  std::int64_t offset = -1;  // -1: the stream has none
  std::string_view key;      // empty: none
  std::string_view payload;
  std::optional<Timestamp> received = {};  // from the exchange, by the machine's clock
};

// Not thread safe but for figures().
class Pipeline {
 public:
  // All must outlive it.
  Pipeline(lake::Storage& storage, Clock& clock, DeadLetters& dead_letters, Figures& figures,
           PipelineOptions options);
  ~Pipeline();

  struct Stream {
    std::size_t index = 0;
    std::optional<std::int64_t> position;  // where to read on; nullopt: it was never read
  };
  // Asks the lake where the stream stopped.
  Result<Stream> open_stream(const std::string& name);
  // Stores what is pending before another process goes on with the streams.
  Status close_streams(std::span<const std::size_t> indices);

  // Errors: the dead letters cannot be written.
  Status take(const RawMessage& message);
  // To be called often. Starts a commit when one is due and looks after the last one; a commit that failed is
  // tried again with the next, and is an error only after `max_failures` in a row.
  Status tick();
  // Stores everything, waiting for it. After a stop it takes no more than a moment and fails with the reason,
  // or as interrupted: what is not stored then is read or fetched again by whoever goes on.
  Status flush();

  // True when so much waits for a commit that no more should be read.
  bool is_full() const { return state_.pending_minutes() >= options_.commit_minutes * 2; }
  const State& state() const { return state_; }
  // The offset before which all of the stream is stored; nullopt until something was.
  std::optional<std::int64_t> stored_position(std::size_t stream) const;
  // Days that have been touched since the last call: symbol and day.
  std::set<std::pair<std::string, Day>> take_touched() { return std::exchange(touched_, {}); }

 private:
  Status reject(const RawMessage& message, Rejection why);
  std::optional<Rejection> fault_of(const RawMessage& message, exchange::EventKind kind) const;
  // Too long ago a stop was requested.
  bool time_is_up() const;
  void start_commit();
  Status finish_commit();
  void note_received(Timestamp at);
  void note_touched(const CommitBatch& batch);

  lake::Storage& storage_;
  Clock& clock_;
  DeadLetters& dead_letters_;
  Figures& figures_;
  PipelineOptions options_;
  exchange::StreamEventParser parser_;
  State state_;
  std::vector<std::string> stream_names_;
  std::vector<std::optional<std::int64_t>> stored_positions_;
  std::optional<PromisedPositions> promised_;
  std::shared_ptr<const CommitBatch> in_flight_;
  std::future<Result<Committed>> committing_;
  // When the closed minutes came that are not stored, runs of one instant together.
  using Arrivals = std::vector<std::pair<Timestamp, std::uint64_t>>;
  Arrivals arrivals_, arrivals_in_flight_;
  std::chrono::nanoseconds last_commit_;
  std::chrono::nanoseconds last_closed_{0};  // when the newest closed minute came
  std::int64_t latest_plausible_ms_ = 0;
  int failures_ = 0;  // in a row
  Error failure_;     // the last one
  RejectionLog rejections_;
  std::set<std::pair<std::string, Day>> touched_;
  std::atomic<std::chrono::nanoseconds::rep> stopped_at_;
  std::stop_callback<std::function<void()>> on_stop_;  // last: it uses the others
};

}  // namespace chandler::speed
