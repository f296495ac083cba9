// What of a status everybody tells, under the same names: `chandler status --json` and the dashboard's API.
// How instants and days are written is theirs.
#pragma once

#include "batch/status.hpp"

namespace chandler::batch {

// Calls visit(name, value) for each; a value is a count, a share, or an optional Timestamp or Day.
template <class Visit>
void each_field(const SymbolStatus& s, Visit visit) {
  visit("minutes", s.minutes);
  visit("first", s.first);
  visit("last", s.last);
  visit("coverage", s.coverage);
  visit("holes", s.holes);
  visit("missing_minutes", s.missing_minutes);
  visit("not_asked_minutes", s.not_asked_minutes);
  visit("exchange_days", s.exchange_days);
  visit("days", s.days);
  visit("filled_days", s.filled_days);
  visit("first_day", s.first_day);
  visit("last_day", s.last_day);
  visit("speed_minutes", s.speed_minutes);
}

}  // namespace chandler::batch
