// Our days against the exchange's own: the closed days that the minutes of a lake roll up to are compared
// with daily klines that somebody else summed.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "candles/klines.hpp"
#include "exchange/rest_client.hpp"
#include "lake/storage.hpp"

namespace chandler::batch {

// A day of which a value differs. `ours` and `theirs` are NaN where a side has no such day or does not know
// the value.
struct DayDifference {
  Day day;
  std::string field;  // "open", …, "volume", "trades"; "day" if one side lacks it; "closed" if it has minutes
                      // later than the exchange's now
  double ours = candles::kUnknown;
  double theirs = candles::kUnknown;
  std::int32_t minutes = 0;  // that ours was rolled up from; 1440 is a whole day
};

struct AuditedSymbol {
  std::string symbol;
  std::size_t days = 0;           // compared
  std::size_t imported_days = 0;  // not compared: with minutes from files, perhaps of another exchange
  std::size_t unknown_days = 0;   // not compared: the other side does not reach there
  std::vector<DayDifference> differences;
  std::optional<Error> error;  // nothing was compared: the other side did not say
};

// Daily klines of a symbol in a range, sorted and unique, and the range that they cover: a day inside without
// a row is one that the other side says did not trade.
struct OwnDays {
  candles::Klines rows;
  TimeRange covered;
};
using DaysOf = std::function<Result<OwnDays>(const std::string& symbol, TimeRange range)>;

// Asks the exchange. Both outlive the result.
DaysOf days_of_exchange(exchange::RestClient& rest, const exchange::Call& call);
// What klines_1d of the lake has, without a network.
DaysOf days_of_lake(const lake::Storage& storage);

// Prices and trades have to be equal, sums of volume to within 1e-9 of each other (the exchange sums
// decimals, we sum doubles). No minute may end after `now`, the exchange's present, if that is known. Symbols
// without minutes are left out. A symbol whose days cannot be had says why; after kAuditFailures in a row
// that are out of reach the rest is not asked for. As many symbols at a time as `in_flight`: `days_of` is
// called from as many threads.
Result<std::vector<AuditedSymbol>> audit(const lake::Storage& storage,
                                         const std::vector<std::string>& symbols, const DaysOf& days_of,
                                         std::optional<Timestamp> now, std::size_t in_flight,
                                         Progress& progress, std::stop_token stop = {});
inline constexpr std::size_t kAuditFailures = 3;

}  // namespace chandler::batch
