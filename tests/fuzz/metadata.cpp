// Texts inside the metadata of partitions: asked ranges, carries, event times; and paths of partitions. What
// is read must be what writing it again gives.
#include "lake/metadata.hpp"

#include "base/range_set.hpp"
#include "fuzz_target.hpp"
#include "lake/layout.hpp"
#include "speed/day_minutes.hpp"

using namespace chandler;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  if (const auto ranges = RangeSet::decode(text)) {
    const auto again = RangeSet::decode(ranges->encode());
    fuzz::require(again && *again == *ranges, "ranges read back");
    for (std::size_t i = 0; i < ranges->ranges().size(); ++i) {
      fuzz::require(!ranges->ranges()[i].empty(), "no range is empty");
      fuzz::require(i == 0 || ranges->ranges()[i - 1].end < ranges->ranges()[i].begin, "ranges do not touch");
    }
    (void)ranges->length();
  }
  if (const auto carry = lake::decode_carry(text)) {
    fuzz::require(carry->closes.size() <= candles::kCarriedCloses, "a carry has an end");
    const auto again = lake::decode_carry(lake::encode(*carry));
    fuzz::require(again && again->closes.size() == carry->closes.size(), "a carry reads back");
    for (std::size_t i = 0; i < carry->closes.size(); ++i)
      fuzz::require(fuzz::same(again->closes[i], carry->closes[i]), "to the same closes");
  }
  candles::Klines rows;
  for (int i = 0; i < 3; ++i) rows.push_back({.open_time = 1'714'521'600'000 + i * kMinuteMs});
  if (const auto times = speed::decode_event_times(text, rows)) {
    fuzz::require(times->size() == rows.size(), "each minute has its event's time");
    const auto again = speed::decode_event_times(speed::encode_event_times({rows, *times}), rows);
    fuzz::require(again && *again == *times, "event times read back");
  }
  if (const auto partition = lake::parse_path(text))
    fuzz::require(lake::path_of(*partition) == text, "a path is a partition's to the letter");
  return 0;
}
