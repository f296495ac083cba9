#include "batch/merge.hpp"

#include <cmath>
#include <map>

#include "lake/catalog.hpp"

namespace chandler::batch {
namespace {

using candles::Kline;
using candles::Klines;
using lake::Partition;
using lake::Storage;
using lake::Table;

constexpr std::chrono::milliseconds kPatience{60'000};

struct SpeedFile {
  Partition partition;
  std::string digest;
};

bool differ(double a, double b) {
  return !std::isnan(a) && !std::isnan(b) && a != b;
}

// Speed rows that batch lacks, in batch's columns; what both have is counted and compared.
Klines joined(const Klines& batch, const Klines& speed, SymbolMerge& report) {
  Klines rows;
  rows.reserve(batch.size() + speed.size());
  std::size_t b = 0;
  for (std::size_t s = 0; s < speed.size(); ++s) {
    const std::size_t first = b;
    while (b < batch.size() && batch.open_time[b] < speed.open_time[s]) ++b;
    rows.append(batch, first, b);
    if (b == batch.size() || batch.open_time[b] != speed.open_time[s]) {
      rows.append(speed, s, s + 1);
      ++report.added;
      continue;
    }
    ++report.covered;
    const Kline stored = batch.at(b), incoming = speed.at(s);
    if (!contradict(stored, incoming)) continue;
    ++report.different;
    if (report.differences.size() < kKeptDifferences) report.differences.push_back({stored, incoming, false});
  }
  rows.append(batch, b, batch.size());
  return rows;
}

Status merge_month(Storage& storage, const std::string& symbol, year_month month,
                   std::span<const Partition> days, std::vector<SpeedFile>& read, SymbolMerge& report) {
  Klines speed;
  for (const Partition& day : days) {
    CHANDLER_ASSIGN(auto file, lake::read_kline_file(storage, day));
    for (auto& source : file.rows.source) source = candles::Source::stream;
    speed.append(file.rows);
    const auto digest = file.metadata.find(lake::kDigestKey);
    read.push_back({day, digest == file.metadata.end() ? std::string() : digest->second});
  }
  const Partition partition = lake::minutes_partition(symbol, month);
  CHANDLER_ASSIGN(const auto stored, lake::read_kline_file(storage, partition));
  const std::size_t before = report.added;
  const Klines rows = joined(stored.rows, speed, report);
  if (report.added == before) return {};
  CHANDLER_ASSIGN(const auto file, lake::kline_file(partition, rows, stored.asked));
  return storage.replace(std::span(&file, 1));
}

// The files whose content is now in batch go; one that has been written since stays.
Status remove_merged(Storage& storage, std::span<const SpeedFile> files, SymbolMerge& report) {
  CHANDLER_ASSIGN(const auto lock, storage.lock_for_writing("merge", lake::TableGroup::speed, kPatience));
  for (const SpeedFile& file : files) {
    CHANDLER_ASSIGN(const auto footer, lake::read_kline_footer(storage, file.partition));
    if (footer.digest != file.digest) {
      ++report.files_kept;
      continue;
    }
    CHANDLER_TRY(storage.remove(lake::path_of(file.partition)));
    ++report.files_removed;
  }
  return {};
}

Status interrupted(const std::stop_token& stop) {
  if (!stop.stop_requested()) return {};
  return fail(ErrorCode::interrupted, "interrupted; what was merged is kept, and the next merge goes on");
}

// Returns the speed files that were read.
Result<std::vector<SpeedFile>> merge_symbol(Storage& storage, std::span<const Partition> partitions,
                                            SymbolMerge& report, const std::stop_token& stop) {
  std::vector<SpeedFile> read;
  for (std::size_t first = 0; first < partitions.size();) {
    CHANDLER_TRY(interrupted(stop));
    const year_month month = partitions[first].ym();
    std::size_t last = first;
    while (last < partitions.size() && partitions[last].ym() == month) ++last;
    CHANDLER_TRY(
        merge_month(storage, report.symbol, month, partitions.subspan(first, last - first), read, report));
    first = last;
  }
  return read;
}

}  // namespace

bool contradict(const Kline& a, const Kline& b) {
  const bool both_trades = a.trades != candles::kUnknownTrades && b.trades != candles::kUnknownTrades;
  return differ(a.open, b.open) || differ(a.high, b.high) || differ(a.low, b.low) ||
         differ(a.close, b.close) || differ(a.volume, b.volume) || differ(a.quote_volume, b.quote_volume) ||
         differ(a.taker_buy_volume, b.taker_buy_volume) ||
         differ(a.taker_buy_quote_volume, b.taker_buy_quote_volume) || (both_trades && a.trades != b.trades);
}

Result<MergeReport> merge_speed(Storage& storage, const std::vector<std::string>& symbols, Progress& progress,
                                std::stop_token stop) {
  MergeReport report;
  std::vector<std::string> changed;
  std::vector<std::vector<SpeedFile>> merged_files;  // of each symbol of the report
  progress.begin("merging", symbols.size(), "symbols");
  for (const std::string& symbol : symbols) {
    CHANDLER_TRY(interrupted(stop));
    CHANDLER_ASSIGN(const auto partitions, lake::partitions_of(storage, Table::speed_1m, symbol));
    if (!partitions.empty()) {
      SymbolMerge merged;
      merged.symbol = symbol;
      CHANDLER_ASSIGN(auto files, merge_symbol(storage, partitions, merged, stop));
      merged_files.push_back(std::move(files));
      // Also where nothing was added: an earlier merge may have been killed before it derived.
      changed.push_back(symbol);
      report.symbols.push_back(std::move(merged));
    }
    progress.advance(1);
  }
  progress.end();
  CHANDLER_ASSIGN(report.derived, derive(storage, changed, Extent::what_changed, progress, DaysFrom::footers,
                                         [&] { return stop.stop_requested(); }));
  // Last: they are what makes a merge that was killed go on where it stopped.
  for (std::size_t i = 0; i < merged_files.size(); ++i) {
    CHANDLER_TRY(interrupted(stop));
    CHANDLER_TRY(remove_merged(storage, merged_files[i], report.symbols[i]));
  }
  return report;
}

}  // namespace chandler::batch
