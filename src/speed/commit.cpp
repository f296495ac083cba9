#include "speed/commit.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "base/parallel.hpp"
#include "lake/catalog.hpp"

namespace chandler::speed {
namespace {

constexpr std::chrono::milliseconds kPatience{60'000};
// Files that are encoded at once, and bytes of them that wait to be written together: one sync serves many,
// and is what a commit of a whole market waits for; memory stays small.
constexpr std::size_t kGroup = 128;
constexpr std::size_t kWrittenTogether = 32u << 20;
// An open candle so far behind its stream will not be heard of again.
constexpr Millis kOpenKept = 2 * kDay;

struct StreamPosition {
  std::int64_t seen = 0;
  std::int64_t stored = 0;
};
using Positions = std::map<std::string, StreamPosition, std::less<>>;

Positions parse_positions(std::string_view text) {
  Positions positions;
  if (text.empty()) return positions;  // simdjson copies the text, also from nowhere
  simdjson::dom::parser parser;
  simdjson::dom::array list;
  if (parser.parse(text.data(), text.size()).get_array().get(list)) return positions;
  for (const simdjson::dom::element item : list) {
    std::string_view stream;
    StreamPosition p;
    if (item["stream"].get(stream) || item["seen"].get(p.seen) || item["stored"].get(p.stored)) continue;
    positions[std::string(stream)] = p;
  }
  return positions;
}

std::string to_text(const Positions& positions) {
  std::string text = "[";
  for (const auto& [stream, p] : positions) {
    fmt::format_to(std::back_inserter(text), R"({}{{"stream":"{}","seen":{},"stored":{}}})",
                   text.size() > 1 ? "," : "", stream, p.seen, p.stored);
  }
  return text + "]";
}

std::string_view text_of(const lake::Metadata& metadata, std::string_view key) {
  const auto it = metadata.find(key);
  return it == metadata.end() ? std::string_view{} : std::string_view(it->second);
}

// One file to be joined: the changes of one symbol's day.
struct DayChanges {
  const std::string* symbol;
  Day day;
  std::span<const StoredMinute> changes;
};

std::vector<DayChanges> cut_by_day(const CommitBatch& batch) {
  std::vector<DayChanges> days;
  for (const SymbolChanges& symbol : batch.symbols) {
    const std::span<const StoredMinute> all = symbol.closed;
    for (std::size_t first = 0; first < all.size();) {
      const Day day = day_of(from_ms(all[first].kline.open_time));
      std::size_t last = first + 1;
      while (last < all.size() && all[last].kline.open_time < to_ms(end_of(day))) ++last;
      days.push_back({&symbol.symbol, day, all.subspan(first, last - first)});
      first = last;
    }
  }
  return days;
}

Result<DayMinutes> minutes_of(lake::KlineFile file, const std::string& where) {
  DayMinutes minutes;
  minutes.rows = std::move(file.rows);
  const auto found = file.metadata.find(kEventTimesKey);
  if (found == file.metadata.end()) {
    // Written by something else: every event is later.
    for (const std::int64_t t : minutes.rows.open_time) minutes.event_times.push_back(t);
    return minutes;
  }
  auto times = decode_event_times(found->second, minutes.rows);
  if (!times)
    return fail(ErrorCode::damaged, times.error().what, where,
                "move the file away; its minutes come again by backfill");
  minutes.event_times = std::move(*times);
  return minutes;
}

// The file with the changes joined in; none if they change nothing.
Result<std::optional<lake::PendingFile>> joined_file(const lake::Storage& storage, const DayChanges& day,
                                                     const Positions& moved, Committed& counts) {
  const auto partition = lake::speed_partition(*day.symbol, day.day);
  CHANDLER_ASSIGN(auto file, lake::read_kline_file(storage, partition));
  Positions positions = parse_positions(text_of(file.metadata, kStreamsKey));
  CHANDLER_ASSIGN(const DayMinutes stored, minutes_of(std::move(file), lake::path_of(partition)));
  const Joined joined = join(stored, day.changes);
  counts.added = joined.added;
  counts.replaced = joined.replaced;
  counts.repeated = day.changes.size() - joined.added - joined.replaced;
  if (!joined.changed()) return std::nullopt;
  for (const auto& [stream, p] : moved) {
    StreamPosition& here = positions[stream];
    here.seen = std::max(here.seen, p.seen);
    here.stored = std::max(here.stored, p.stored);
  }
  lake::Metadata extra;
  extra[kStreamsKey] = to_text(positions);
  extra[kEventTimesKey] = encode_event_times(joined.minutes);
  CHANDLER_ASSIGN(auto pending, lake::kline_file(partition, joined.minutes.rows, {}, extra));
  return std::optional(std::move(pending));
}

Result<Committed> store_days(lake::Storage& storage, std::span<const DayChanges> days, const Positions& moved,
                             const std::function<bool()>& give_up) {
  Committed total;
  std::vector<lake::PendingFile> changed;
  std::size_t bytes = 0;
  for (std::size_t first = 0; first < days.size(); first += kGroup) {
    if (give_up && give_up()) {
      return fail(ErrorCode::interrupted,
                  "there was no time to store everything; what is not stored comes again", storage.uri());
    }
    const auto group = days.subspan(first, std::min(kGroup, days.size() - first));
    std::vector<std::optional<lake::PendingFile>> files(group.size());
    std::vector<Committed> counts(group.size());
    CHANDLER_TRY(parallel_for(group.size(), storage.concurrency(), [&](std::size_t i) -> Status {
      CHANDLER_ASSIGN(files[i], joined_file(storage, group[i], moved, counts[i]));
      return {};
    }));
    for (auto& file : files) {
      if (!file) continue;
      bytes += file->size();
      ++total.files;
      changed.push_back(std::move(*file));
    }
    if (bytes >= kWrittenTogether || first + kGroup >= days.size()) {
      CHANDLER_TRY(storage.replace(changed));
      changed.clear();
      bytes = 0;
    }
    for (const Committed& c : counts) {
      total.added += c.added;
      total.replaced += c.replaced;
      total.repeated += c.repeated;
    }
  }
  return total;
}

// An open candle of a minute that this batch closes is no longer open.
void drop_closed(std::vector<lake::OpenCandle>& open, const CommitBatch& batch) {
  std::erase_if(open, [&](const lake::OpenCandle& candle) {
    const auto it = std::ranges::lower_bound(batch.symbols, candle.symbol, {}, &SymbolChanges::symbol);
    return it != batch.symbols.end() && it->symbol == candle.symbol &&
           it->closed.back().kline.open_time >= candle.kline.open_time;
  });
}

Result<PromisedPositions> promised_positions(const lake::Storage& storage) {
  constexpr lake::Table kSpeed[] = {lake::Table::speed_1m};
  CHANDLER_ASSIGN(const auto symbols, lake::symbols_of(storage, kSpeed));
  PromisedPositions promised;
  std::mutex mutex;
  CHANDLER_TRY(parallel_for(symbols.size(), storage.concurrency(), [&](std::size_t i) -> Status {
    CHANDLER_ASSIGN(const auto partitions, lake::partitions_of(storage, lake::Table::speed_1m, symbols[i]));
    for (const auto& partition : partitions) {
      CHANDLER_ASSIGN(const auto file, lake::open_partition_footer(storage, partition));
      const Positions positions = parse_positions(text_of(file.metadata(), kStreamsKey));
      const std::lock_guard lock(mutex);
      for (const auto& [stream, p] : positions) {
        if (p.stored > 0) promised[stream] = std::max(promised[stream], p.stored);
      }
    }
    return {};
  }));
  return promised;
}

}  // namespace

Result<DayMinutes> read_day(const lake::Storage& storage, const std::string& symbol, Day day) {
  const auto partition = lake::speed_partition(symbol, day);
  CHANDLER_ASSIGN(auto file, lake::read_kline_file(storage, partition));
  return minutes_of(std::move(file), lake::path_of(partition));
}

lake::SpeedSnapshot join(const lake::SpeedSnapshot& stored, const lake::SpeedSnapshot& fresh) {
  lake::SpeedSnapshot both;
  both.stream = fresh.stream;
  both.position = std::max(stored.position, fresh.position);
  both.watermark = std::max(stored.watermark, fresh.watermark);
  std::map<std::string_view, const lake::OpenCandle*> newest;
  for (const auto* snapshot : {&stored, &fresh}) {
    for (const lake::OpenCandle& candle : snapshot->open) {
      const auto [it, added] = newest.try_emplace(candle.symbol, &candle);
      const auto age = [](const lake::OpenCandle& c) { return std::pair(c.kline.open_time, c.event_time); };
      if (!added && age(candle) >= age(*it->second)) it->second = &candle;
    }
  }
  for (const auto& [symbol, candle] : newest) {
    const bool ended = both.watermark && from_ms(candle->kline.open_time) + kOpenKept < *both.watermark;
    if (!ended) both.open.push_back(*candle);
  }
  return both;
}

Result<Committed> commit(lake::Storage& storage, const CommitBatch& batch, std::string_view purpose,
                         const std::function<bool()>& give_up) {
  CHANDLER_ASSIGN(const auto lock, storage.lock_for_writing(purpose, lake::TableGroup::speed, kPatience));
  Positions moved;
  std::vector<lake::SpeedSnapshot> stored;
  for (const auto& fresh : batch.snapshots) {
    CHANDLER_ASSIGN(auto snapshot, lake::read_snapshot(storage, fresh.stream));
    stored.push_back(snapshot.value_or(lake::SpeedSnapshot{}));
    if (fresh.position) moved[fresh.stream] = {*fresh.position, stored.back().position.value_or(0)};
  }
  const auto days = cut_by_day(batch);
  CHANDLER_ASSIGN(Committed committed, store_days(storage, days, moved, give_up));
  // Positions last: they promise that all before them is stored.
  for (std::size_t i = 0; i < batch.snapshots.size(); ++i) {
    lake::SpeedSnapshot snapshot = join(stored[i], batch.snapshots[i]);
    drop_closed(snapshot.open, batch);
    CHANDLER_TRY(storage.replace_text(lake::snapshot_path(snapshot.stream), lake::to_text(snapshot)));
    ++committed.files;
  }
  return committed;
}

Result<Resume> resume(const lake::Storage& storage, std::string_view stream) {
  std::optional<PromisedPositions> promised;
  return resume(storage, stream, promised);
}

Result<Resume> resume(const lake::Storage& storage, std::string_view stream,
                      std::optional<PromisedPositions>& promised) {
  CHANDLER_ASSIGN(const auto snapshot, lake::read_snapshot(storage, stream));
  if (snapshot) return Resume{snapshot->position, snapshot->watermark};
  if (!promised) {
    CHANDLER_ASSIGN(promised, promised_positions(storage));
  }
  Resume found;
  if (const auto it = promised->find(stream); it != promised->end()) found.position = it->second;
  return found;
}

}  // namespace chandler::speed
