// What the job reads: a symbol's closes from the lake, holidays from a file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "forecast/forecaster.hpp"
#include "lake/storage.hpp"

namespace chandler::forecast {

// Owns what a SymbolInput points to.
struct SymbolData {
  std::string symbol;
  std::vector<std::int32_t> day;  // observed days only
  std::vector<double> close;
  std::size_t filled = 0;  // days of daily_filled that were left out
  std::vector<std::string> regressor_names;
  std::vector<std::vector<double>> regressors;  // one value a calendar day from day.front() on
  std::vector<Holiday> holidays;

  SymbolInput input() const;
};

// Reads prophet_input and daily_filled. `regressors`: ma7, ma30. Errors name the symbol and say what to do:
// no prophet_input, tables that contradict each other, and series that no model fits: a close that is not
// positive or jumps a thousandfold in a day, or closes that are all the same.
Result<SymbolData> read_symbol(const lake::Storage& storage, const std::string& symbol,
                               const std::vector<std::string>& regressors);

// A holiday, and the symbols it is for: those whose name starts with the prefix; all if it is empty.
struct HolidayRule {
  std::string symbol_prefix;
  Holiday holiday;
};

// CSV as Prophet takes it: a header with `holiday` and `ds` (YYYY-MM-DD, one row a day), and optionally
// `lower_window`, `upper_window`, `prior_scale` and `symbol`, in any order. Rows of one name are one holiday;
// windows and prior come from its first row. `where` names the file in errors.
Result<std::vector<HolidayRule>> parse_holidays(std::string_view text, const std::string& where);

// The built-in halvings for BTC, unless the rules name a holiday `halving`, and the rules that apply.
std::vector<Holiday> holidays_of(const std::string& symbol, const std::vector<HolidayRule>& rules);

}  // namespace chandler::forecast
