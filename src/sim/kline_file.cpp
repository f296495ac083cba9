#include "sim/kline_file.hpp"

#include <zip.h>
#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <vector>

#include "base/log.hpp"
#include "exchange/kline_csv.hpp"

namespace chandler::sim {
namespace {

using candles::Klines;

constexpr std::size_t kMaxUnpackedBytes = std::size_t{4} << 30;

Result<std::string> read_plain(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in) return fail(ErrorCode::unreachable, "the file cannot be read", path.string());
  return text;
}

Result<std::string> read_gzip(const std::filesystem::path& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) return fail(ErrorCode::unreachable, "the file cannot be read", path.string());
  std::string text;
  std::vector<char> chunk(1 << 18);
  int n;
  while ((n = gzread(file.get(), chunk.data(), static_cast<unsigned>(chunk.size()))) > 0) {
    text.append(chunk.data(), static_cast<std::size_t>(n));
    if (text.size() > kMaxUnpackedBytes)
      return fail(ErrorCode::invalid_data, "the file unpacks to more than 4 GiB", path.string());
  }
  int state = Z_OK;
  gzerror(file.get(), &state);
  if (n < 0 || state != Z_OK)
    return fail(ErrorCode::invalid_data, "the file is not whole gzip", path.string());
  return text;
}

Result<std::string> read_zip(const std::filesystem::path& path) {
  int code = 0;
  const std::unique_ptr<zip_t, void (*)(zip_t*)> archive(zip_open(path.c_str(), ZIP_RDONLY, &code),
                                                         zip_discard);
  if (!archive) return fail(ErrorCode::invalid_data, "the file is not a readable zip", path.string());
  std::string text;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive.get(), 0); ++i) {
    zip_stat_t stat;
    if (zip_stat_index(archive.get(), static_cast<zip_uint64_t>(i), 0, &stat) != 0) continue;
    if (!std::string_view(stat.name).ends_with(".csv")) continue;
    if (stat.size > kMaxUnpackedBytes)
      return fail(ErrorCode::invalid_data, "the zip unpacks to more than 4 GiB", path.string());
    const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(
        zip_fopen_index(archive.get(), static_cast<zip_uint64_t>(i), 0), zip_fclose);
    const std::size_t at = text.size();
    text.resize(at + stat.size);
    if (!file || zip_fread(file.get(), text.data() + at, stat.size) != static_cast<zip_int64_t>(stat.size)) {
      return fail(ErrorCode::invalid_data, "the zip is damaged", path.string());
    }
    if (!text.empty() && text.back() != '\n') text += '\n';
  }
  return text;
}

std::optional<FileIdentity> identity_by_name(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (!name.ends_with(".csv") && !name.ends_with(".csv.gz") && !name.ends_with(".zip")) return std::nullopt;
  const auto cut = name.find_first_of("-_");
  if (cut == std::string::npos || cut == 0) return std::nullopt;
  const auto end = name.find_first_of("-_.", cut + 1);
  const auto interval = candles::parse_interval(std::string_view(name).substr(cut + 1, end - cut - 1));
  if (interval != candles::Interval::m1 && interval != candles::Interval::d1) return std::nullopt;
  return FileIdentity{name.substr(0, cut), *interval};
}

bool is_served(std::string_view symbol) {
  return std::ranges::all_of(symbol, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
}

}  // namespace

std::optional<FileIdentity> identify(const std::filesystem::path& path) {
  auto identity = identity_by_name(path);
  if (identity && !is_served(identity->symbol)) identity.reset();
  return identity;
}

bool is_of_symbol_not_served(const std::filesystem::path& path) {
  const auto identity = identity_by_name(path);
  return identity && !is_served(identity->symbol);
}

Result<Klines> read_kline_file(const std::filesystem::path& path, candles::Interval interval) {
  const std::string name = path.filename().string();
  CHANDLER_ASSIGN(const std::string text, name.ends_with(".zip")  ? read_zip(path)
                                          : name.ends_with(".gz") ? read_gzip(path)
                                                                  : read_plain(path));
  exchange::KlineCsvReader reader({interval, candles::Source::archive});
  exchange::KlineCsvBatch batch;
  auto read = reader.push(text, batch);
  if (read) read = reader.finish(batch);
  if (!read) {
    read.error().where = path.string();
    return std::unexpected(read.error());
  }
  if (!batch.rejects.empty()) {
    spdlog::warn("{}:{}: {}; {} row(s) of the file are left out", path.string(), batch.rejects.front().line,
                 batch.rejects.front().reason, batch.rejects.size());
  }
  return std::move(batch.rows);
}

}  // namespace chandler::sim
