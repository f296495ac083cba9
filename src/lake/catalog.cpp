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

Result<std::vector<KlineFooter>> footers_of(const Storage& storage, Table table, const std::string& symbol,
                                            FooterDays days) {
  CHANDLER_ASSIGN(const auto partitions, partitions_of(storage, table, symbol));
  std::vector<KlineFooter> footers(partitions.size());
  CHANDLER_TRY(parallel_for(partitions.size(), storage.concurrency(), [&](std::size_t i) -> Status {
    CHANDLER_ASSIGN(footers[i], read_kline_footer(storage, partitions[i], days));
    return {};
  }));
  return footers;
}

}  // namespace

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
  std::set<std::string> symbols;
  for (const Table table : tables) {
    CHANDLER_ASSIGN(const auto folders, storage.folders(name(table)));
    for (const std::string& folder : folders) {
      if (folder.starts_with("symbol=") && is_symbol(folder.substr(7))) symbols.insert(folder.substr(7));
    }
  }
  return std::vector<std::string>(symbols.begin(), symbols.end());
}

Result<SymbolCatalog> read_catalog(const Storage& storage, std::string symbol, FooterDays days) {
  SymbolCatalog catalog;
  CHANDLER_ASSIGN(catalog.minutes, footers_of(storage, Table::klines_1m, symbol, days));
  CHANDLER_ASSIGN(catalog.days, footers_of(storage, Table::klines_1d, symbol, FooterDays::left_out));
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
