// What the speed layer knows beyond closed minutes: per stream of events (a partition of a topic, or a live
// connection) one small JSON file speed_1m/_open/<stream>.json with the position up to which all events are
// stored, the watermark, and the candles that are still open. Its name begins with '_', so readers of Hive
// partitions pass it over.
//
// Its last member is the digest (XXH3-128) of all bytes before it, so that a changed digit of a position or a
// price is found. Files from before there was one have none, and nothing else may be in them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "candles/klines.hpp"
#include "lake/storage.hpp"

namespace chandler::lake {

// A candle before its end, as last seen.
struct OpenCandle {
  std::string symbol;
  Timestamp event_time;
  candles::Kline kline;
};

struct SpeedSnapshot {
  std::string stream;                    // "klines/0" for partition 0 of topic klines, "live"
  std::optional<std::int64_t> position;  // the next offset to be read; none where a stream has no offsets
  std::optional<Timestamp> watermark;    // no event before it is expected any more
  std::vector<OpenCandle> open;          // sorted by symbol, at most one each
};

std::string snapshot_path(std::string_view stream);
bool is_snapshot(std::string_view path);
// nullopt if there is none. damaged if it is not what write_text would write.
Result<std::optional<SpeedSnapshot>> read_snapshot(const Storage& storage, std::string_view stream);
// Of all streams, sorted by stream. With a symbol, `open` holds only that symbol's candle.
Result<std::vector<SpeedSnapshot>> read_snapshots(const Storage& storage, std::string_view symbol = {});

std::string to_text(const SpeedSnapshot& snapshot);
Result<SpeedSnapshot> parse_snapshot(std::string_view text, std::string_view symbol = {});

}  // namespace chandler::lake
