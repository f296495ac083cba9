#include "batch/verify_file.hpp"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/result.h>
#include <fmt/format.h>

#include <algorithm>

#include "candles/clean.hpp"
#include "lake/derived_file.hpp"
#include "lake/kline_file.hpp"
#include "lake/metadata.hpp"
#include "lake/month_days.hpp"

namespace chandler::batch {
namespace {

using lake::Partition;
using lake::PendingFile;
using lake::Storage;
using lake::Table;
using lake::TableFile;

using Bytes = std::shared_ptr<arrow::Buffer>;

// One file in memory, as the lake it lies in: all checks see the same bytes, whatever a writer does
// meanwhile.
class Snapshot final : public lake::Storage {
 public:
  Snapshot(std::string path, Bytes bytes) : path_(std::move(path)), bytes_(std::move(bytes)) {}

  const std::string& uri() const override { return path_; }
  Result<std::vector<lake::StoredFile>> list(std::string_view) const override {
    return std::vector{lake::StoredFile{path_, bytes_->size()}};
  }
  Result<std::vector<std::string>> folders(std::string_view) const override {
    return std::vector<std::string>{};
  }
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> open(std::string_view path) const override {
    if (path != path_) return fail(ErrorCode::not_found, "no such file", std::string(path));
    return std::make_shared<arrow::io::BufferReader>(bytes_);
  }
  Status replace(std::span<const PendingFile>) override { return read_only(); }
  Status remove(std::string_view) override { return read_only(); }
  Result<std::unique_ptr<lake::WriterLock>> lock_for_writing(std::string_view, lake::TableGroup,
                                                             std::chrono::milliseconds) override {
    return std::unexpected(read_only().error());
  }
  Status remove_unfinished(lake::TableGroup) override { return read_only(); }

 private:
  Status read_only() const { return fail(ErrorCode::internal, "a snapshot is read only", path_); }
  std::string path_;
  Bytes bytes_;
};

Result<Bytes> read_whole(const lake::Storage& storage, const std::string& path) {
  CHANDLER_ASSIGN(const auto file, storage.open(path));
  const auto size = file->GetSize();
  if (!size.ok()) return fail(ErrorCode::unreachable, "the file cannot be read", path);
  auto bytes = file->ReadAt(0, *size);
  if (!bytes.ok() || (*bytes)->size() != *size)
    return fail(ErrorCode::damaged, "the file cannot be read to its end", path);  // e.g. a bad sector
  return *bytes;
}

// What one file was found to be while it was checked.
class Check {
 public:
  Check(const Partition& partition, CheckedFile& result)
      : partition_(partition), path_(lake::path_of(partition)), result_(result) {}

  void violated(std::string what) {
    result_.violations.push_back({path_, std::move(what), remedy_for(partition_)});
  }

  // Other programs call columns nullable; what is read of them is checked row by row.
  void schema(const TableFile& file, std::span<const lake::Column> columns) {
    if (result_.rewritten) return;
    std::vector<std::string> wanted;
    for (const lake::Column& column : columns) wanted.push_back(lake::describe(column));
    const auto found = file.schema();
    if (found == wanted) return;
    for (std::size_t i = 0; i < std::max(found.size(), wanted.size()); ++i) {
      const std::string has = i < found.size() ? found[i] : "nothing";
      const std::string should = i < wanted.size() ? wanted[i] : "nothing";
      if (has != should)
        return violated(fmt::format("column {} is '{}', it should be '{}'", i + 1, has, should));
    }
  }

  // Whether another program has written the file. One that keeps our entries cannot keep all that the seal is
  // of: with a seal that holds, it is only the program's name in the footer that was changed.
  void writer(const TableFile& file) {
    result_.rewritten = !file.is_of_chandler();
    if (!result_.rewritten) return;
    const auto seal = file.metadata().find(lake::kSealKey);
    if (seal != file.metadata().end() && seal->second == lake::seal_of(file.metadata())) {
      violated("its footer names another program as its writer, under chandler's seal");
    }
  }

