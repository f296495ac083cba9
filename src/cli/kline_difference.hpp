// Two rows of one minute that contradict each other, in words: the fields that differ and no others.
#pragma once

#include <string>

#include "candles/klines.hpp"

namespace chandler::cli {

// What of each row the other contradicts: {"close 1.5 trades 7", "close 1.25 trades 8"}. A value that one of
// them does not know contradicts nothing.
struct KlineDifference {
  std::string stored, incoming;
};
KlineDifference difference_of(const candles::Kline& stored, const candles::Kline& incoming);

}  // namespace chandler::cli
