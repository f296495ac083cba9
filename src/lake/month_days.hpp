// The days of a partition of minutes, rolled up when the minutes are written and kept in their file's footer.
// They are a function of the rows, like the digest beside them: `build` and `backfill` take them from there
// and need not decode a minute; `verify` derives them again from the minutes and names every footer that is
// wrong.
#pragma once

#include <string>
#include <string_view>

#include "candles/roll_up.hpp"
#include "lake/layout.hpp"

namespace chandler::lake {

// The days that these minutes give: open time, prices, volume, quote volume, trades and count of minutes.
// Whether the last of them is over is not known here.
candles::Bars days_of(const candles::Klines& minutes);

// As base64 of the columns, one after the other, 8 bytes little-endian a value.
std::string encode_days(const candles::Bars& days);
// Errors: `damaged` where the text is not what encode_days writes, or cannot be days of `rows` minutes of the
// partition.
Result<candles::Bars> decode_days(std::string_view text, const Partition& partition, std::size_t rows);

}  // namespace chandler::lake