  void encoding(const TableFile& file, const Bytes& stored, const Storage& snapshot) {
    if (result_.rewritten) return;
    if (!lake::is_of_this_encoder(file.metadata())) {
      result_.of_another_encoder = true;
      return;
    }
    const auto again = encode_again(snapshot, partition_);
    if (!again) {
      violated("its content cannot be encoded again: " + again.error().what);
    } else if (!again->bytes->Equals(*stored)) {
      violated("its bytes are not those that chandler writes for this content");
    }
  }

 private:
  const Partition& partition_;
  std::string path_;
  CheckedFile& result_;
};

// Rows that cannot be candles, as one violation however many there are.
void check_possible(const candles::Klines& rows, std::int64_t grid_ms, Check& check) {
  std::size_t count = 0;
  std::string first;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto reason = candles::impossible(rows.at(i), grid_ms);
    if (!reason) continue;
    if (count++ == 0)
      first = fmt::format("the candle of {}: {}", format_minute(from_ms(rows.open_time[i])),
                          candles::describe(*reason, grid_ms));
  }
  if (count > 0)
    check.violated(count == 1 ? first : fmt::format("{} impossible candles, first {}", count, first));
}

void check_asked(const RangeSet& asked, std::int64_t grid_ms, Check& check) {
  for (const TimeRange& range : asked) {
    if (to_ms(range.begin) % grid_ms == 0 && to_ms(range.end) % grid_ms == 0) continue;
    return check.violated(fmt::format("it says that the exchange was asked for {}–{}, which cuts a candle",
                                      format_instant(range.begin), format_instant(range.end)));
  }
}

// What the exchange gave, it gave as an answer, and it answers for closed candles only: one of its rows
// outside of what was asked may have been stored while it was still open.
void check_answered(const candles::Klines& rows, const RangeSet& asked, Check& check) {
  std::size_t range = 0, count = 0;
  std::optional<Timestamp> first;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (candles::rank(rows.source[i]) < candles::rank(candles::Source::rest)) continue;
    const Timestamp t = from_ms(rows.open_time[i]);
    while (range < asked.ranges().size() && asked.ranges()[range].end <= t) ++range;
    if (range < asked.ranges().size() && asked.ranges()[range].contains(t)) continue;
    if (count++ == 0) first = t;
  }
  if (count == 0) return;
  check.violated(
      fmt::format("{} of the exchange without an answer that covers {}, first {}: perhaps still open",
                  count == 1 ? "a candle" : fmt::format("{} candles", count), count == 1 ? "it" : "them",
                  format_minute(*first)));
}

Status check_klines(const Snapshot& snapshot, const TableFile& file, const Partition& partition,
                    const Bytes& bytes, Check& check) {
  check.schema(file, lake::kline_columns({}));
  CHANDLER_ASSIGN(const auto footer, lake::read_kline_footer(snapshot, partition));
  CHANDLER_ASSIGN(const auto content, lake::read_kline_file(snapshot, partition));
  if (lake::digest_of(content.rows) != footer.digest)
    check.violated("its rows do not have the digest in its footer");
  const auto days = content.metadata.find(lake::kDaysKey);
  if (days != content.metadata.end() && days->second != lake::encode_days(lake::days_of(content.rows)))
    check.violated("the days in its footer are not those of its minutes");
  check_possible(content.rows, footer.grid_ms, check);
  check_asked(content.asked, footer.grid_ms, check);
  if (partition.table != Table::speed_1m) check_answered(content.rows, content.asked, check);
  check.encoding(file, bytes, snapshot);
  return {};
}

void check_days(std::span<const std::int32_t> days, const Partition& partition, Check& check) {
  if (std::ranges::adjacent_find(days, [](std::int32_t a, std::int32_t b) { return b != a + 1; }) !=
      days.end()) {
    check.violated("its days do not follow each other");
  }
  const TimeRange range = partition.range();
  if (!days.empty() && (!range.contains(begin_of(from_day_number(std::ranges::min(days)))) ||
                        !range.contains(begin_of(from_day_number(std::ranges::max(days)))))) {
    check.violated("days lie outside the partition");
  }
}

