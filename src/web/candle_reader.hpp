// Pages of candles at any interval, for both APIs.
#pragma once

#include <optional>

#include "web/candle_blocks.hpp"

namespace chandler::web {

struct CandleQuery {
  candles::Interval interval = candles::Interval::m1;
  // Open times, both inclusive, as the exchange's klines take them.
  std::optional<Timestamp> start, end;
  // With a start: the oldest so many; without: the latest.
  std::size_t limit = 500;
  Millis time_zone{0};  // what is added to UTC before the candles are cut
  serving::Detail detail = serving::Detail::all;
};

// A page of candles that are known; `filled` is all 0 until fill() has put some in.
class CandleReader {
 public:
  explicit CandleReader(CandleBlocks& blocks) : blocks_(blocks) {}
  // Errors: not_found where the lake has no candle of the symbol.
  Result<serving::Candles> read(const SymbolFiles& files, const CandleQuery& query) const;

 private:
  Status read_ahead(const OpenSeries& open, const std::vector<year_month>& months, std::size_t first,
                    candles::Interval base, serving::Detail detail) const;

  CandleBlocks& blocks_;
};

// Candles of the grid that are missing between the page's first and last, made of the last close.
serving::Candles fill(const serving::Candles& page, candles::Interval interval);

}  // namespace chandler::web
