// The exchange's kline intervals and how each cuts time. Facts from Binance's REST documentation
// ("Kline/Candlestick data", "Kline intervals") and from recorded payloads: all in UTC; a week starts on
// Monday; a month on its first; three days on 1970-01-02 and every third day from there: so do all 3d klines
// of BTCUSDT that were looked at, of 2017 to 2021 (AOL0311/binance on GitHub, BTCUSDT/BTC_USDT_3d.csv).
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "base/time.hpp"

namespace chandler::candles {

enum class Interval { m1, m3, m5, m15, m30, h1, h2, h4, h6, h8, h12, d1, d3, w1, mo1 };

inline constexpr std::array kIntervals = {Interval::m1,  Interval::m3, Interval::m5,  Interval::m15,
                                          Interval::m30, Interval::h1, Interval::h2,  Interval::h4,
                                          Interval::h6,  Interval::h8, Interval::h12, Interval::d1,
                                          Interval::d3,  Interval::w1, Interval::mo1};

std::string_view name(Interval interval);                       // "1m" … "1M"; 1M is a month
std::optional<Interval> parse_interval(std::string_view text);  // case matters: 1m is not 1M

// The candle that contains t begins at begin_of and ends (exclusive) at end_of.
Timestamp begin_of(Interval interval, Timestamp t);
Timestamp end_of(Interval interval, Timestamp t);

}  // namespace chandler::candles
