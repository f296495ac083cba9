#include "speed/coverage.hpp"

#include <algorithm>

namespace chandler::speed {

void Coverage::add_symbol(std::string_view symbol, Timestamp since, RangeSet have) {
  symbols_[std::string(symbol)] = {since, std::move(have)};
}

void Coverage::add(std::string_view symbol, Timestamp minute) {
  add(symbol, {minute, minute + kMinute});
}

void Coverage::add(std::string_view symbol, TimeRange range) {
  const auto it = symbols_.find(symbol);
  if (it == symbols_.end()) return;
  it->second.have.add(range);
  // What lies in one piece from the beginning on need not be remembered as a range.
  const auto first = it->second.have.begin();
  if (first != it->second.have.end() && first->begin <= it->second.since && it->second.since < first->end) {
    const TimeRange whole = *first;
    it->second.since = whole.end;
    it->second.have.subtract(whole);
  }
}

RangeSet Coverage::missing(std::string_view symbol, Timestamp until) const {
  RangeSet missing;
  const auto it = symbols_.find(symbol);
  if (it == symbols_.end()) return missing;
  const TimeRange all{it->second.since, floor_minute(until)};
  if (all.empty()) return missing;
  missing.add(all);
  missing.subtract(it->second.have);
  return missing;
}

std::vector<std::string> Coverage::symbols() const {
  std::vector<std::string> names;
  for (const auto& [name, symbol] : symbols_) names.push_back(name);
  return names;
}

}  // namespace chandler::speed
