// Partitions of klines: klines_1m (a month), klines_1d (a year) and speed_1m (a day) have the same columns.
#pragma once

#include "base/range_set.hpp"
#include "candles/klines.hpp"
#include "lake/layout.hpp"
#include "lake/metadata.hpp"
#include "lake/storage.hpp"
#include "lake/table_file.hpp"

namespace chandler::lake {

// What a footer tells, without reading a row.
struct KlineFooter {
  Partition partition;
  std::size_t rows = 0;
  std::optional<Timestamp> first, last;  // open times
  RangeSet asked;                        // ranges for which the exchange has answered
  std::string digest;
  std::optional<candles::Source> last_source;
  std::int64_t grid_ms = kMinuteMs;
  std::string days;  // kDaysKey, where it was asked for and the file has it

  // No minute is missing between the first and the last.
  bool without_holes() const;
};

// Which columns to read; those left out stay empty.
enum class KlineFields {
  open_time,
  daily,  // all that a daily roll-up needs: open_time, prices, volume, quote_volume, trades
  all
};

// The file of a partition, to be handed to Storage::replace. Rows sorted, unique and inside the partition's
// range
// (`internal` error otherwise: a defect, caught before it reaches the disk). `extra` is added to the
// metadata.
Result<PendingFile> kline_file(const Partition& partition, const candles::Klines& rows, const RangeSet& asked,
                               const Metadata& extra = {});

// The days of a month are kilobytes, so they are left out unless somebody wants them.
enum class FooterDays { left_out, kept };
Result<KlineFooter> read_kline_footer(const Storage& storage, const Partition& partition,
                                      FooterDays days = FooterDays::left_out);
// not_found if the partition is not there. Checks the schema version and that rows are sorted, unique and
// inside.
Result<candles::Klines> read_klines(const Storage& storage, const Partition& partition,
                                    KlineFields fields = KlineFields::all);

// The same of a file that is open already, e.g. one that is staged.
Result<candles::Klines> read_klines(std::shared_ptr<arrow::io::RandomAccessFile> file,
                                    const Partition& partition, KlineFields fields = KlineFields::all);

struct KlineFile {
  candles::Klines rows;
  RangeSet asked;
  Metadata metadata;
};
// Rows and asked ranges together; both empty if the partition is not there.
Result<KlineFile> read_kline_file(const Storage& storage, const Partition& partition);

// The columns of a kline table, in file order.
std::vector<Column> kline_columns(const candles::Klines& rows);
constexpr std::int64_t grid_of(Table table) {
  return table == Table::klines_1d ? kDayMs : kMinuteMs;
}

// Opens the file of a partition and checks that it is of this table and schema version.
Result<TableFile> open_partition(const Storage& storage, const Partition& partition);
// The same for readers of the footer and its entries alone.
Result<TableFile> open_partition_footer(const Storage& storage, const Partition& partition);

}  // namespace chandler::lake
