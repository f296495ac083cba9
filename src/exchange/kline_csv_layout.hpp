// Which column of a CSV file is what. Known dialects: Kaggle and Bitstamp
// (Timestamp,Open,High,Low,Close,Volume and its relatives), Binance's 12 columns with and without a header,
// CryptoDataDownload (a banner line first), Kraken's seven columns, and whatever else names its columns in a
// way that leaves no doubt.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace chandler::exchange {

enum class CsvColumn : std::uint8_t {
  open,
  high,
  low,
  close,
  volume,
  quote_volume,
  taker_buy_volume,
  taker_buy_quote_volume,
  trades,
  time,
  symbol,     // must say the same in every row
  timeframe,  // must say the same in every row
  skip
};
inline constexpr std::size_t kCsvNumbers = 9;  // open … trades

struct KlineCsvLayout {
  char delimiter = ',';
  std::vector<CsvColumn> columns;
  std::string header;     // the line, to recognise it when it comes again; empty where there is none
  std::string symbol;     // of the first row, as written; empty where the file has no such column
  std::string timeframe;  // likewise
};

// A file's first lines are examined until one is a header or a candle.
inline constexpr std::size_t kMaxPreambleLines = 32;
inline constexpr std::size_t kMaxCsvColumns = 64;

struct LayoutFound {
  KlineCsvLayout layout;
  std::size_t preamble_bytes = 0;  // BOM, banner and header: rows begin here
  std::size_t preamble_lines = 0;
};

// `head` is the file's beginning, cut after a line's end unless it is the whole file. Only whole lines are
// looked at. Error: no line is a header or a candle, or the header lacks a column that a candle needs.
Result<LayoutFound> find_layout(std::string_view head);

// Splits one line (without its end) at the delimiter; quotes around a field and spaces around it are removed.
// Returns the number of fields, or nullopt for an unbalanced quote or more than kMaxCsvColumns fields.
struct CsvFields {
  std::string_view at[kMaxCsvColumns];
  std::size_t count = 0;
};
bool split_csv_line(std::string_view line, char delimiter, CsvFields& fields);

}  // namespace chandler::exchange
