// What a lake has, from file names, footers and, where a month has holes, its timestamps. No prices are read.
#pragma once

#include "lake/kline_file.hpp"

namespace chandler::lake {

// Up to when a file of klines says what there was: its last candle's end, or what the exchange has answered
// for. Not a horizon: a history file ends where it ends, though its last day counts as whole.
std::optional<Timestamp> known_until(const KlineFooter& footer);

struct SymbolCatalog {
  std::string symbol;
  std::vector<KlineFooter> minutes;  // klines_1m, by month
  std::vector<KlineFooter> days;     // klines_1d, by year

  bool empty() const { return minutes.empty() && days.empty(); }
  std::size_t minute_rows() const;
  std::optional<Timestamp> first_minute() const;  // open times
  std::optional<Timestamp> last_minute() const;
  RangeSet asked_minutes() const;
  RangeSet asked_days() const;
  // The instant up to which the minutes are known: days that end later are open. The last asked instant or
  // the end of the last minute; after an imported last minute the end of its day, since a history file has no
  // open day.
  std::optional<Timestamp> minutes_horizon() const;
  std::optional<Timestamp> days_horizon() const;
};

// Partitions of one table of one symbol, in order of time. Files that are no partition are left to verify.
Result<std::vector<Partition>> partitions_of(const Storage& storage, Table table, std::string_view symbol);
// Symbols that have a folder in any of the tables, sorted.
Result<std::vector<std::string>> symbols_of(const Storage& storage, std::span<const Table> tables);

Result<SymbolCatalog> read_catalog(const Storage& storage, std::string symbol,
                                   FooterDays days = FooterDays::left_out);

// The minutes (or days) that are stored, as ranges. Reads timestamps only of partitions with holes.
Result<RangeSet> present_in(const Storage& storage, std::span<const KlineFooter> footers);

}  // namespace chandler::lake
