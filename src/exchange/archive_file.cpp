#include "exchange/archive_file.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <zip.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/percent_code.hpp"
#include "http/transport.hpp"

namespace chandler::exchange {
namespace {

struct ZipDeleter {
  void operator()(zip_t* zip) const { zip_discard(zip); }
};
struct ZipFileDeleter {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using Zip = std::unique_ptr<zip_t, ZipDeleter>;
using ZipFile = std::unique_ptr<zip_file_t, ZipFileDeleter>;

std::unexpected<Error> damaged(std::string what) {
  return fail(ErrorCode::invalid_data, std::move(what));
}

std::string clause(zip_error_t* error) {
  std::string text = zip_error_strerror(error);
  zip_error_fini(error);
  return text;
}

Result<Zip> open_zip(std::string_view bytes) {
  if (bytes.size() > kMaxZipBytes) return damaged("the zip is too large for an archive file");
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  if (source == nullptr) return damaged("the zip cannot be opened: " + clause(&error));
  Zip zip(zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error));
  if (!zip) {
    zip_source_free(source);
    return damaged("the zip cannot be opened: " + clause(&error));
  }
  zip_error_fini(&error);
  return zip;
}

// One entry, of the name that the zip's own name promises, and not larger than a month can be.
Status check_entry(zip_t* zip, const std::string& name) {
  const zip_int64_t entries = zip_get_num_entries(zip, 0);
  if (entries != 1) return damaged(fmt::format("the zip holds {} files instead of one", entries));
  zip_stat_t stat;
  if (zip_stat_index(zip, 0, 0, &stat) != 0 || (stat.valid & ZIP_STAT_NAME) == 0 ||
      (stat.valid & ZIP_STAT_SIZE) == 0)
    return damaged("the zip does not say what it holds");
  if (name != stat.name) return damaged(fmt::format("the zip holds '{}' instead of '{}'", stat.name, name));
  if (stat.size > kMaxCsvBytes) return damaged(fmt::format("'{}' would unpack to {} bytes", name, stat.size));
  return {};
}

// Unpacks piece by piece into the CSV reader; libzip compares the CRC when it reaches the end.
Status unpack(zip_t* zip, const std::string& name, KlineCsvReader& reader, KlineCsvBatch& batch) {
  const ZipFile file(zip_fopen_index(zip, 0, 0));
  if (!file) return damaged(fmt::format("'{}' cannot be unpacked: {}", name, zip_strerror(zip)));
  std::vector<char> buffer(256u << 10);
  std::size_t total = 0;
  while (true) {
    const zip_int64_t n = zip_fread(file.get(), buffer.data(), buffer.size());
    if (n < 0) return damaged(fmt::format("'{}' is damaged: {}", name, zip_file_strerror(file.get())));
    if (n == 0) break;
    total += static_cast<std::size_t>(n);
    if (total > kMaxCsvBytes) return damaged(fmt::format("'{}' unpacks to more than it may", name));
    CHANDLER_TRY(reader.push({buffer.data(), static_cast<std::size_t>(n)}, batch));
  }
  return reader.finish(batch);
}

std::string interval_segment(candles::Interval interval) {
  // A month's "1M" would be "1m" on a file system that ignores case.
  return interval == candles::Interval::mo1 ? "1mo" : std::string(candles::name(interval));
}

}  // namespace

ArchivePiece ArchivePiece::month(std::string_view symbol, candles::Interval interval, year_month month) {
  return {std::string(symbol), interval, true, first_day(month)};
}

ArchivePiece ArchivePiece::day(std::string_view symbol, candles::Interval interval, Day day) {
  return {std::string(symbol), interval, false, day};
}

TimeRange ArchivePiece::range() const {
  return {begin_of(first), monthly ? end_of(month_of(first)) : end_of(first)};
}

std::string ArchivePiece::stem() const {
  return fmt::format("{}-{}-{}", symbol, interval_segment(interval),
                     monthly ? format_month(month_of(first)) : format_day(first));
}

std::string ArchivePiece::path() const {
  return fmt::format("/data/spot/{}/klines/{}/{}/{}.zip", monthly ? "monthly" : "daily",
                     percent_encode(symbol), interval_segment(interval), percent_encode(stem()));
}

Result<ArchiveRows> read_archive(const ArchivePiece& piece, std::string_view bytes) {
  CHANDLER_ASSIGN(const Zip zip, open_zip(bytes));
  const std::string name = piece.stem() + ".csv";
  CHANDLER_TRY(check_entry(zip.get(), name));
  KlineCsvReader reader({.interval = piece.interval, .source = candles::Source::archive});
  KlineCsvBatch batch;
  CHANDLER_TRY(unpack(zip.get(), name, reader, batch));
  const TimeRange range = piece.range();
  for (const std::int64_t t : batch.rows.open_time) {
    if (range.contains(from_ms(t))) continue;
    return damaged(fmt::format("'{}' holds {}, which is outside {}", name, format_instant(from_ms(t)),
                               format_range(range)));
  }
  if (batch.rows.empty() && !batch.rejects.empty()) {
    return fail(ErrorCode::invalid_data,
                fmt::format("'{}' holds no candle: {}", name, batch.rejects.front().reason),
                fmt::format("{}:{}", name, batch.rejects.front().line));
  }
  return ArchiveRows{std::move(batch.rows), std::move(batch.rejects)};
}

Result<std::string> parse_checksum(std::string_view text, std::string_view zip_name) {
  constexpr std::size_t kDigits = 64;
  constexpr std::string_view kSpace = " \t\r\n";
  std::string digits(text.substr(0, kDigits));
  for (char& c : digits) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (digits.size() != kDigits || !std::ranges::all_of(digits, is_hex))
    return damaged("the CHECKSUM is not a SHA-256");
  std::string_view name = text.substr(kDigits);
  if (name.find_first_of(kSpace) != 0) return damaged("the CHECKSUM is not a SHA-256");
  name.remove_prefix(std::min(name.find_first_not_of(" \t*"), name.size()));
  name = name.substr(0, name.find_last_not_of(kSpace) + 1);
  if (name != zip_name) return damaged(fmt::format("the CHECKSUM is of '{}'", name));
  return digits;
}

}  // namespace chandler::exchange
