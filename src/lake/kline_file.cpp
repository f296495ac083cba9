#include "lake/kline_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "candles/clean.hpp"
#include "lake/month_days.hpp"

namespace chandler::lake {
namespace {

using candles::Klines;

std::string_view value_or_empty(const Metadata& metadata, std::string_view key) {
  const auto it = metadata.find(key);
  return it == metadata.end() ? std::string_view{} : std::string_view(it->second);
}

Result<KlineFooter> footer_of(const TableFile& file, const Partition& partition, FooterDays days) {
  KlineFooter footer;
  footer.partition = partition;
  footer.rows = file.rows();
  footer.grid_ms = grid_of(partition.table);
  auto asked = RangeSet::decode(value_or_empty(file.metadata(), kAskedKey));
  if (!asked)
    return fail(ErrorCode::damaged, "the asked ranges cannot be read: " + asked.error().what, file.path());
  footer.asked = std::move(*asked);
  footer.digest = value_or_empty(file.metadata(), kDigestKey);
  footer.last_source = candles::parse_source(value_or_empty(file.metadata(), kLastSourceKey));
  if (days == FooterDays::kept) footer.days = value_or_empty(file.metadata(), kDaysKey);
  if (footer.rows > 0) {
    const auto bounds = file.bounds("open_time");
    if (!bounds) return fail(ErrorCode::damaged, "the footer lacks the bounds of open_time", file.path());
    const TimeRange range = partition.range();
    if (bounds->first > bounds->second || !range.contains(from_ms(bounds->first)) ||
        !range.contains(from_ms(bounds->second))) {
      return fail(ErrorCode::damaged, "the bounds of open_time in the footer lie outside the partition",
                  file.path());
    }
    footer.first = from_ms(bounds->first);
    footer.last = from_ms(bounds->second);
  }
  return footer;
}

Status check_rows(const Klines& rows, const Partition& partition, const std::string& where, ErrorCode code) {
  if (!candles::is_sorted_unique(rows.open_time))
    return fail(code, "rows are not in order of time, or repeat", where);
  const TimeRange range = partition.range();
  if (!rows.empty() &&
      (!range.contains(from_ms(rows.open_time.front())) || !range.contains(from_ms(rows.open_time.back())))) {
    return fail(code, "rows lie outside the partition", where);
  }
  return {};
}

Status read_fields(TableFile& file, KlineFields fields, Klines& rows) {
  CHANDLER_TRY(file.read("open_time", rows.open_time));
  if (fields == KlineFields::open_time) return {};
  CHANDLER_TRY(file.read("open", rows.open));
  CHANDLER_TRY(file.read("high", rows.high));
  CHANDLER_TRY(file.read("low", rows.low));
  CHANDLER_TRY(file.read("close", rows.close));
  CHANDLER_TRY(file.read("volume", rows.volume));
  CHANDLER_TRY(file.read("quote_volume", rows.quote_volume));
  CHANDLER_TRY(file.read("trades", rows.trades));
  if (fields == KlineFields::daily) return {};
  CHANDLER_TRY(file.read("taker_buy_volume", rows.taker_buy_volume));
  CHANDLER_TRY(file.read("taker_buy_quote_volume", rows.taker_buy_quote_volume));
  return file.read("source", rows.source);
}

// What another program has rewritten may have other rows than those for which its entries were made, and all
// of them are told from its rows instead. Of the exchange's answers no more is known than the rows that it
// gave: holes are asked for again.
Result<KlineFile> read_rewritten(TableFile& file, const Partition& partition) {
  KlineFile content;
  CHANDLER_TRY(read_fields(file, KlineFields::all, content.rows));
  CHANDLER_TRY(check_rows(content.rows, partition, file.path(), ErrorCode::damaged));
  const std::int64_t grid = grid_of(partition.table);
  for (std::size_t i = 0; i < content.rows.size(); ++i) {
    const candles::Kline row = content.rows.at(i);
    if (const auto reason = candles::impossible(row, grid)) {
      return fail(
          ErrorCode::damaged,
          fmt::format("another program has rewritten the file, and its candle of {} is impossible: {}",
                      format_minute(from_ms(row.open_time)), candles::describe(*reason, grid)),
          file.path());
    }
    if (candles::rank(row.source) < candles::rank(candles::Source::rest)) continue;
    content.asked.add({from_ms(row.open_time), from_ms(row.open_time + grid)});
  }
  content.metadata = {{kSchemaKey, std::string(kSchemaVersion)},
                      {kTableKey, std::string(name(partition.table))},
                      {kDigestKey, digest_of(content.rows)}};
  return content;
}

KlineFooter footer_of(const KlineFile& content, const Partition& partition) {
  KlineFooter footer;
  footer.partition = partition;
  footer.rows = content.rows.size();
  footer.grid_ms = grid_of(partition.table);
  footer.asked = content.asked;
  footer.digest = value_or_empty(content.metadata, kDigestKey);
  if (!content.rows.empty()) {
    footer.last_source = content.rows.source.back();
    footer.first = from_ms(content.rows.open_time.front());
    footer.last = from_ms(content.rows.open_time.back());
  }
  return footer;
}

}  // namespace

bool KlineFooter::without_holes() const {
  if (!first) return true;
  return (to_ms(*last) - to_ms(*first)) / grid_ms + 1 == static_cast<std::int64_t>(rows);
}

std::vector<Column> kline_columns(const Klines& k) {
  using enum ColumnType;
  return {{"open_time", timestamp, false, std::span(k.open_time)},
          {"open", float64, false, std::span(k.open)},
          {"high", float64, false, std::span(k.high)},
          {"low", float64, false, std::span(k.low)},
          {"close", float64, false, std::span(k.close)},
          {"volume", float64, false, std::span(k.volume)},
          {"quote_volume", float64, true, std::span(k.quote_volume)},
          {"taker_buy_volume", float64, true, std::span(k.taker_buy_volume)},
          {"taker_buy_quote_volume", float64, true, std::span(k.taker_buy_quote_volume)},
          {"trades", int64, true, std::span(k.trades)},
          {"source", source, false, std::span(k.source)}};
}

Result<PendingFile> kline_file(const Partition& partition, const Klines& rows, const RangeSet& asked,
                               const Metadata& extra) {
  std::string path = path_of(partition);
  CHANDLER_TRY(check_rows(rows, partition, path, ErrorCode::internal));
  Metadata metadata = extra;
  metadata[kSchemaKey] = kSchemaVersion;
  metadata[kTableKey] = name(partition.table);
  metadata[kDigestKey] = digest_of(rows);
  metadata[kAskedKey] = asked.encode();
  if (!rows.empty()) metadata[kLastSourceKey] = candles::name(rows.source.back());
  if (partition.table == Table::klines_1m) metadata[kDaysKey] = encode_days(days_of(rows));
  CHANDLER_ASSIGN(auto bytes, encode_table(kline_columns(rows), metadata));
  return PendingFile{std::move(path), std::move(bytes)};
}

namespace {

Result<TableFile> open_partition(std::shared_ptr<arrow::io::RandomAccessFile> input,
                                 const Partition& partition) {
  const std::string path = path_of(partition);
  CHANDLER_ASSIGN(auto file, TableFile::open(std::move(input), path));
  const auto version = value_or_empty(file.metadata(), kSchemaKey);
  if (version != kSchemaVersion) {
    return fail(ErrorCode::damaged,
                version.empty() ? std::string("the file was not written by chandler")
                                : fmt::format("the file has schema version {}, this program knows {}",
                                              version, kSchemaVersion),
                path, "use the chandler that wrote the lake, or move the file away and backfill again");
  }
  if (value_or_empty(file.metadata(), kTableKey) != name(partition.table)) {
    return fail(ErrorCode::damaged, "the file belongs to another table", path);
  }
  return file;
}

Result<Klines> read_rows(TableFile file, const Partition& partition, KlineFields fields) {
  Klines rows;
  CHANDLER_TRY(read_fields(file, fields, rows));
  CHANDLER_TRY(check_rows(rows, partition, file.path(), ErrorCode::damaged));
  return rows;
}

}  // namespace

Result<TableFile> open_partition(const Storage& storage, const Partition& partition) {
  CHANDLER_ASSIGN(auto input, storage.open(path_of(partition)));
  return open_partition(std::move(input), partition);
}

Result<TableFile> open_partition_footer(const Storage& storage, const Partition& partition) {
  CHANDLER_ASSIGN(auto input, storage.open_footer(path_of(partition)));
  return open_partition(std::move(input), partition);
}

Result<KlineFooter> read_kline_footer(const Storage& storage, const Partition& partition, FooterDays days) {
  CHANDLER_ASSIGN(auto file, open_partition_footer(storage, partition));
  if (file.is_of_chandler()) return footer_of(file, partition, days);
  CHANDLER_ASSIGN(const KlineFile content, read_rewritten(file, partition));
  return footer_of(content, partition);
}

Result<Klines> read_klines(const Storage& storage, const Partition& partition, KlineFields fields) {
  CHANDLER_ASSIGN(auto file, open_partition(storage, partition));
  return read_rows(std::move(file), partition, fields);
}

Result<Klines> read_klines(std::shared_ptr<arrow::io::RandomAccessFile> input, const Partition& partition,
                           KlineFields fields) {
  CHANDLER_ASSIGN(auto file, open_partition(std::move(input), partition));
  return read_rows(std::move(file), partition, fields);
}

Result<KlineFile> read_kline_file(const Storage& storage, const Partition& partition) {
  auto file = open_partition(storage, partition);
  if (!file) {
    if (file.error().code == ErrorCode::not_found) return KlineFile{};
    return std::unexpected(std::move(file).error());
  }
  if (!file->is_of_chandler()) return read_rewritten(*file, partition);
  KlineFile content;
  CHANDLER_ASSIGN(const auto footer, footer_of(*file, partition, FooterDays::left_out));
  CHANDLER_TRY(read_fields(*file, KlineFields::all, content.rows));
  CHANDLER_TRY(check_rows(content.rows, partition, file->path(), ErrorCode::damaged));
  content.asked = footer.asked;
  content.metadata = file->metadata();
  return content;
}

}  // namespace chandler::lake
