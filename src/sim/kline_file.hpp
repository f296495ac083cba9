// Candle files on disk → columns.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "candles/interval.hpp"
#include "candles/klines.hpp"

namespace chandler::sim {

struct FileIdentity {
  std::string symbol;
  candles::Interval interval = candles::Interval::m1;  // m1 or d1
};

// What a file's name says it is: SYMBOL-1m-2024-05-01.zip, SYMBOL-1m-2024-05.csv.gz, SYMBOL_1d.csv. Nothing
// for other names, other intervals, and symbols that the exchange's requests cannot name.
std::optional<FileIdentity> identify(const std::filesystem::path& path);
// The name says which candles these are, but their symbol is not of A-Z and 0-9.
bool is_of_symbol_not_served(const std::filesystem::path& path);

// A .csv, .csv.gz or .zip (of CSV files), in any dialect that exchange/kline_csv.hpp reads. Rows that no
// candle can be are left out with a warning. Errors: unreachable, invalid_data.
Result<candles::Klines> read_kline_file(const std::filesystem::path& path, candles::Interval interval);

}  // namespace chandler::sim
