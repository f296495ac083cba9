// CSV bytes to kline columns, at the speed of the memory it comes through. Knows no files: whoever reads a
// file, a zip or a socket pushes bytes in.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "candles/interval.hpp"
#include "candles/klines.hpp"
#include "exchange/kline_csv_layout.hpp"

namespace chandler::exchange {

class DigitScanner;

struct CsvReject {
  std::uint64_t line = 0;  // the file's first line is 1
  std::string reason;
};

struct KlineCsvBatch {
  candles::Klines rows;            // as the file has them: in any order, repeats included, each one possible
  std::vector<CsvReject> rejects;  // in order of line
  std::uint64_t absent =
      0;  // rows that say that a candle does not exist: no price in any of the four columns
  void clear();
};

struct KlineCsvOptions {
  candles::Interval interval = candles::Interval::m1;  // m1 or d1: the grid that open times lie on
  candles::Source source = candles::Source::import;
};

// Rows of a file whose layout is known. Immutable, so pieces of one file can be read by several threads.
class KlineCsvRows {
 public:
  KlineCsvRows(KlineCsvLayout layout, KlineCsvOptions options);

  // Reads whole lines (the last may lack its end) and appends what they say to the batch. `first_line` is the
  // number of the first one. Returns how many lines there were. A row that candles::impossible() refuses is
  // rejected.
  std::uint64_t parse(std::string_view lines, std::uint64_t first_line, KlineCsvBatch& batch) const;

  const KlineCsvLayout& layout() const { return layout_; }

 private:
  struct Values;
  class Output;
  enum class Outcome { row, absent, nothing, rejected };

  void parse_padded(const char* at, const char* end, std::uint64_t& line, Output& out) const;
  bool take_row(const char*& at, Values& values) const;
  bool take_time(DigitScanner& scan, std::int64_t& open_time) const;
  bool possible(const Values& values) const;
  Outcome read_line(std::string_view line, Values& values, std::string& reason) const;
  bool read_numbers(const CsvFields& fields, Values& values, unsigned& missing_prices,
                    std::string& reason) const;

  KlineCsvLayout layout_;
  KlineCsvOptions options_;
  std::int64_t grid_ms_;
  bool has_optional_columns_;
};

// No row of candles is nearly as long; what is longer is rejected, and not kept in memory.
inline constexpr std::size_t kMaxCsvLine = 64 * 1024;

// The push interface for one file from its first byte to its last.
class KlineCsvReader {
 public:
  explicit KlineCsvReader(KlineCsvOptions options) : options_(options) {}

  // Takes the next bytes, cut anywhere; appends to the batch what they complete. Error: the file is not a CSV
  // of candles (see find_layout); the reader is then of no further use.
  Status push(std::string_view bytes, KlineCsvBatch& batch);
  // The input's end.
  Status finish(KlineCsvBatch& batch);

  std::uint64_t lines() const { return line_ - 1; }

 private:
  Status start(KlineCsvBatch& batch);
  void take(std::string_view bytes, KlineCsvBatch& batch);
  void keep(std::string_view bytes, KlineCsvBatch& batch);

  KlineCsvOptions options_;
  std::unique_ptr<KlineCsvRows> rows_;
  std::string pending_;
  bool skipping_ = false;  // inside a line that is too long
  std::uint64_t line_ = 1;
};

}  // namespace chandler::exchange
