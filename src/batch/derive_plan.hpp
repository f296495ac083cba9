// Which months of daily_filled a symbol has to have, and what each is made of. Footers and the few daily
// klines are read for it, no minutes.
#pragma once

#include <map>

#include "lake/catalog.hpp"
#include "lake/derived_file.hpp"

namespace chandler::batch {

enum class Extent {
  what_changed,  // months whose recorded provenance is not what it would be now
  everything     // every month is computed again; a file is replaced only where its bytes differ
};

struct PlannedMonth {
  lake::Partition partition;               // of daily_filled
  std::optional<lake::Partition> minutes;  // of klines_1m, where it has rows
  std::size_t minute_rows = 0;
  std::string minute_days;                  // the days in the footer of `minutes`, as it has them
  candles::Bars known_days;                 // from klines_1d
  Day from, until;                          // rows of this month lie in [from, until)
  Day minutes_until;                        // days that begin here or later are not taken from minutes
  std::string inputs;                       // Provenance::inputs
  std::optional<lake::DailyFooter> stored;  // what is there now, if it is readable; for what_changed only
};

struct DerivePlan {
  std::string symbol;
  std::vector<PlannedMonth> months;                 // in order, without a gap
  std::vector<lake::Partition> superfluous;         // stored partitions that should not be there
  std::map<std::string, std::int64_t> daily_files;  // every stored file of daily_filled and its size
};

Result<DerivePlan> plan_derivation(const lake::Storage& storage, const std::string& symbol, Extent extent);

// Whether the days of minutes are taken from the footers, where they were put when the minutes were written,
// or rolled up anew from the minutes. Both are the same, or else `verify` names the file.
enum class DaysFrom { footers, minutes };
// The daily bars of a month: from minutes where a closed day has any, else from klines_1d.
Result<candles::Bars> month_bars(const lake::Storage& storage, const PlannedMonth& month, DaysFrom from);
// The same from all days that the month's minutes give.
candles::Bars month_bars(const PlannedMonth& month, candles::Bars minute_days);

}  // namespace chandler::batch
