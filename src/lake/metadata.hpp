// The keys of chandler's entries in a file's Parquet metadata.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "candles/daily.hpp"
#include "candles/klines.hpp"
#include "lake/table_file.hpp"

namespace chandler::lake {

inline constexpr std::string_view kSchemaVersion = "1";

inline constexpr const char* kSchemaKey = "chandler.schema";  // version of the layout of this table
inline constexpr const char* kTableKey = "chandler.table";    // the table's name
inline constexpr const char* kDigestKey = "chandler.digest";  // XXH3-128 of all values in all columns
inline constexpr const char* kAskedKey = "chandler.asked";    // RangeSet the exchange has answered for
inline constexpr const char* kLastSourceKey = "chandler.last_source";  // source of the last row
inline constexpr const char* kDaysKey =
    "chandler.days";  // of klines_1m: the days that its rows give (month_days.hpp)
inline constexpr const char* kInputsKey = "chandler.inputs";       // what a derived file was derived from
inline constexpr const char* kCarryInKey = "chandler.carry_in";    // digest of the carry it began with
inline constexpr const char* kCarryOutKey = "chandler.carry_out";  // the carry it ends with
inline constexpr const char* kFilledKey = "chandler.filled";       // filled days in the file
inline constexpr const char* kCreatedBy = "chandler";              // what Parquet calls the application
inline constexpr const char* kEncoderKey =
    "chandler.encoder";  // what encoded the file: library, version, choice of encodings

// Seal of the other entries; written by encode_table. Pages have checksums, Parquet's footer has none: with
// the seal a changed digit of, say, the asked ranges is found.
inline constexpr const char* kSealKey = "chandler.seal";

// XXH3-128 (xxhash), as 32 hexadecimal digits, of a sequence of byte blocks.
class Digest {
 public:
  Digest();
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  ~Digest();
  void add(const void* bytes, std::size_t count);
  template <class T>
  void add(std::span<const T> values) {
    const std::uint64_t count = values.size();
    add(&count, sizeof count);
    add(values.data(), values.size_bytes());
  }
  void add(std::string_view text) { add(std::span(text.data(), text.size())); }
  std::string hex() const;

 private:
  void* state_;
};

// XXH3-128 of all keys and values but the seal itself.
std::string seal_of(const Metadata& metadata);

std::string digest_of(const candles::Klines& klines);
std::string digest_of(const candles::Carry& carry);

// Closes as hexadecimal floating point, which round-trips exactly.
std::string encode(const candles::Carry& carry);
Result<candles::Carry> decode_carry(std::string_view text);

}  // namespace chandler::lake
