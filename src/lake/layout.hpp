// Where each table's files lie in a lake: Hive partitions, so that Spark, DuckDB, Polars, pandas and Arrow
// read them as they are. Paths are relative to the lake's root and use '/'.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace chandler::lake {

enum class Table { klines_1m, klines_1d, speed_1m, daily_filled, prophet_input };
std::string_view name(Table table);

// The file of one partition. year, month and day are 0 where the table is not cut that far.
struct Partition {
  Table table = Table::klines_1m;
  std::string symbol;
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  friend auto operator<=>(const Partition&, const Partition&) = default;

  year_month ym() const { return std::chrono::year{year} / std::chrono::month{month}; }
  // The instants whose rows belong into this file; everything for prophet_input.
  TimeRange range() const;
};

Partition minutes_partition(std::string symbol, year_month m);  // klines_1m
Partition days_partition(std::string symbol, int year);         // klines_1d
Partition speed_partition(std::string symbol, Day day);         // speed_1m
Partition daily_partition(std::string symbol, year_month m);    // daily_filled
Partition prophet_partition(std::string symbol);                // prophet_input

std::string path_of(const Partition& partition);
std::string directory_of(Table table, std::string_view symbol);  // klines_1m/symbol=BTCUSDT
// nullopt: not the path of a partition, to the letter (month=09 is not).
std::optional<Partition> parse_path(std::string_view path);

// Whether a name can be a symbol and a folder: 1 to 64 bytes, no '/', '=', '%', white space or control
// character, no dot at the start. Symbols of any script pass: the exchange lists such.
bool is_symbol(std::string_view text);

}  // namespace chandler::lake
