#include "lake/speed_snapshot.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>

#include "lake/metadata.hpp"

namespace chandler::lake {
namespace {

using candles::Kline;
namespace dom = simdjson::dom;

constexpr std::string_view kFolder = "speed_1m/_open";
constexpr std::string_view kSuffix = ".json";
// The end of a file: ],"digest":"32 hexadecimal digits"}
constexpr std::string_view kBeforeDigest = ",\"digest\":\"", kAfterDigest = "\"}\n";
constexpr std::size_t kDigestDigits = 32;

std::string digest_of(std::string_view text) {
  Digest digest;
  digest.add(text);
  return digest.hex();
}

// What the digest is of and the digest itself, if the text ends with one.
std::optional<std::pair<std::string_view, std::string_view>> split_digest(std::string_view text) {
  constexpr std::size_t kEnd = kBeforeDigest.size() + kDigestDigits + kAfterDigest.size();
  if (text.size() < kEnd || !text.ends_with(kAfterDigest)) return std::nullopt;
  const std::string_view body = text.substr(0, text.size() - kEnd);
  if (!text.substr(body.size()).starts_with(kBeforeDigest)) return std::nullopt;
  return std::pair(body, text.substr(body.size() + kBeforeDigest.size(), kDigestDigits));
}

// A member that is not known was another one before a bit of its name was flipped, say the digest.
bool has_only_known_members(dom::object root) {
  constexpr std::string_view kKnown[] = {"stream", "position", "watermark", "open"};
  return std::ranges::all_of(root, [&](const dom::key_value_pair& member) {
    return std::ranges::find(kKnown, member.key) != std::end(kKnown);
  });
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ') {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string number_or_null(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : std::string("null");
}

void append_candle(std::string& out, const OpenCandle& c) {
  const Kline& k = c.kline;
  fmt::format_to(
      std::back_inserter(out),
      R"({{"symbol":{},"event_time":{},"open_time":{},"open":{},"high":{},"low":{},"close":{},)"
      R"("volume":{},"quote_volume":{},"taker_buy_volume":{},"taker_buy_quote_volume":{},"trades":{}}})",
      json_string(c.symbol), to_ms(c.event_time), k.open_time, k.open, k.high, k.low, k.close, k.volume,
      number_or_null(k.quote_volume), number_or_null(k.taker_buy_volume),
      number_or_null(k.taker_buy_quote_volume),
      k.trades == candles::kUnknownTrades ? std::string("null") : fmt::format("{}", k.trades));
}

double number(dom::element candle, const char* key) {
  double value = candles::kUnknown;
  if (candle[key].get(value)) return candles::kUnknown;
  return value;
}

std::optional<std::int64_t> whole(dom::element object, const char* key) {
  std::int64_t value = 0;
  if (object[key].get(value)) return std::nullopt;
  return value;
}

std::optional<OpenCandle> candle_of(dom::element object, std::string_view symbol) {
  const auto open_time = whole(object, "open_time");
  const auto event_time = whole(object, "event_time");
  if (!open_time || !event_time) return std::nullopt;
  OpenCandle c{std::string(symbol), from_ms(*event_time), {}};
  Kline& k = c.kline;
  k.open_time = *open_time;
  k.open = number(object, "open");
  k.high = number(object, "high");
  k.low = number(object, "low");
  k.close = number(object, "close");
  k.volume = number(object, "volume");
  k.quote_volume = number(object, "quote_volume");
  k.taker_buy_volume = number(object, "taker_buy_volume");
  k.taker_buy_quote_volume = number(object, "taker_buy_quote_volume");
  k.trades = whole(object, "trades").value_or(candles::kUnknownTrades);
  k.source = candles::Source::stream;
  const bool complete = std::isfinite(k.open) && std::isfinite(k.high) && std::isfinite(k.low) &&
                        std::isfinite(k.close) && std::isfinite(k.volume);
  if (!complete) return std::nullopt;
  return c;
}

}  // namespace

std::string snapshot_path(std::string_view stream) {
  std::string file;
  for (const char c : stream) {
    if (is_plain(c)) {
      file += c;
    } else {
      file += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return fmt::format("{}/{}{}", kFolder, file, kSuffix);
}

bool is_snapshot(std::string_view path) {
  return path.starts_with(kFolder) && path.ends_with(kSuffix);
}

std::string to_text(const SpeedSnapshot& snapshot) {
  std::string out =
      fmt::format(R"({{"stream":{},"position":{},"watermark":{},"open":[)", json_string(snapshot.stream),
                  snapshot.position ? fmt::format("{}", *snapshot.position) : "null",
                  snapshot.watermark ? fmt::format("{}", to_ms(*snapshot.watermark)) : "null");
  for (std::size_t i = 0; i < snapshot.open.size(); ++i) {
    out += i == 0 ? "\n" : ",\n";
    append_candle(out, snapshot.open[i]);
  }
  out += ']';
  const std::string digest = digest_of(out);
  return fmt::format("{}{}{}{}", out, kBeforeDigest, digest, kAfterDigest);
}

Result<SpeedSnapshot> parse_snapshot(std::string_view text, std::string_view symbol) {
  const auto damaged = [](std::string what) { return fail(ErrorCode::damaged, std::move(what)); };
  dom::parser parser;
  dom::element root;
  if (text.empty() || parser.parse(text.data(), text.size()).get(root))
    return damaged("the snapshot is not JSON");
  dom::object members;
  if (root.get(members)) return damaged("the snapshot is not a JSON object");
  const auto sealed = split_digest(text);
  if (sealed ? digest_of(sealed->first) != sealed->second : !has_only_known_members(members))
    return damaged("the snapshot was changed after it was written");
  SpeedSnapshot snapshot;
  std::string_view stream;
  if (root["stream"].get(stream)) return damaged("the snapshot names no stream");
  snapshot.stream = stream;
  snapshot.position = whole(root, "position");
  if (const auto t = whole(root, "watermark")) snapshot.watermark = from_ms(*t);
  dom::array open;
  if (root["open"].get(open)) return damaged("the snapshot has no open candles");
  for (const dom::element object : open) {
    std::string_view name;
    if (object["symbol"].get(name)) return damaged("an open candle has no symbol");
    if (!symbol.empty() && name != symbol) continue;
    auto candle = candle_of(object, name);
    if (!candle) return damaged("an open candle lacks a field");
    snapshot.open.push_back(std::move(*candle));
  }
  return snapshot;
}

Result<std::optional<SpeedSnapshot>> read_snapshot(const Storage& storage, std::string_view stream) {
  const std::string path = snapshot_path(stream);
  const auto text = read_text(storage, path);
  if (!text && text.error().code == ErrorCode::not_found) return std::nullopt;
  if (!text) return std::unexpected(text.error());
  auto snapshot = parse_snapshot(*text);
  if (!snapshot) return fail(ErrorCode::damaged, snapshot.error().what, path, "remove the file");
  return std::optional(std::move(*snapshot));
}

Result<std::vector<SpeedSnapshot>> read_snapshots(const Storage& storage, std::string_view symbol) {
  std::vector<SpeedSnapshot> snapshots;
  CHANDLER_ASSIGN(const auto files, storage.list(kFolder));
  for (const StoredFile& file : files) {
    if (!file.path.ends_with(kSuffix)) continue;
    CHANDLER_ASSIGN(const std::string text, read_text(storage, file.path));
    auto snapshot = parse_snapshot(text, symbol);
    if (!snapshot) return fail(ErrorCode::damaged, snapshot.error().what, file.path, "remove the file");
    snapshots.push_back(std::move(*snapshot));
  }
  return snapshots;
}

}  // namespace chandler::lake
