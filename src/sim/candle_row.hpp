// A candle as the exchange writes it: twelve columns in one order, in answers as a JSON array whose decimals
// are strings, in archives as a line of CSV. Unknown numbers are written as zero.
#pragma once

#include <string>

#include "sim/listing.hpp"

namespace chandler::sim {

enum class RowStyle { json, json_microseconds, csv_milliseconds, csv_microseconds };

void append_row(std::string& out, const Candle& candle, RowStyle style);

}  // namespace chandler::sim
