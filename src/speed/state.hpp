// What the speed layer has seen since its last commit, and what a commit has to store. Pure: events in, rows
// out, no clock. Memory is bounded by the closed minutes of one commit and one open candle per symbol.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lake/speed_snapshot.hpp"
#include "speed/day_minutes.hpp"

namespace chandler::speed {

struct MinuteEvent {
  std::string_view symbol;
  std::int64_t event_time = 0;  // ms
  bool closed = false;
  candles::Kline kline;
};

enum class Effect : std::uint8_t {
  closed_minute,  // a closed minute that is new, or replaces one of an earlier event
  open_minute,    // the newest sight of a candle that is not closed
  repeated,       // nothing new: a duplicate, an older event, an open candle of a minute that is closed
};

struct Applied {
  Effect effect = Effect::repeated;
  bool late = false;  // the event's time lies before the watermark of its stream
};

// Closed minutes of one symbol, in order of time.
struct SymbolChanges {
  std::string symbol;
  std::vector<StoredMinute> closed;
};

// All that one commit stores.
struct CommitBatch {
  std::vector<SymbolChanges> symbols;          // sorted by symbol
  std::vector<lake::SpeedSnapshot> snapshots;  // of the streams that have moved
  std::size_t minutes = 0;

  bool empty() const { return symbols.empty() && snapshots.empty(); }
};

struct SymbolView {
  std::string symbol;
  double price = 0;             // close of the newest event
  std::int64_t event_time = 0;  // of the newest event
  std::uint64_t messages = 0;
  std::optional<std::int64_t> open_minute;
};

// Not thread safe.
class State {
 public:
  // lateness: how far the watermark of a stream lies behind its newest event.
  explicit State(Millis lateness) : lateness_(lateness) {}

  // A partition of a topic or a live connection; events of one stream share a position and a watermark.
  // Returns its index. Asking again for a name gives the same index.
  std::size_t add_stream(std::string name, std::optional<std::int64_t> position,
                         std::optional<Timestamp> watermark);
  // The stream has gone to another process: it no longer holds the watermark back.
  void end_stream(std::size_t stream) { streams_[stream].newest_event.reset(); }
  Applied apply(std::size_t stream, const MinuteEvent& event);
  // All events before this offset of the stream have been applied or put aside.
  void advance(std::size_t stream, std::int64_t next_offset) {
    streams_[stream].position = next_offset;
    streams_[stream].moved = true;
  }

  std::optional<Timestamp> watermark(std::size_t stream) const;
  // The least of the streams that have one: days that end before it are closed.
  std::optional<Timestamp> watermark() const;
  std::size_t pending_minutes() const { return pending_; }
  bool has_changes() const;

  // Hands over what has to be stored.
  CommitBatch take();
  // Takes back a batch that could not be stored; the next one will contain it.
  void put_back(CommitBatch batch);

  std::vector<SymbolView> view() const;  // sorted by symbol

 private:
  struct Stream {
    std::string name;
    std::optional<std::int64_t> position;
    std::optional<std::int64_t> newest_event;
    bool moved = false;
  };
  struct Symbol {
    std::string name;
    std::vector<StoredMinute> closed;  // sorted by open time
    std::optional<StoredMinute> open;
    bool open_moved = false;
    std::size_t stream = 0;
    std::optional<std::int64_t> last_closed;
    double price = 0;
    std::int64_t newest_event = 0;
    std::uint64_t messages = 0;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  Symbol& symbol_of(std::string_view name);
  bool add_closed(Symbol& symbol, const StoredMinute& minute);
  static bool add_open(Symbol& symbol, const StoredMinute& minute);

  Millis lateness_;
  std::vector<Stream> streams_;
  std::unordered_map<std::string, std::unique_ptr<Symbol>, Hash, std::equal_to<>> symbols_;
  Symbol* last_symbol_ = nullptr;  // events of a symbol come in runs
  std::size_t pending_ = 0;
};

}  // namespace chandler::speed
