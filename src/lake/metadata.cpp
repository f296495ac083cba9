#include "lake/metadata.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <charconv>
#include <cmath>

namespace chandler::lake {

Digest::Digest() : state_(XXH3_createState()) {
  XXH3_128bits_reset(static_cast<XXH3_state_t*>(state_));
}
Digest::~Digest() {
  XXH3_freeState(static_cast<XXH3_state_t*>(state_));
}

void Digest::add(const void* bytes, std::size_t count) {
  XXH3_128bits_update(static_cast<XXH3_state_t*>(state_), bytes, count);
}

std::string Digest::hex() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(static_cast<XXH3_state_t*>(state_));
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::string seal_of(const Metadata& metadata) {
  Digest digest;
  for (const auto& [key, value] : metadata) {
    if (key == kSealKey) continue;
    digest.add(std::string_view(key));
    digest.add(std::string_view(value));
  }
  return digest.hex();
}

std::string digest_of(const candles::Klines& klines) {
  Digest digest;
  candles::for_each_column([&](auto column) {
    const auto& values = klines.*column;
    digest.add(std::span(values));
  });
  return digest.hex();
}

std::string digest_of(const candles::Carry& carry) {
  Digest digest;
  digest.add(std::span(carry.closes));
  return digest.hex();
}

std::string encode(const candles::Carry& carry) {
  std::string text;
  for (const double close : carry.closes) text += fmt::format("{}{:a}", text.empty() ? "" : ",", close);
  return text;
}

Result<candles::Carry> decode_carry(std::string_view text) {
  candles::Carry carry;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    std::string_view digits = word;
    if (digits.starts_with("0x")) digits.remove_prefix(2);
    double close = 0;
    const auto [end, ec] =
        std::from_chars(digits.data(), digits.data() + digits.size(), close, std::chars_format::hex);
    if (ec != std::errc{} || end != digits.data() + digits.size() || !std::isfinite(close) || !(close > 0) ||
        carry.closes.size() == candles::kCarriedCloses) {
      return fail(ErrorCode::damaged, fmt::format("'{}' is not a list of closes", word.substr(0, 60)));
    }
    carry.closes.push_back(close);
  }
  return carry;
}

}  // namespace chandler::lake
