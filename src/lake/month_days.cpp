#include "lake/month_days.hpp"

#include <arrow/result.h>
#include <arrow/util/base64.h>
#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <numeric>

namespace chandler::lake {
namespace {

using candles::Bars;
using candles::Klines;

constexpr auto kDoubles = {&Klines::open,  &Klines::high,   &Klines::low,
                           &Klines::close, &Klines::volume, &Klines::quote_volume};
constexpr std::size_t kColumns = 3 + kDoubles.size();  // with open_time, trades and count
constexpr std::size_t kMinutesOfDay = 1440;

template <class T>
std::uint64_t bits_of(T value) {
  auto bits = std::bit_cast<std::uint64_t>(value);
  if constexpr (std::endian::native == std::endian::big) bits = __builtin_bswap64(bits);
  return bits;
}

template <class T>
T from_bits(std::uint64_t bits) {
  if constexpr (std::endian::native == std::endian::big) bits = __builtin_bswap64(bits);
  return std::bit_cast<T>(bits);
}

template <class T>
void put(std::string& bytes, const std::vector<T>& values) {
  for (const T value : values) {
    const std::uint64_t bits = bits_of(value);
    bytes.append(reinterpret_cast<const char*>(&bits), sizeof bits);
  }
}

template <class T>
void take(std::string_view& bytes, std::size_t count, std::vector<T>& values) {
  values.resize(count);
  for (T& value : values) {
    std::uint64_t bits;
    std::memcpy(&bits, bytes.data(), sizeof bits);
    value = from_bits<T>(bits);
    bytes.remove_prefix(sizeof bits);
  }
}

bool plausible(const Bars& days, const std::vector<std::int64_t>& counts, const Partition& partition,
               std::size_t rows) {
  const TimeRange range = partition.range();
  std::size_t total = 0;
  for (std::size_t i = 0; i < days.rows.size(); ++i) {
    const std::int64_t t = days.rows.open_time[i];
    if (t % kDayMs != 0 || !range.contains(from_ms(t))) return false;
    if (i > 0 && t <= days.rows.open_time[i - 1]) return false;
    if (counts[i] < 1 || counts[i] > static_cast<std::int64_t>(kMinutesOfDay)) return false;
    total += static_cast<std::size_t>(counts[i]);
  }
  return total == rows;
}

}  // namespace

Bars days_of(const Klines& minutes) {
  candles::KlineSpans spans = candles::spans_of(minutes);
  spans.taker_buy_volume = {};
  spans.taker_buy_quote_volume = {};
  return candles::roll_up(spans, candles::Interval::d1);
}

std::string encode_days(const Bars& days) {
  std::string bytes;
  bytes.reserve(days.size() * kColumns * sizeof(std::uint64_t));
  put(bytes, days.rows.open_time);
  for (const auto column : kDoubles) put(bytes, days.rows.*column);
  put(bytes, days.rows.trades);
  put(bytes, std::vector<std::int64_t>(days.count.begin(), days.count.end()));
  return arrow::util::base64_encode(bytes);
}

Result<Bars> decode_days(std::string_view text, const Partition& partition, std::size_t rows) {
  const auto damaged = [&] {
    return fail(ErrorCode::damaged, "the days in the footer are not those of its minutes",
                path_of(partition));
  };
  // A text is decoded only after its length is known to be one that days can have.
  constexpr std::size_t kDayBytes = kColumns * sizeof(std::uint64_t);
  if (text.size() > (31 * kDayBytes + 2) / 3 * 4 || text.size() % 4 != 0) return damaged();
  const std::string decoded = arrow::util::base64_decode(text).ValueOr("?");
  if (decoded.size() % kDayBytes != 0) return damaged();
  const std::size_t count = decoded.size() / kDayBytes;
  std::string_view bytes = decoded;
  Bars days;
  take(bytes, count, days.rows.open_time);
  for (const auto column : kDoubles) take(bytes, count, days.rows.*column);
  take(bytes, count, days.rows.trades);
  days.rows.taker_buy_volume.assign(count, candles::kUnknown);
  days.rows.taker_buy_quote_volume.assign(count, candles::kUnknown);
  days.rows.source.assign(count, candles::Kline{}.source);
  std::vector<std::int64_t> counts;
  take(bytes, count, counts);
  if (!plausible(days, counts, partition, rows)) return damaged();
  days.count.assign(counts.begin(), counts.end());
  return days;
}

}  // namespace chandler::lake
