// One file of the exchange's public archive, checked: a zip that holds one CSV of one symbol's klines for one
// month or one day. Pure: bytes in, rows out, never a crash whatever the bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "candles/interval.hpp"
#include "candles/klines.hpp"
#include "exchange/kline_csv.hpp"

namespace chandler::exchange {

// Names and paths as on https://data.binance.vision (github.com/binance/binance-public-data, README).
struct ArchivePiece {
  std::string symbol;
  candles::Interval interval = candles::Interval::m1;
  bool monthly = true;
  Day first{};  // the day, or the month's first

  static ArchivePiece month(std::string_view symbol, candles::Interval interval, year_month month);
  static ArchivePiece day(std::string_view symbol, candles::Interval interval, Day day);

  TimeRange range() const;   // what its open times must lie in
  std::string stem() const;  // BTCUSDT-1m-2024-05, BTCUSDT-1m-2024-05-01
  std::string path() const;  // /data/spot/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-2024-05.zip, percent-encoded
};

// A month of minutes is 3 MB zipped and 9 MB plain; what is many times that is not one.
inline constexpr std::size_t kMaxZipBytes = 32u << 20;
inline constexpr std::size_t kMaxCsvBytes = 64u << 20;

struct ArchiveRows {
  candles::Klines rows;            // source archive; as published: every open time in the piece's range
  std::vector<CsvReject> rejects;  // lines that are no possible candle
};

// The zip's own CRC is checked on the way. Errors: invalid_data, with the entry and line as place where there
// is one.
Result<ArchiveRows> read_archive(const ArchivePiece& piece, std::string_view zip);

// "<64 hex digits>  <name of the zip>" → the digits in lower case; an error if it is something else, or of
// another file.
Result<std::string> parse_checksum(std::string_view text, std::string_view zip_name);

}  // namespace chandler::exchange
