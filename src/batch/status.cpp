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

// What one symbol has, and the newest instant that it knows.
struct Reading {
  SymbolStatus status;
  bool any = false;  // a file of it was found
  std::optional<Timestamp> newest;
};

Result<Reading> read_one(const lake::Storage& storage, const std::string& symbol) {
  Reading reading;
  SymbolStatus& status = reading.status;
  status.symbol = symbol;
  CHANDLER_ASSIGN(const auto catalog, lake::read_catalog(storage, symbol));
  status.minutes = catalog.minute_rows();
  status.first = catalog.first_minute();
  status.last = catalog.last_minute();
  for (const auto& footer : catalog.days) status.exchange_days += footer.rows;
  for (const auto* footers : {&catalog.minutes, &catalog.days}) {
    if (!footers->empty()) reading.newest = std::max(reading.newest, lake::known_until(footers->back()));
  }
  CHANDLER_TRY(read_holes(storage, catalog, status));
  CHANDLER_TRY(read_days(storage, status));
  CHANDLER_ASSIGN(const auto speed, lake::partitions_of(storage, Table::speed_1m, symbol));
  for (const auto& partition : speed) {
    CHANDLER_ASSIGN(const auto footer, lake::read_kline_footer(storage, partition));
    status.speed_minutes += footer.rows;
  }
  reading.any = !catalog.empty() || !speed.empty() || status.days > 0;
  return reading;
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

Result<std::vector<std::string>> select_symbols(const lake::Storage& storage,
                                                const std::vector<std::string>& wanted) {
  CHANDLER_ASSIGN(const auto present, lake::symbols_of(storage, kAllTables));
  if (wanted.empty()) return present;
  for (const std::string& symbol : wanted) {
    if (!std::ranges::binary_search(present, symbol))
      return std::unexpected(no_such_symbol(symbol, present, storage.uri()));
  }
  return wanted;
}

Result<std::vector<SymbolStatus>> read_status(const lake::Storage& storage,
                                              std::vector<std::string> symbols) {
  if (symbols.empty()) {
    CHANDLER_ASSIGN(symbols, lake::symbols_of(storage, kAllTables));
  }
  std::vector<Reading> readings(symbols.size());
  CHANDLER_TRY(parallel_for(symbols.size(), core_count(), [&](std::size_t i) -> Status {
    CHANDLER_ASSIGN(readings[i], read_one(storage, symbols[i]));
    return {};
  }));
  // Whether the lake has a symbol is seen from its own files; only for one without any is the lake looked
  // through.
  std::optional<Timestamp> newest;
  for (const Reading& reading : readings) {
    if (!reading.any) CHANDLER_TRY(select_symbols(storage, {reading.status.symbol}));
    newest = std::max(newest, reading.newest);
  }
  std::vector<SymbolStatus> all;
  for (Reading& reading : readings) {
    SymbolStatus& status = all.emplace_back(std::move(reading.status));
    if (newest && status.last) status.lag = *newest - (*status.last + kMinute);
  }
  return all;
}

}  // namespace chandler::batch
