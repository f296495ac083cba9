#include "batch/status.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "base/parallel.hpp"
#include "exchange/symbols.hpp"
#include "lake/derived_file.hpp"

namespace chandler::batch {
namespace {

using lake::Table;

constexpr Table kAllTables[] = {Table::klines_1m, Table::klines_1d, Table::speed_1m, Table::daily_filled,
                                Table::prophet_input};

std::size_t minutes_in(const RangeSet& ranges) {
  return static_cast<std::size_t>(ranges.length().count() / kMinuteMs);
}

Status read_holes(const lake::Storage& storage, const lake::SymbolCatalog& catalog, SymbolStatus& status) {
  if (!status.first) return {};
  CHANDLER_ASSIGN(const RangeSet present, lake::present_in(storage, catalog.minutes));
  RangeSet holes{{*status.first, *status.last + kMinute}};
  holes.subtract(present);
  status.holes = holes.ranges().size();
  status.missing_minutes = minutes_in(holes);
  holes.subtract(catalog.asked_minutes());
  status.not_asked_minutes = minutes_in(holes);
  status.coverage =
      static_cast<double>(status.minutes) / static_cast<double>(status.minutes + status.missing_minutes);
  return {};
}

Status read_days(const lake::Storage& storage, SymbolStatus& status) {
  CHANDLER_ASSIGN(const auto rows, lake::read_daily(storage, status.symbol));
  status.days = rows.size();
  status.filled_days = static_cast<std::size_t>(std::accumulate(rows.filled.begin(), rows.filled.end(), 0));
  if (status.days > 0) {
    status.first_day = from_day_number(rows.date.front());
    status.last_day = from_day_number(rows.date.back());
  }
  return {};
}

// The newest instant that a symbol knows: its last files say it.
Result<std::optional<Timestamp>> newest_of(const lake::Storage& storage, const std::string& symbol) {
  std::optional<Timestamp> newest;
  for (const Table table : {Table::klines_1m, Table::klines_1d}) {
    CHANDLER_ASSIGN(const auto partitions, lake::partitions_of(storage, table, symbol));
    if (partitions.empty()) continue;
    CHANDLER_ASSIGN(const auto footer, lake::read_kline_footer(storage, partitions.back()));
    newest = std::max(newest, lake::known_until(footer));
  }
  return newest;
}

Result<SymbolStatus> read_one(const lake::Storage& storage, const std::string& symbol,
                              std::optional<Timestamp>& newest) {
  SymbolStatus status;
  status.symbol = symbol;
  CHANDLER_ASSIGN(const auto catalog, lake::read_catalog(storage, symbol));
  status.minutes = catalog.minute_rows();
  status.first = catalog.first_minute();
  status.last = catalog.last_minute();
  for (const auto& footer : catalog.days) status.exchange_days += footer.rows;
  for (const auto* footers : {&catalog.minutes, &catalog.days}) {
    if (!footers->empty()) newest = std::max(newest, lake::known_until(footers->back()));
  }
  CHANDLER_TRY(read_holes(storage, catalog, status));
  CHANDLER_TRY(read_days(storage, status));
  CHANDLER_ASSIGN(const auto speed, lake::partitions_of(storage, Table::speed_1m, symbol));
  for (const auto& partition : speed) {
    CHANDLER_ASSIGN(const auto footer, lake::read_kline_footer(storage, partition));
    status.speed_minutes += footer.rows;
  }
  return status;
}

}  // namespace

Error no_such_symbol(std::string_view symbol, std::span<const std::string> present, std::string lake_uri) {
  constexpr std::size_t kNamed = 10;
  if (present.empty()) {
    return {ErrorCode::not_found, fmt::format("the lake has no symbol {}", symbol), std::move(lake_uri),
            fmt::format("the lake is empty: run `chandler backfill {}` first", symbol)};
  }
  return {
      ErrorCode::not_found,
      fmt::format("the lake has no symbol {}{}", symbol, exchange::did_you_mean_question(symbol, present)),
      std::move(lake_uri),
      fmt::format("it has {}{}", fmt::join(present.first(std::min(present.size(), kNamed)), ", "),
                  present.size() > kNamed ? fmt::format(" and {} more", present.size() - kNamed) : "")};
}

namespace {

// All that are present if none is wanted.
Result<std::vector<std::string>> selected(const std::vector<std::string>& wanted,
                                          const std::vector<std::string>& present,
                                          const lake::Storage& storage) {
  if (wanted.empty()) return present;
  for (const std::string& symbol : wanted) {
    if (std::ranges::binary_search(present, symbol)) continue;
    return std::unexpected(no_such_symbol(symbol, present, storage.uri()));
  }
  return wanted;
}

}  // namespace

Result<std::vector<std::string>> select_symbols(const lake::Storage& storage,
                                                const std::vector<std::string>& wanted) {
  CHANDLER_ASSIGN(const auto present, lake::symbols_of(storage, kAllTables));
  return selected(wanted, present, storage);
}

Result<std::vector<SymbolStatus>> read_status(const lake::Storage& storage,
                                              std::vector<std::string> symbols) {
  // Late is who is behind any symbol of the lake, shown or not.
  CHANDLER_ASSIGN(auto others, lake::symbols_of(storage, kAllTables));
  CHANDLER_ASSIGN(symbols, selected(symbols, others, storage));
  std::erase_if(others, [&](const std::string& s) { return std::ranges::find(symbols, s) != symbols.end(); });
  std::vector<SymbolStatus> all(symbols.size());
  std::vector<std::optional<Timestamp>> newest(symbols.size() + others.size());
  CHANDLER_TRY(parallel_for(newest.size(), core_count(), [&](std::size_t i) -> Status {
    if (i < symbols.size()) {
      CHANDLER_ASSIGN(all[i], read_one(storage, symbols[i], newest[i]));
    } else {
      CHANDLER_ASSIGN(newest[i], newest_of(storage, others[i - symbols.size()]));
    }
    return {};
  }));
  if (all.empty()) return all;
  const auto newest_of_all = std::ranges::max(newest);
  for (SymbolStatus& status : all) {
    if (newest_of_all && status.last) status.lag = *newest_of_all - (*status.last + kMinute);
  }
  return all;
}

}  // namespace chandler::batch
