#include "lake/salvage.hpp"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>

#include <algorithm>

#include "lake/kline_file.hpp"
#include "lake/metadata.hpp"
#include "lake/table_file.hpp"

namespace chandler::lake {
namespace {

constexpr std::string_view kFirstKey = "ARROW:schema";

// Thrift's compact encoding of a length: seven bits a byte, the lowest first.
std::optional<std::size_t> take_length(std::string_view& bytes) {
  std::size_t length = 0;
  for (unsigned shift = 0; shift < 28 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    length |= static_cast<std::size_t>(byte & 0x7fU) << shift;
    if (byte < 0x80U) return length;
  }
  return std::nullopt;
}

std::optional<std::string> take_text(std::string_view& bytes) {
  if (!bytes.starts_with('\x18')) return std::nullopt;  // a string in the next field
  bytes.remove_prefix(1);
  const auto length = take_length(bytes);
  if (!length || *length > bytes.size()) return std::nullopt;
  std::string text(bytes.substr(0, *length));
  bytes.remove_prefix(*length);
  return text;
}

// A key that has at most one byte wrong is taken for what it was.
std::string mended(std::string key) {
  for (const std::string_view known : {std::string_view(kAskedKey), std::string_view(kSealKey)}) {
    if (key.size() != known.size()) continue;
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < key.size(); ++i) wrong += key[i] != known[i] ? 1 : 0;
    if (wrong == 1) return std::string(known);
  }
  return key;
}

// The entries of the footer as far as they can be followed: key and value, each a string.
Metadata raw_entries(std::string_view file) {
  Metadata entries;
  const auto at = file.rfind(kFirstKey);
  if (at == std::string_view::npos || at < 2) return entries;
  std::string_view bytes = file.substr(at - 2);
  while (!bytes.empty()) {
    auto key = take_text(bytes);
    auto value = key ? take_text(bytes) : std::nullopt;
    if (!value || bytes.empty()) break;
    bytes.remove_prefix(1);  // the end of the pair
    entries[mended(std::move(*key))] = std::move(*value);
  }
  return entries;
}

bool is_sealed(const Metadata& entries) {
  const auto seal = entries.find(kSealKey);
  return seal != entries.end() && seal->second == seal_of(entries);
}

// Tries what a single changed byte of the asked ranges may have been.
bool mend_asked(Metadata& entries) {
  const auto asked = entries.find(kAskedKey);
  if (asked == entries.end()) return false;
  const std::string before = asked->second;
  for (std::size_t i = 0; i < before.size(); ++i) {
    for (const char c : std::string_view("0123456789-,")) {
      asked->second = before;
      asked->second[i] = c;
      if (is_sealed(entries)) return true;
    }
  }
  asked->second = before;
  return false;
}

std::optional<RangeSet> plausible(std::string_view text, const Partition& partition) {
  auto ranges = RangeSet::decode(text);
  if (!ranges) return std::nullopt;
  const std::int64_t grid = grid_of(partition.table);
  for (const TimeRange& r : *ranges) {
    if (to_ms(r.begin) % grid != 0 || to_ms(r.end) % grid != 0 || r.begin >= partition.range().end)
      return std::nullopt;
  }
  return std::move(*ranges);
}

// The value of a key whose length has been damaged: up to the byte that ends the pair.
std::optional<RangeSet> asked_after_key(std::string_view file, const Partition& partition) {
  const auto at = file.rfind(kAskedKey);
  if (at == std::string_view::npos) return std::nullopt;
  for (const std::size_t skip : {2U, 3U}) {  // type, and a length of one or two bytes
    std::string_view text =
        file.substr(std::min(file.size(), at + std::string_view(kAskedKey).size() + skip));
    text = text.substr(0, text.find('\0'));
    if (auto ranges = text.empty() ? std::nullopt : plausible(text, partition)) return ranges;
  }
  return std::nullopt;
}

std::optional<RangeSet> raw_asked(std::string_view file, const Partition& partition) {
  Metadata entries = raw_entries(file);
  const bool sealed = is_sealed(entries) || mend_asked(entries);
  const auto found = entries.find(kAskedKey);
  // Empty ranges are believed only under the seal.
  if (found != entries.end() && (sealed || !found->second.empty())) {
    if (auto ranges = plausible(found->second, partition)) return ranges;
  }
  return asked_after_key(file, partition);
}

}  // namespace

Salvaged salvage(std::string_view content, const Partition& partition) {
  Salvaged salvaged;
  const auto buffer = std::make_shared<arrow::Buffer>(reinterpret_cast<const std::uint8_t*>(content.data()),
                                                      static_cast<std::int64_t>(content.size()));
  auto file = TableFile::open(std::make_shared<arrow::io::BufferReader>(buffer), path_of(partition));
  if (!file) {
    salvaged.asked = raw_asked(content, partition);
    return salvaged;
  }
  const auto asked = file->metadata().find(kAskedKey);
  // Without a seal the entries may have been passed over: the footer can be read, and says less than it did.
  salvaged.asked = asked != file->metadata().end() && file->metadata().contains(kSealKey)
                       ? plausible(asked->second, partition)
                       : raw_asked(content, partition);
  std::vector<std::int64_t> times;
  std::vector<candles::Source> sources;
  if (!file->read("open_time", times)) return salvaged;
  if (file->read("source", sources) && sources.size() == times.size()) {
    salvaged.imported.emplace();
    for (std::size_t i = 0; i < times.size(); ++i) {
      if (sources[i] == candles::Source::import) salvaged.imported->push_back(times[i]);
    }
  }
  std::erase_if(times, [&](std::int64_t t) { return !partition.range().contains(from_ms(t)); });
  std::ranges::sort(times);
  salvaged.rows = std::move(times);
  return salvaged;
}

}  // namespace chandler::lake
