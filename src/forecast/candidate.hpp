// What competes for being the forecast of a symbol.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "forecast/prophet.hpp"

namespace chandler::forecast {

enum class Family {
  naive,             // the last close
  drift,             // plus its mean daily change
  seasonal_naive,    // the close a week ago
  ets,               // exponential smoothing, chosen by AICc
  theta,             // the Theta method
  combination,       // the mean of drift, ets and theta
  prophet,           // Prophet's model on the closes themselves
  prophet_anchored,  // the change that Prophet's model expects, from the last close on
};
inline constexpr Family kFamilies[] = {Family::naive,   Family::drift,           Family::seasonal_naive,
                                       Family::ets,     Family::theta,           Family::combination,
                                       Family::prophet, Family::prophet_anchored};
const char* name(Family family);
Result<Family> parse_family(std::string_view text);
bool is_prophet(Family family);

// Mode and prior are those of Prophet's families only.
struct Candidate {
  Family family = Family::naive;
  Mode mode = Mode::additive;
  double prior = 0;
};
// naive, prophet/additive/0.05 …
std::string label(const Candidate& candidate);

// Naive first, then the rest of `families` in the order of kFamilies; Prophet's over modes × priors.
std::vector<Candidate> make_candidates(std::span<const Family> families, std::span<const Mode> modes,
                                       std::span<const double> priors);

}  // namespace chandler::forecast
