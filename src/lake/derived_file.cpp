#include "lake/derived_file.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include "base/parallel.hpp"

namespace chandler::lake {
namespace {

using candles::DailyRows;

std::string text_of(const Metadata& metadata, const char* key) {
  const auto it = metadata.find(key);
  return it == metadata.end() ? std::string{} : it->second;
}

Metadata base_metadata(Table table) {
  return {{kSchemaKey, std::string(kSchemaVersion)}, {kTableKey, std::string(name(table))}};
}

}  // namespace

std::vector<Column> daily_columns(const DailyRows& r) {
  using enum ColumnType;
  return {{"date", date, false, std::span(r.date)},
          {"daily_open", float64, false, std::span(r.open)},
          {"daily_high", float64, false, std::span(r.high)},
          {"daily_low", float64, false, std::span(r.low)},
          {"daily_close", float64, false, std::span(r.close)},
          {"daily_volume", float64, false, std::span(r.volume)},
          {"cnt", int32, false, std::span(r.count)},
          {"filled", boolean, false, std::span(r.filled)},
          {"ma7", float64, false, std::span(r.ma7)},
          {"ma30", float64, false, std::span(r.ma30)},
          {"daily_quote_volume", float64, true, std::span(r.quote_volume)},
          {"daily_trades", int64, true, std::span(r.trades)},
          {"vwap", float64, true, std::span(r.vwap)}};
}

std::vector<Column> prophet_columns(const ProphetRows& r) {
  return {{"ds", ColumnType::date, false, std::span(r.ds)},
          {"y", ColumnType::float64, false, std::span(r.y)}};
}

Result<PendingFile> daily_file(const Partition& partition, const DailyRows& rows,
                               const Provenance& provenance, const candles::Carry& carry_out) {
  Metadata metadata = base_metadata(Table::daily_filled);
  metadata[kInputsKey] = provenance.inputs;
  metadata[kCarryInKey] = provenance.carry_in;
  metadata[kCarryOutKey] = encode(carry_out);
  metadata[kFilledKey] = std::to_string(std::ranges::count(rows.filled, std::uint8_t{1}));
  CHANDLER_ASSIGN(auto bytes, encode_table(daily_columns(rows), metadata));
  return PendingFile{path_of(partition), std::move(bytes)};
}

Result<DailyFooter> read_daily_footer(const Storage& storage, const Partition& partition) {
  CHANDLER_ASSIGN(const auto file, open_partition_footer(storage, partition));
  if (!file.is_of_chandler()) {
    return fail(ErrorCode::damaged, "another program has rewritten the file", file.path(),
                "`chandler build` derives it again");
  }
  DailyFooter footer;
  footer.partition = partition;
  footer.rows = file.rows();
  footer.provenance = {text_of(file.metadata(), kInputsKey), text_of(file.metadata(), kCarryInKey)};
  auto carry = decode_carry(text_of(file.metadata(), kCarryOutKey));
  if (!carry) return fail(ErrorCode::damaged, "the carry cannot be read: " + carry.error().what, file.path());
  footer.carry_out = std::move(*carry);
  const std::string filled = text_of(file.metadata(), kFilledKey);
  std::from_chars(filled.data(), filled.data() + filled.size(), footer.filled);
  return footer;
}

Result<DailyRows> read_daily(const Storage& storage, const Partition& partition) {
  CHANDLER_ASSIGN(auto file, open_partition(storage, partition));
  DailyRows rows;
  CHANDLER_TRY(file.read("date", rows.date));
  CHANDLER_TRY(file.read("daily_open", rows.open));
  CHANDLER_TRY(file.read("daily_high", rows.high));
  CHANDLER_TRY(file.read("daily_low", rows.low));
  CHANDLER_TRY(file.read("daily_close", rows.close));
  CHANDLER_TRY(file.read("daily_volume", rows.volume));
  CHANDLER_TRY(file.read("cnt", rows.count));
  CHANDLER_TRY(file.read("filled", rows.filled));
  CHANDLER_TRY(file.read("ma7", rows.ma7));
  CHANDLER_TRY(file.read("ma30", rows.ma30));
  CHANDLER_TRY(file.read("daily_quote_volume", rows.quote_volume));
  CHANDLER_TRY(file.read("daily_trades", rows.trades));
  CHANDLER_TRY(file.read("vwap", rows.vwap));
  if (!std::ranges::is_sorted(rows.date, std::ranges::less_equal{})) {
    return fail(ErrorCode::damaged, "days are not in order, or repeat", file.path());
  }
  return rows;
}

Result<DailyRows> read_daily(const Storage& storage, std::string_view symbol) {
  CHANDLER_ASSIGN(const auto files, storage.list(directory_of(Table::daily_filled, symbol)));
  std::vector<Partition> partitions;
  for (const StoredFile& file : files) {
    if (auto partition = parse_path(file.path)) partitions.push_back(std::move(*partition));
  }
  std::ranges::sort(partitions);
  std::vector<DailyRows> months(partitions.size());
  CHANDLER_TRY(parallel_for(partitions.size(), storage.concurrency(), [&](std::size_t i) -> Status {
    CHANDLER_ASSIGN(months[i], read_daily(storage, partitions[i]));
    return {};
  }));
  DailyRows all;
  for (const DailyRows& month : months) all.append(month);
  return all;
}

Result<PendingFile> prophet_file(std::string symbol, const ProphetRows& rows, const std::string& inputs) {
  Metadata metadata = base_metadata(Table::prophet_input);
  metadata[kInputsKey] = inputs;
  CHANDLER_ASSIGN(auto bytes, encode_table(prophet_columns(rows), metadata));
  return PendingFile{path_of(prophet_partition(std::move(symbol))), std::move(bytes)};
}

std::string read_prophet_inputs(const Storage& storage, std::string symbol) {
  const auto file = open_partition_footer(storage, prophet_partition(std::move(symbol)));
  return file && file->is_of_chandler() ? text_of(file->metadata(), kInputsKey) : std::string{};
}

Result<ProphetRows> read_prophet(const Storage& storage, std::string symbol) {
  CHANDLER_ASSIGN(auto file, open_partition(storage, prophet_partition(std::move(symbol))));
  ProphetRows rows;
  CHANDLER_TRY(file.read("ds", rows.ds));
  CHANDLER_TRY(file.read("y", rows.y));
  return rows;
}

}  // namespace chandler::lake
