#include "sim/archive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/sha256.hpp"
#include "sim/candle_row.hpp"
#include "sim/faults.hpp"

namespace chandler::sim {
namespace {

using net::HttpResponse;

constexpr std::size_t kKeptBytes = 256 << 20;
// From 2025 on spot archives stamp in microseconds (binance-public-data's README).
constexpr Timestamp kMicrosecondsFrom = from_ms(1'735'689'600'000);

// Takes up to the next `end`, or everything.
std::string_view take_until(std::string_view& rest, char end) {
  const auto at = rest.find(end);
  const std::string_view taken = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
  return taken;
}

// The archive writes a month's candle as 1mo, because file names have no case everywhere.
std::optional<Interval> interval_of(std::string_view text) {
  if (text == "1mo") return Interval::mo1;
  return text == "1M" ? std::nullopt : candles::parse_interval(text);
}

// "2024-05" or "2024-05-01"
std::optional<TimeRange> period_of(std::string_view text, bool monthly) {
  const auto day = parse_day(std::string(text) + (monthly ? "-01" : ""));
  if (!day) return std::nullopt;
  return TimeRange{begin_of(*day), monthly ? end_of(month_of(*day)) : end_of(*day)};
}

HttpResponse no_such_key(std::string_view path) {
  std::string key;
  for (const char c : path.substr(1)) {
    if (c != '<' && c != '>' && c != '&') key += c;
  }
  return HttpResponse::text(
      404, "application/xml",
      fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code><Message>The "
                  "specified key does not exist.</Message><Key>{}</Key></Error>",
                  key));
}

// Neither the signature of the entry nor its sizes: a zip that opens, but whose content is not what its CRC
// says.
void flip_crc(std::string& zip) {
  const auto directory = zip.rfind("PK\x01\x02");
  if (directory == std::string::npos) return;
  zip[14] = static_cast<char>(zip[14] ^ 0x5a);
  zip[directory + 16] = static_cast<char>(zip[directory + 16] ^ 0x5a);
}

}  // namespace

std::optional<ArchiveName> parse_archive_path(std::string_view path) {
  constexpr std::string_view kRoot = "/data/spot/";
  if (!path.starts_with(kRoot)) return std::nullopt;
  path.remove_prefix(kRoot.size());
  ArchiveName name;
  const std::string_view frequency = take_until(path, '/');
  name.monthly = frequency == "monthly";
  if (!name.monthly && frequency != "daily") return std::nullopt;
  if (take_until(path, '/') != "klines") return std::nullopt;
  name.symbol = take_until(path, '/');
  const std::string_view interval = take_until(path, '/');
  const auto parsed = interval_of(interval);
  if (!parsed) return std::nullopt;
  name.interval = *parsed;
  name.checksum = path.ends_with(".CHECKSUM");
  if (name.checksum) path.remove_suffix(9);
  name.file = path;
  const std::string start = fmt::format("{}-{}-", name.symbol, interval);
  if (!path.starts_with(start) || !path.ends_with(".zip")) return std::nullopt;
  const auto period = period_of(path.substr(start.size(), path.size() - start.size() - 4), name.monthly);
  if (!period) return std::nullopt;
  name.period = *period;
  return name;
}

Timestamp Archive::published(const ArchiveName& name) const {
  return name.period.end + (name.monthly ? options_.month_lag : options_.day_lag);
}

std::optional<Damage> Archive::damage_of(const ArchiveName& name) const {
  Random random(options_.seed ^ hash_of(name.file));
  random.next();
  if (!random.chance(options_.damaged)) return std::nullopt;
  const auto damage = static_cast<Damage>(random.below(kDamageKinds));
  return damage == Damage::lacks_days && !name.monthly ? Damage::flipped_bytes : damage;
}

std::string Archive::make_csv(const ArchiveName& name, TimeRange period, bool lack_days) const {
  const Listing* listing = market_->find(name.symbol);
  std::string csv;
  if (!listing) return csv;
  CandleQuery query{name.interval, period.begin, period.end - Millis{1}, 1'000'000, Millis{0}};
  const auto rows = listing->candles(query, std::max(listing->end(), period.end) + 32 * kDay);
  csv.reserve(rows.size() * 150);
  const RowStyle style =
      period.begin >= kMicrosecondsFrom ? RowStyle::csv_microseconds : RowStyle::csv_milliseconds;
  for (const Candle& candle : rows) {
    if (from_ms(candle.close_time) >= published(name))
      continue;  // a week that outlasts its month is not closed yet
    const auto day = (from_ms(candle.values.open_time) - period.begin) / kDay;
    if (lack_days && (day == 9 || day == 10)) continue;
    append_row(csv, candle, style);
  }
  return csv;
}

std::shared_ptr<const std::string> Archive::zip_of(const ArchiveName& name) const {
  const std::lock_guard lock(mutex_);  // also so that two clients of one file make it once
  if (const auto found = kept_.find(name.file); found != kept_.end()) {
    found->second.used = ++uses_;
    return found->second.bytes;
  }
  const auto damage = damage_of(name);
  TimeRange period = name.period;
  if (damage == Damage::other_period) {
    period = {name.monthly ? begin_of(month_of(period.begin) - std::chrono::months{1}) : period.begin - kDay,
              period.begin};
  }
  std::string csv = make_csv(name, period, damage == Damage::lacks_days);
  if (csv.empty()) csv = make_csv(name, name.period, false);
  if (csv.empty()) return nullptr;
  std::string zip = make_zip(name.file.substr(0, name.file.size() - 4) + ".csv", csv, published(name));
  if (damage == Damage::bad_crc) flip_crc(zip);
  auto bytes = std::make_shared<const std::string>(std::move(zip));
  kept_bytes_ += bytes->size();
  kept_[name.file] = {bytes, ++uses_};
  while (kept_bytes_ > kKeptBytes && kept_.size() > 1) {
    const auto oldest =
        std::ranges::min_element(kept_, {}, [](const auto& entry) { return entry.second.used; });
    kept_bytes_ -= oldest->second.bytes->size();
    kept_.erase(oldest);
  }
  return bytes;
}

HttpResponse Archive::answer(const net::HttpRequest& request, Timestamp now) const {
  if (request.method != "GET" && request.method != "HEAD")
    return HttpResponse::text(405, "application/xml", "<Error/>");
  const auto name = parse_archive_path(request.path);
  if (!name || now < published(*name)) return no_such_key(request.path);
  const auto damage = damage_of(*name);
  if (name->checksum && damage == Damage::no_checksum) return no_such_key(request.path);
  const auto zip = zip_of(*name);
  if (!zip) return no_such_key(request.path);
  if (name->checksum) {
    const std::string digest = sha256_hex(damage == Damage::wrong_checksum ? name->file : *zip);
    return HttpResponse::text(200, "binary/octet-stream", fmt::format("{}  {}\n", digest, name->file));
  }
  HttpResponse response = HttpResponse::text(200, "application/zip", {});
  if (damage == Damage::flipped_bytes) {
    response.body = *zip;
    for (std::size_t at = response.body.size() / 2; at < response.body.size() / 2 + 4; ++at) {
      response.body[at] = static_cast<char>(~response.body[at]);
    }
  } else {
    response.shared_body = zip;
  }
  return response;
}

}  // namespace chandler::sim
