#include "web/lake_watch.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "lake/speed_snapshot.hpp"

namespace chandler::web {
namespace {

using lake::Table;

// A look may cost one part in this many of the time.
constexpr int kShareOfTime = 20;
constexpr std::string_view kForecasts = "forecasts/";
constexpr std::string_view kSnapshots = "speed_1m/_open/";

std::uint64_t mixed(std::uint64_t seed, std::uint64_t value) {
  std::uint64_t z = seed * 0x9e3779b97f4a7c15ULL + value;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

// A file of the listing and what tells that it has been replaced.
struct SeenFile {
  std::string path;
  std::int64_t bytes = 0;
  std::uint64_t version = 0;
};

std::uint64_t mixed(std::uint64_t seed, const SeenFile& file) {
  seed = mixed(seed, std::hash<std::string>{}(file.path));
  return mixed(mixed(seed, static_cast<std::uint64_t>(file.bytes)), file.version);
}

// The folder of a lake on a disk; nothing for an object store.
std::optional<std::string> local_root(const std::string& uri) {
  constexpr std::string_view kScheme = "file://";
  if (uri.starts_with(kScheme)) return uri.substr(kScheme.size());
  return uri.find("://") == std::string::npos ? std::optional(uri) : std::nullopt;
}

// On a disk from inode and modification time: a replaced file is another inode, or, where the number is used
// again, a later one. An object store's listing says it.
Result<std::vector<SeenFile>> look_at(const lake::Storage& storage, std::string_view folder) {
  CHANDLER_ASSIGN(const auto files, storage.list(folder));
  const auto root = local_root(storage.uri());
  std::vector<SeenFile> seen;
  seen.reserve(files.size());
  for (const lake::StoredFile& file : files) {
    SeenFile one{file.path, file.bytes, file.version};
    struct stat info {};
    if (root && ::stat((*root + '/' + file.path).c_str(), &info) == 0) {
      const auto modified = static_cast<std::uint64_t>(info.st_mtim.tv_sec) * 1'000'000'000ULL +
                            static_cast<std::uint64_t>(info.st_mtim.tv_nsec);
      one.version = mixed(modified, info.st_ino);
    }
    seen.push_back(std::move(one));
  }
  return seen;
}

// Everything that is watched. An object store is asked once for all of it, a disk folder by folder.
Result<std::vector<SeenFile>> look_at_tables(const lake::Storage& storage) {
  if (!local_root(storage.uri())) return look_at(storage, "");
  std::vector<SeenFile> all;
  for (const std::string_view folder :
       {"klines_1m", "klines_1d", "speed_1m", "daily_filled", "prophet_input", "forecasts"}) {
    CHANDLER_ASSIGN(auto files, look_at(storage, folder));
    std::ranges::move(files, std::back_inserter(all));
  }
  return all;
}

std::vector<PartitionFile>& list_of(SymbolFiles& files, Table table) {
  switch (table) {
    case Table::klines_1m:
      return files.minutes;
    case Table::klines_1d:
      return files.days;
    case Table::speed_1m:
      return files.speed;
    case Table::daily_filled:
      return files.daily;
    case Table::prophet_input:
      break;
  }
  return files.prophet;
}

void add(std::map<std::string, SymbolFiles, std::less<>>& symbols, const SeenFile& file) {
  const auto partition = lake::parse_path(file.path);
  if (!partition) return;  // a stray file; `chandler verify` names it
  SymbolFiles& files = symbols[partition->symbol];
  list_of(files, partition->table).push_back({*partition, file.bytes, file.version});
  std::uint64_t& generation =
      partition->table == Table::speed_1m ? files.speed_generation : files.batch_generation;
  generation = mixed(generation, file);
}

// A symbol of which only the open candle is known exists too; and a newer open candle is a change. A snapshot
// that cannot be read is named by whoever reads the symbol.
void add_open_candles(const std::vector<lake::SpeedSnapshot>& snapshots,
                      std::map<std::string, SymbolFiles, std::less<>>& symbols) {
  for (const lake::SpeedSnapshot& snapshot : snapshots) {
    for (const lake::OpenCandle& candle : snapshot.open) {
      std::uint64_t& generation = symbols[candle.symbol].speed_generation;
      generation = mixed(mixed(generation, static_cast<std::uint64_t>(to_ms(candle.event_time))),
                         static_cast<std::uint64_t>(to_ms(snapshot.watermark.value_or(Timestamp{}))));
    }
  }
}

}  // namespace

std::int64_t SymbolFiles::bytes() const {
  std::int64_t sum = 0;
  for (const auto* list : {&minutes, &days, &speed, &daily, &prophet}) {
    for (const PartitionFile& file : *list) sum += file.bytes;
  }
  return sum;
}

const std::vector<PartitionFile>& SymbolFiles::of(Table table) const {
  return list_of(const_cast<SymbolFiles&>(*this), table);
}

const SymbolFiles* LakeListing::find(std::string_view symbol) const {
  const auto it = std::ranges::lower_bound(symbols, symbol, {}, &SymbolFiles::symbol);
  return it != symbols.end() && it->symbol == symbol ? &*it : nullptr;
}

Result<LakeListing> list_lake(const lake::Storage& storage, const LakeListing* before) {
  LakeListing listing;
  std::map<std::string, SymbolFiles, std::less<>> symbols;
  CHANDLER_ASSIGN(const auto seen, look_at_tables(storage));
  for (const SeenFile& file : seen) {
    if (file.path.starts_with(kForecasts)) {
      listing.forecasts_generation = mixed(listing.forecasts_generation, file);
      continue;
    }
    if (file.path.starts_with(kSnapshots)) {
      listing.snapshots_generation = mixed(listing.snapshots_generation, file);
    }
    add(symbols, file);
    listing.generation = mixed(listing.generation, file);
  }
  if (before != nullptr && before->snapshots_generation == listing.snapshots_generation) {
    listing.snapshots = before->snapshots;
  } else if (auto snapshots = lake::read_snapshots(storage)) {
    listing.snapshots = std::move(*snapshots);
  } else {
    listing.snapshots_generation = 0;  // not read: to be tried again
  }
  add_open_candles(listing.snapshots, symbols);
  listing.generation = mixed(listing.generation, listing.forecasts_generation);
  for (auto& [symbol, files] : symbols) {
    files.symbol = symbol;
    for (const Table table : {Table::klines_1m, Table::klines_1d, Table::speed_1m, Table::daily_filled}) {
      std::ranges::sort(list_of(files, table), {}, &PartitionFile::partition);
    }
    listing.symbols.push_back(std::move(files));
  }
  return listing;
}

LakeWatch::LakeWatch(std::shared_ptr<const lake::Storage> storage, Clock& clock,
                     std::chrono::milliseconds period)
    : storage_(std::move(storage)),
      clock_(clock),
      period_(period),
      listing_(std::make_shared<LakeListing>()) {
  look();
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

LakeWatch::~LakeWatch() = default;

ListingPtr LakeWatch::now() const {
  const std::lock_guard lock(mutex_);
  return listing_;
}

void LakeWatch::on_change(std::function<void(const ListingPtr&)> call) {
  const std::lock_guard lock(mutex_);
  calls_.push_back(std::move(call));
}

void LakeWatch::look() {
  const std::lock_guard looking(looking_);
  auto listed = list_lake(*storage_, now().get());
  std::vector<std::function<void(const ListingPtr&)>> calls;
  ListingPtr current;
  {
    const std::lock_guard lock(mutex_);
    LakeListing next = listed ? std::move(*listed) : *listing_;
    if (!listed) next.error = listed.error();
    const bool changed =
        next.generation != listing_->generation || next.error.has_value() != listing_->error.has_value();
    if (!changed) return;
    listing_ = std::make_shared<const LakeListing>(std::move(next));
    current = listing_;
    calls = calls_;
  }
  for (const auto& call : calls) call(current);
}

void LakeWatch::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void LakeWatch::run(const std::stop_token& stop) {
  std::chrono::nanoseconds pause = period_;
  while (clock_.sleep(pause, stop)) {
    const auto begin = clock_.steady();
    look();
    pause = std::max<std::chrono::nanoseconds>(period_, (clock_.steady() - begin) * kShareOfTime);
  }
}

}  // namespace chandler::web