Status check_daily(const Snapshot& snapshot, const TableFile& file, const Partition& partition,
                   const Bytes& bytes, Check& check) {
  check.schema(file, lake::daily_columns({}));
  CHANDLER_ASSIGN(const auto rows, lake::read_daily(snapshot, partition));
  check_days(rows.date, partition, check);
  check.encoding(file, bytes, snapshot);
  return {};
}

Status check_prophet(const Snapshot& snapshot, const TableFile& file, const Partition& partition,
                     const Bytes& bytes, Check& check) {
  check.schema(file, lake::prophet_columns({}));
  CHANDLER_ASSIGN(const auto rows, lake::read_prophet(snapshot, partition.symbol));
  check_days(rows.ds, partition, check);
  check.encoding(file, bytes, snapshot);
  return {};
}

Status check_content(const Snapshot& snapshot, const Partition& partition, const Bytes& bytes,
                     CheckedFile& result) {
  Check check(partition, result);
  CHANDLER_ASSIGN(const auto file, lake::open_partition(snapshot, partition));
  result.rows = file.rows();
  check.writer(file);
  switch (partition.table) {
    case Table::klines_1m:
    case Table::klines_1d:
    case Table::speed_1m:
      return check_klines(snapshot, file, partition, bytes, check);
    case Table::daily_filled:
      return check_daily(snapshot, file, partition, bytes, check);
    case Table::prophet_input:
      return check_prophet(snapshot, file, partition, bytes, check);
  }
  return {};
}

bool of_another_version(const std::string& path, const Bytes& bytes) {
  const auto file = TableFile::open(std::make_shared<arrow::io::BufferReader>(bytes), path);
  if (!file) return false;
  const auto version = file->metadata().find(lake::kSchemaKey);
  return version != file->metadata().end() && version->second != lake::kSchemaVersion;
}

}  // namespace

std::string remedy_for(const Partition& partition) {
  switch (partition.table) {
    case Table::klines_1m:
    case Table::klines_1d:
      return fmt::format(
          "`chandler backfill --heal {}` sets it aside and fetches what it held again (rows that were "
          "imported: import them again)",
          partition.symbol);
    case Table::speed_1m:
      return fmt::format("`chandler backfill --heal {}` sets it aside and fetches these minutes",
                         partition.symbol);
    case Table::daily_filled:
    case Table::prophet_input:
      return fmt::format("`chandler build {0}` derives it again, as does `chandler backfill --heal {0}`",
                         partition.symbol);
  }
  return {};
}

Result<PendingFile> encode_again(const Storage& storage, const Partition& partition) {
  if (partition.table == Table::prophet_input) {
    CHANDLER_ASSIGN(const auto rows, lake::read_prophet(storage, partition.symbol));
    return lake::prophet_file(partition.symbol, rows, lake::read_prophet_inputs(storage, partition.symbol));
  }
  if (partition.table == Table::daily_filled) {
    CHANDLER_ASSIGN(const auto footer, lake::read_daily_footer(storage, partition));
    CHANDLER_ASSIGN(const auto rows, lake::read_daily(storage, partition));
    return lake::daily_file(partition, rows, footer.provenance, footer.carry_out);
  }
  CHANDLER_ASSIGN(const auto content, lake::read_kline_file(storage, partition));
  return lake::kline_file(partition, content.rows, content.asked, content.metadata);
}

CheckedFile check_file(const lake::Storage& storage, const Partition& partition) {
  CheckedFile result;
  const std::string path = lake::path_of(partition);
  const auto bytes = read_whole(storage, path);
  Status status;
  if (bytes) {
    result.bytes = static_cast<std::size_t>((*bytes)->size());
    status = check_content(Snapshot(path, *bytes), partition, *bytes, result);
  } else if (bytes.error().code != ErrorCode::not_found) {
    status = std::unexpected(bytes.error());
  }
  if (!status) {
    const bool heals =
        status.error().code == ErrorCode::damaged && !(bytes && of_another_version(path, *bytes));
    result.violations.push_back({path, status.error().what, remedy_for(partition), heals});
  }
  return result;
}

}  // namespace chandler::batch
