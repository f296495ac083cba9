// A page of /api/v3/klines. Reference: nlohmann/json and strtod.
#include <fmt/format.h>

#include "exchange/payload.hpp"
#include "fuzz_target.hpp"
#include "reference_json.hpp"

using namespace chandler;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  const auto page = exchange::parse_klines(text);
  if (!page) {
    fuzz::require(page.error().code == ErrorCode::invalid_data, "a refused page is invalid_data");
    fuzz::require(!page.error().what.empty(), "an error says what happened");
    return 0;
  }
  const candles::Klines& rows = page->rows;
  fuzz::require(fuzz::columns_are_of_one_length(rows), "columns are of one length");
  fuzz::require(page->close_time.size() == rows.size(), "there is a close time for each row");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const double value : {rows.open[i], rows.high[i], rows.low[i], rows.close[i], rows.volume[i]})
      fuzz::require(std::isfinite(value), "prices and volumes are finite");
    fuzz::require(rows.source[i] == candles::Source::rest, "the source is rest");
  }
  exchange::count_truncated(*page, candles::Interval::m1);
  const auto reference = fuzz::reference_json(text);
  if (!reference) return 0;
  fuzz::require(reference->is_array() && reference->size() == rows.size(), "one row for each inner array");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& fields = (*reference)[i];
    const double values[] = {rows.open[i], rows.high[i], rows.low[i], rows.close[i], rows.volume[i]};
    for (std::size_t f = 0; f < 5; ++f) {
      const double expected = fuzz::reference_number(fields[f + 1]);
      fuzz::require(std::isnan(expected) || values[f] == expected, "a number is the one that is written");
    }
  }
  return 0;
}
