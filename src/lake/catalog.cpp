#include "lake/catalog.hpp"

#include <algorithm>
#include <set>

#include "base/parallel.hpp"
#include "candles/gaps.hpp"

namespace chandler::lake {
namespace {

RangeSet asked_in(std::span<const KlineFooter> footers) {
  RangeSet asked;
  for (const KlineFooter& footer : footers) asked.add(footer.asked);
  return asked;
}

// The last footer that has rows.
const KlineFooter* last_with_rows(std::span<const KlineFooter> footers) {
  for (std::size_t i = footers.size(); i > 0; --i) {
    if (footers[i - 1].rows > 0) return &footers[i - 1];
  }
  return nullptr;
}

std::optional<Timestamp> horizon_of(std::span<const KlineFooter> footers) {
  std::optional<Timestamp> horizon;
  const RangeSet asked = asked_in(footers);
  if (!asked.empty()) horizon = asked.ranges().back().end;
  if (const KlineFooter* last = last_with_rows(footers)) {
    Timestamp end = *last->last + Millis{last->grid_ms};
    if (last->last_source == candles::Source::import) end = end_of(day_of(*last->last));
    horizon = std::max(horizon.value_or(end), end);
  }
  return horizon;
}

}  // namespace

std::optional<Timestamp> known_until(const KlineFooter& footer) {
  std::optional<Timestamp> until;
  if (footer.last) until = *footer.last + Millis{footer.grid_ms};
  if (!footer.asked.empty()) until = std::max(until, std::optional(footer.asked.ranges().back().end));
  return until;
}

std::size_t SymbolCatalog::minute_rows() const {
  std::size_t rows = 0;
  for (const KlineFooter& footer : minutes) rows += footer.rows;
  return rows;
}

std::optional<Timestamp> SymbolCatalog::first_minute() const {
  for (const KlineFooter& footer : minutes) {
    if (footer.first) return footer.first;
  }
  return std::nullopt;
}

std::optional<Timestamp> SymbolCatalog::last_minute() const {
  const KlineFooter* last = last_with_rows(minutes);
  return last != nullptr ? last->last : std::nullopt;
}

RangeSet SymbolCatalog::asked_minutes() const {
  return asked_in(minutes);
}
RangeSet SymbolCatalog::asked_days() const {
  return asked_in(days);
}
std::optional<Timestamp> SymbolCatalog::minutes_horizon() const {
  return horizon_of(minutes);
}
std::optional<Timestamp> SymbolCatalog::days_horizon() const {
  return horizon_of(days);
}

Result<std::vector<Partition>> partitions_of(const Storage& storage, Table table, std::string_view symbol) {
  CHANDLER_ASSIGN(const auto files, storage.list(directory_of(table, symbol)));
  std::vector<Partition> partitions;
  for (const StoredFile& file : files) {
    if (auto partition = parse_path(file.path)) partitions.push_back(std::move(*partition));
  }
  std::ranges::sort(partitions);
  return partitions;
}

Result<std::vector<std::string>> symbols_of(const Storage& storage, std::span<const Table> tables) {
  std::vector<std::vector<std::string>> folders(tables.size());
  CHANDLER_TRY(parallel_for(tables.size(), storage.concurrency(), [&](std::size_t i) -> Status {
    CHANDLER_ASSIGN(folders[i], storage.folders(name(tables[i])));
    return {};
  }));
  std::set<std::string> symbols;
  for (const auto& of_table : folders) {
    for (const std::string& folder : of_table) {
      if (folder.starts_with("symbol=") && is_symbol(folder.substr(7))) symbols.insert(folder.substr(7));
    }
  }
  return std::vector<std::string>(symbols.begin(), symbols.end());
}

Result<SymbolCatalog> read_catalog(const Storage& storage, std::string symbol, FooterDays days) {
  constexpr Table kTables[] = {Table::klines_1m, Table::klines_1d};
  std::vector<Partition> of_table[2];
  CHANDLER_TRY(parallel_for(2, storage.concurrency(), [&](std::size_t i) -> Status {
    CHANDLER_ASSIGN(of_table[i], partitions_of(storage, kTables[i], symbol));
    return {};
  }));
  const auto& [minutes, whole_days] = of_table;
  SymbolCatalog catalog;
  catalog.minutes.resize(minutes.size());
  catalog.days.resize(whole_days.size());
  const std::size_t files = minutes.size() + whole_days.size();
  CHANDLER_TRY(parallel_for(files, storage.concurrency(), [&](std::size_t i) -> Status {
    if (i < minutes.size()) {
      CHANDLER_ASSIGN(catalog.minutes[i], read_kline_footer(storage, minutes[i], days));
    } else {
      const std::size_t d = i - minutes.size();
      CHANDLER_ASSIGN(catalog.days[d], read_kline_footer(storage, whole_days[d], FooterDays::left_out));
    }
    return {};
  }));
  catalog.symbol = std::move(symbol);
  return catalog;
}

Result<RangeSet> present_in(const Storage& storage, std::span<const KlineFooter> footers) {
  RangeSet present;
  std::vector<const KlineFooter*> with_holes;
  for (const KlineFooter& footer : footers) {
    if (!footer.first) continue;
    if (footer.without_holes()) {
      present.add({*footer.first, *footer.last + Millis{footer.grid_ms}});
    } else {
      with_holes.push_back(&footer);
    }
  }
  std::vector<RangeSet> ranges(with_holes.size());
  CHANDLER_TRY(parallel_for(with_holes.size(), storage.concurrency(), [&](std::size_t i) -> Status {
    const KlineFooter& footer = *with_holes[i];
    CHANDLER_ASSIGN(const auto rows, read_klines(storage, footer.partition, KlineFields::open_time));
    ranges[i] = candles::present_ranges(rows.open_time, footer.grid_ms);
    return {};
  }));
  for (const RangeSet& more : ranges) present.add(more);
  return present;
}

}  // namespace chandler::lake
