// speed_1m/_open/*.json. What is read must be what writing it again gives.
#include "lake/speed_snapshot.hpp"

#include "fuzz_target.hpp"

using namespace chandler;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto snapshot = lake::parse_snapshot(fuzz::text_of(data, size));
  if (!snapshot) {
    fuzz::require(snapshot.error().code == ErrorCode::damaged, "a refused snapshot is damaged");
    return 0;
  }
  const std::string written = lake::to_text(*snapshot);
  const auto again = lake::parse_snapshot(written);
  fuzz::require(again.has_value(), "what we write is a snapshot");
  fuzz::require(again->stream == snapshot->stream && again->position == snapshot->position &&
                    again->watermark == snapshot->watermark,
                "the stream reads back");
  fuzz::require(again->open.size() == snapshot->open.size(), "the open candles read back");
  for (std::size_t i = 0; i < again->open.size(); ++i) {
    fuzz::require(again->open[i].symbol == snapshot->open[i].symbol, "with their symbols");
    fuzz::require(candles::same_values(again->open[i].kline, snapshot->open[i].kline), "and values");
  }
  fuzz::require(lake::to_text(*again) == written, "writing is stable");
  for (const auto& candle : snapshot->open) (void)lake::parse_snapshot(written, candle.symbol);
  (void)lake::snapshot_path(snapshot->stream);
  return 0;
}
