// Partitions of the derived tables: daily_filled (a month) and prophet_input (a symbol).
#pragma once

#include "candles/daily.hpp"
#include "lake/kline_file.hpp"

namespace chandler::lake {

// What a month of daily_filled was derived from; equal provenance means that deriving it again would change
// nothing.
struct Provenance {
  std::string inputs;    // digests of the minutes and days, and the last closed day
  std::string carry_in;  // digest of the carry from the month before
  friend bool operator==(const Provenance&, const Provenance&) = default;
};

struct DailyFooter {
  Partition partition;
  std::size_t rows = 0;
  std::size_t filled = 0;  // of these, filled days
  Provenance provenance;
  candles::Carry carry_out;
};

Result<PendingFile> daily_file(const Partition& partition, const candles::DailyRows& rows,
                               const Provenance& provenance, const candles::Carry& carry_out);
Result<DailyFooter> read_daily_footer(const Storage& storage, const Partition& partition);
Result<candles::DailyRows> read_daily(const Storage& storage, const Partition& partition);
// All of a symbol's rows in order of date; empty if it has none.
Result<candles::DailyRows> read_daily(const Storage& storage, std::string_view symbol);

struct ProphetRows {
  std::vector<std::int32_t> ds;  // days since the epoch
  std::vector<double> y;         // daily_close
};
// `inputs` names the daily_filled files it was derived from.
Result<PendingFile> prophet_file(std::string symbol, const ProphetRows& rows, const std::string& inputs);
// The `inputs` it was written with; empty if the file is not there or not readable.
std::string read_prophet_inputs(const Storage& storage, std::string symbol);
Result<ProphetRows> read_prophet(const Storage& storage, std::string symbol);

std::vector<Column> daily_columns(const candles::DailyRows& rows);
std::vector<Column> prophet_columns(const ProphetRows& rows);

}  // namespace chandler::lake
