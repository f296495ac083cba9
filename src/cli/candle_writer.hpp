// Candles on their way out: a table for people, or CSV, JSON and Parquet.
#pragma once

#include <cstdio>
#include <memory>

#include "serving/candle_query.hpp"

namespace chandler::cli {

// Takes candles piece by piece and writes as it goes (Parquet: at the end). Without finish() nothing is left
// behind: a file is written aside and put in place by finish().
class CandleWriter {
 public:
  virtual ~CandleWriter() = default;
  virtual Status write(const serving::Candles& piece) = 0;
  virtual Status finish() = 0;
};

struct CandleOutput {
  std::string format;  // table, csv, json, parquet
  std::string file;    // empty: stdout
  std::string symbol;
  candles::Interval interval = candles::Interval::d1;
  bool colour = false;
};

Result<std::unique_ptr<CandleWriter>> make_candle_writer(const CandleOutput& output);

}  // namespace chandler::cli
