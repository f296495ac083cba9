// Which minutes of each symbol have been told, and so which have not: no hole survives a broken connection,
// a lost message or an inbox that was full. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/range_set.hpp"

namespace chandler::speed {

class Coverage {
 public:
  // Minutes of the symbol matter from `since` on; `have` are there already.
  void add_symbol(std::string_view symbol, Timestamp since, RangeSet have = {});
  // A closed minute was told; a symbol that was not added is passed over.
  void add(std::string_view symbol, Timestamp minute);
  // The exchange has been asked for all of the range.
  void add(std::string_view symbol, TimeRange range);
  // What has not been told of the minutes that end at or before `until`.
  RangeSet missing(std::string_view symbol, Timestamp until) const;
  std::vector<std::string> symbols() const;

 private:
  struct Symbol {
    Timestamp since;
    RangeSet have;
  };
  std::map<std::string, Symbol, std::less<>> symbols_;
};

}  // namespace chandler::speed
