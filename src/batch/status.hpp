// Coverage and lag per symbol, from footers and timestamps.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lake/catalog.hpp"

namespace chandler::batch {

struct SymbolStatus {
  std::string symbol;
  std::size_t minutes = 0;                 // rows of klines_1m
  std::optional<Timestamp> first, last;    // open times of minutes
  std::size_t exchange_days = 0;           // rows of klines_1d
  std::size_t holes = 0;                   // maximal runs of missing minutes between first and last
  std::size_t missing_minutes = 0;         // in these
  std::size_t not_asked_minutes = 0;       // of these, the exchange has never been asked for
  std::size_t days = 0, filled_days = 0;   // rows of daily_filled
  std::optional<Day> first_day, last_day;  // of daily_filled
  std::size_t speed_minutes = 0;           // rows of speed_1m that await the merge
  Millis lag{0};                           // behind the newest instant that any of the symbols read knows
  double coverage = 0;                     // share of the minutes between first and last that are stored
};

// All symbols of the lake if `symbols` is empty. not_found for a symbol that the lake does not have. No file
// of another symbol is read: of one symbol alone, lag says how far its minutes are behind its days.
Result<std::vector<SymbolStatus>> read_status(const lake::Storage& storage, std::vector<std::string> symbols);

// What to say of a symbol that the lake does not have; `present` is what it has, sorted.
Error no_such_symbol(std::string_view symbol, std::span<const std::string> present, std::string lake_uri);

// The lake's symbols, or the given ones after a check that each is there (not_found, with a suggestion, if
// not).
Result<std::vector<std::string>> select_symbols(const lake::Storage& storage,
                                                const std::vector<std::string>& wanted);

}  // namespace chandler::batch
