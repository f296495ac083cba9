// The exchange's public archive: one zip of CSV per symbol, interval and month or day, with its SHA-256
// beside it. Layout and format: github.com/binance/binance-public-data and recorded files.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "net/http_message.hpp"
#include "sim/market.hpp"

namespace chandler::sim {

struct ArchiveOptions {
  Millis month_lag = 3 * kDay;              // from a month's end to the appearance of its zip
  Millis day_lag = std::chrono::hours(10);  // likewise for a day
  double damaged = 0;                       // share of the files that are wrong every time they are fetched
  std::uint64_t seed = 1;                   // which, and how
};

// How a file can be wrong.
enum class Damage {
  flipped_bytes,   // the zip is not what its CHECKSUM says
  wrong_checksum,  // the CHECKSUM is another file's
  no_checksum,     // it is not there
  bad_crc,         // the CHECKSUM fits, the zip's own CRC does not
  lacks_days,  // whole in itself, but days of the month are missing; a daily file gets flipped_bytes instead
  other_period,  // whole in itself, but the rows are of the period before
};
inline constexpr std::size_t kDamageKinds = 6;

// What a path under /data/spot asks for.
struct ArchiveName {
  bool monthly = false;
  bool checksum = false;
  std::string symbol;
  Interval interval = Interval::m1;
  TimeRange period;
  std::string file;  // BTCUSDT-1m-2024-05.zip
};
// Nothing where the path cannot be a file of the archive.
std::optional<ArchiveName> parse_archive_path(std::string_view path);

// Thread safe. Making a zip takes up to some tenths of a second; the latest ones made are kept.
class Archive {
 public:
  Archive(std::shared_ptr<const Market> market, ArchiveOptions options)
      : market_(std::move(market)), options_(options) {}

  static bool owns(std::string_view path) { return path.starts_with("/data/"); }
  // 404, as S3 words it, for what is not there or not there yet. The bytes of a file never change.
  net::HttpResponse answer(const net::HttpRequest& request, Timestamp now) const;
  std::optional<Damage> damage_of(const ArchiveName& name) const;

 private:
  std::shared_ptr<const std::string> zip_of(const ArchiveName& name) const;
  std::string make_csv(const ArchiveName& name, TimeRange period, bool lack_days) const;
  Timestamp published(const ArchiveName& name) const;

  std::shared_ptr<const Market> market_;
  ArchiveOptions options_;
  mutable std::mutex mutex_;
  struct Kept {
    std::shared_ptr<const std::string> bytes;
    std::uint64_t used = 0;
  };
  mutable std::map<std::string, Kept> kept_;
  mutable std::size_t kept_bytes_ = 0;
  mutable std::uint64_t uses_ = 0;
};

// A zip with one deflated entry; the same bytes for the same input on every machine and in every time zone.
std::string make_zip(const std::string& entry, const std::string& content, Timestamp modified);

}  // namespace chandler::sim
