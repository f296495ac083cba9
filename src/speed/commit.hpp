// Storing what the speed layer has seen. Exactly-once rests on three things: joining minutes is idempotent
// (day_minutes.hpp); a stream's position is stored only after everything before it, and in the lake, not at
// the broker; and commits of several processes take turns, each reading what is there before it writes. So a
// kill at any instant, a replay, or a consumer that lost its partitions without noticing can neither lose nor
// double a minute.
#pragma once

#include <functional>
#include <map>

#include "lake/kline_file.hpp"
#include "speed/state.hpp"

namespace chandler::speed {

struct Committed {
  std::size_t files = 0;
  std::size_t added = 0;     // minutes that were not there
  std::size_t replaced = 0;  // by a later event
  std::size_t repeated = 0;  // already there
};

// What is stored of one symbol's day; empty if nothing is.
Result<DayMinutes> read_day(const lake::Storage& storage, const std::string& symbol, Day day);

// Waits for other writers of speed_1m up to a minute (`locked` after that). `give_up` is asked between groups
// of files: interrupted, and the positions stay where they were, so that the same minutes are joined again.
Result<Committed> commit(lake::Storage& storage, const CommitBatch& batch, std::string_view purpose,
                         const std::function<bool()>& give_up = {});

// Both snapshots of one stream as one: the greater position and watermark, the newest open candle of each
// symbol. Candles far behind the watermark are dropped: their stream has ended. Pure.
lake::SpeedSnapshot join(const lake::SpeedSnapshot& stored, const lake::SpeedSnapshot& fresh);

// Where a stream has to be read on: all its events before are in the lake. From its snapshot or, where that
// was lost, from the positions that are stored inside the files of speed_1m; nullopt: it was never read.
struct Resume {
  std::optional<std::int64_t> position;
  std::optional<Timestamp> watermark;
};
Result<Resume> resume(const lake::Storage& storage, std::string_view stream);
// What the files of the whole lake promise; read once, since it takes a look at each of them. What has been
// stored in the meantime is read again, which changes nothing.
using PromisedPositions = std::map<std::string, std::int64_t, std::less<>>;
Result<Resume> resume(const lake::Storage& storage, std::string_view stream,
                      std::optional<PromisedPositions>& promised);

// Key of the metadata that says up to where in which streams a file has seen events: `seen` when it was
// written, `stored` what the whole lake was known to hold then. [{"stream":"klines/0","seen":9,"stored":5}]
inline constexpr const char* kStreamsKey = "chandler.streams";
inline constexpr const char* kEventTimesKey = "chandler.event_times";

}  // namespace chandler::speed
