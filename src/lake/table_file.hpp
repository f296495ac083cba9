// One Parquet file of the lake as named columns, through Parquet's low-level column readers and writers: no
// row objects and no intermediate tables. Everything about Parquet's types, encodings and compression is
// decided here (docs/storage.md has the measurements behind it).
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "candles/klines.hpp"

namespace arrow {
class Buffer;
namespace io {
class RandomAccessFile;
}
}  // namespace arrow

namespace chandler::lake {

enum class ColumnType {
  timestamp,  // int64: ms, UTC
  date,       // int32: days since the epoch
  int32,
  int64,    // null: kUnknownTrades
  float64,  // null: NaN, where the column is nullable
  boolean,  // uint8: 0 or 1
  source    // candles::Source, a dictionary string on disk
};

// A column to be written; the span stays the caller's. Its element type is the one named at ColumnType.
struct Column {
  std::string_view name;
  ColumnType type;
  bool nullable = false;
  std::variant<std::span<const std::int64_t>, std::span<const std::int32_t>, std::span<const double>,
               std::span<const std::uint8_t>, std::span<const candles::Source>>
      values;
};

using Metadata = std::map<std::string, std::string, std::less<>>;

// The bytes of a Parquet file. Equal input gives equal bytes, as long as the Parquet library is the same.
Result<std::shared_ptr<arrow::Buffer>> encode_table(std::span<const Column> columns,
                                                    const Metadata& metadata);

// An open file. Every error is `damaged` (or `unreachable` for a failed read) and names the path.
class TableFile {
 public:
  // Reads the footer only.
  static Result<TableFile> open(std::shared_ptr<arrow::io::RandomAccessFile> file, std::string path);
  TableFile(TableFile&&) noexcept;
  TableFile& operator=(TableFile&&) noexcept;
  ~TableFile();

  std::size_t rows() const;
  const Metadata& metadata() const;
  // Other tools keep the footer's entries when they rewrite a file, whatever they do to the rows: what such a
  // file says about its own rows is worth nothing.
  bool is_of_chandler() const;
  const std::string& path() const;
  bool has_column(std::string_view name) const;
  // Smallest and largest value of an int64 column from the footer's statistics; nullopt without rows or
  // statistics.
  std::optional<std::pair<std::int64_t, std::int64_t>> bounds(std::string_view column) const;
  // "timestamp open_time", … in file order: what verify compares with the schema.
  std::vector<std::string> schema() const;

  // Replaces the content of `values` by the column; its page checksums are verified.
  Status read(std::string_view column, std::vector<std::int64_t>& values);
  Status read(std::string_view column, std::vector<std::int32_t>& values);
  Status read(std::string_view column, std::vector<double>& values);
  Status read(std::string_view column, std::vector<std::uint8_t>& values);
  Status read(std::string_view column, std::vector<candles::Source>& values);

 private:
  struct State;
  explicit TableFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Whether a file with these footer entries was written with the Parquet library that this program uses; only
// then can its bytes be compared with what encode_table would write.
bool is_of_this_encoder(const Metadata& metadata);

// How encode_table names a column in schema().
std::string describe(const Column& column);

}  // namespace chandler::lake
