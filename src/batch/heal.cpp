#include "batch/heal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "batch/verify.hpp"
#include "candles/gaps.hpp"
#include "lake/catalog.hpp"
#include "lake/salvage.hpp"

namespace chandler::batch {
namespace {

using lake::Partition;
using lake::Storage;
using lake::Table;

constexpr std::chrono::milliseconds kPatience{60'000};

bool wanted(const std::vector<std::string>& symbols, const std::string& symbol) {
  return symbols.empty() || std::ranges::find(symbols, symbol) != symbols.end();
}

// "_quarantine/klines_1m/…/part.parquet.2": the partition it was of.
std::optional<Partition> partition_in_quarantine(std::string_view path) {
  if (!path.starts_with(kQuarantine)) return std::nullopt;
  path.remove_prefix(kQuarantine.size());
  return lake::parse_path(path.substr(0, path.rfind('.')));
}

Result<std::string> free_place(const Storage& storage, const std::string& file) {
  const std::string place = std::string(kQuarantine) + file;
  CHANDLER_ASSIGN(const auto there, storage.list(place.substr(0, place.rfind('/'))));
  for (int number = 1;; ++number) {
    std::string path = fmt::format("{}.{}", place, number);
    if (std::ranges::find(there, path, &lake::StoredFile::path) == there.end()) return path;
  }
}

Status move_aside(Storage& storage, const Partition& partition, const Violation& violation, HealPlan& plan) {
  std::unique_ptr<lake::WriterLock> lock;
  if (partition.table == Table::speed_1m) {
    CHANDLER_ASSIGN(lock, storage.lock_for_writing("backfill --heal", lake::TableGroup::speed, kPatience));
    if (check_file(storage, partition).violations.empty()) return {};  // it has been written meanwhile
  }
  CHANDLER_ASSIGN(std::string now, free_place(storage, violation.file));
  CHANDLER_TRY(storage.move(violation.file, now));
  plan.files.push_back({violation.file, violation.what, std::move(now)});
  return {};
}

bool is_of_klines(const Partition& partition) {
  return partition.table == Table::klines_1m || partition.table == Table::klines_1d ||
         partition.table == Table::speed_1m;
}

struct Quarantined {
  std::string path;
  Partition partition;
  lake::Salvaged salvaged;
};

Result<std::vector<Quarantined>> read_quarantine(const Storage& storage,
                                                 const std::vector<std::string>& symbols) {
  std::vector<Quarantined> found;
  CHANDLER_ASSIGN(const auto files, storage.list(kQuarantine.substr(0, kQuarantine.size() - 1)));
  for (const lake::StoredFile& file : files) {
    auto partition = partition_in_quarantine(file.path);
    if (!partition || !is_of_klines(*partition) || !wanted(symbols, partition->symbol)) continue;
    const auto bytes = lake::read_text(storage, file.path);  // a bad sector: nothing can be told
    found.push_back({file.path, *partition, bytes ? lake::salvage(*bytes, *partition) : lake::Salvaged{}});
  }
  return found;
}

// What a file held: all that it may have held where it does not say.
RangeSet held(const Quarantined& file) {
  const std::int64_t grid = lake::grid_of(file.partition.table);
  RangeSet ranges = file.salvaged.asked.value_or(RangeSet{});
  if (file.salvaged.rows) ranges.add(candles::present_ranges(*file.salvaged.rows, grid));
  if (ranges.empty() && !file.salvaged.rows) ranges.add(file.partition.range());
  return ranges;
}

}  // namespace

Result<HealPlan> set_damaged_aside(Storage& storage, const std::vector<std::string>& symbols,
                                   Progress& progress, std::stop_token stop) {
  HealPlan plan;
  CHANDLER_ASSIGN(const auto report, verify(storage, {}, progress, stop));
  std::set<std::string> done;
  for (const Violation& violation : report.violations()) {
    const auto partition = lake::parse_path(violation.file);
    if (!partition || !violation.heals) {
      if (!partition || wanted(symbols, partition->symbol)) plan.left.push_back(violation);
    } else if (wanted(symbols, partition->symbol) && done.insert(violation.file).second) {
      CHANDLER_TRY(move_aside(storage, *partition, violation, plan));
    }
  }
  CHANDLER_ASSIGN(const auto quarantine, read_quarantine(storage, symbols));
  for (const Quarantined& file : quarantine) {
    auto& ranges = file.partition.table == Table::klines_1d ? plan.days : plan.minutes;
    ranges[file.partition.symbol].add(held(file));
  }
  return plan;
}

Result<std::vector<LostImports>> lost_imports(const Storage& storage,
                                              const std::vector<std::string>& symbols) {
  std::vector<LostImports> lost;
  CHANDLER_ASSIGN(const auto quarantine, read_quarantine(storage, symbols));
  for (const Quarantined& file : quarantine) {
    if (file.partition.table == Table::speed_1m) continue;
    if (!file.salvaged.imported) {
      // Asked ranges mean that an exchange gave it; without any it was imported.
      const bool fetched = file.salvaged.asked && !file.salvaged.asked->empty();
      if (!fetched) lost.push_back({file.path, file.partition.symbol, std::nullopt});
      continue;
    }
    std::vector<std::int64_t> present;
    if (auto rows = lake::read_klines(storage, file.partition, lake::KlineFields::open_time)) {
      present = std::move(rows->open_time);
    } else if (rows.error().code != ErrorCode::not_found) {
      return std::unexpected(std::move(rows).error());
    }
    const auto missing = std::ranges::count_if(
        *file.salvaged.imported, [&](std::int64_t t) { return !std::ranges::binary_search(present, t); });
    if (missing > 0) lost.push_back({file.path, file.partition.symbol, static_cast<std::size_t>(missing)});
  }
  return lost;
}

}  // namespace chandler::batch
