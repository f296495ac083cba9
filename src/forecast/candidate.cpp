#include "forecast/candidate.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace chandler::forecast {

const char* name(Family family) {
  switch (family) {
    case Family::naive:
      return "naive";
    case Family::drift:
      return "drift";
    case Family::seasonal_naive:
      return "seasonal_naive";
    case Family::ets:
      return "ets";
    case Family::theta:
      return "theta";
    case Family::combination:
      return "combination";
    case Family::prophet:
      return "prophet";
    case Family::prophet_anchored:
      return "prophet_anchored";
  }
  return "";
}

Result<Family> parse_family(std::string_view text) {
  std::string all;
  for (const Family family : kFamilies) {
    if (text == name(family)) return family;
    all += all.empty() ? "" : ", ";
    all += name(family);
  }
  return fail(ErrorCode::usage, fmt::format("no model is named `{}`", text), {}, "one of " + all);
}

bool is_prophet(Family family) {
  return family == Family::prophet || family == Family::prophet_anchored;
}

std::string label(const Candidate& candidate) {
  if (!is_prophet(candidate.family)) return name(candidate.family);
  return fmt::format("{}/{}/{}", name(candidate.family), name(candidate.mode), candidate.prior);
}

std::vector<Candidate> make_candidates(std::span<const Family> families, std::span<const Mode> modes,
                                       std::span<const double> priors) {
  std::vector<Candidate> all{{}};
  for (const Family family : kFamilies) {
    if (family == Family::naive || std::ranges::find(families, family) == families.end()) continue;
    if (!is_prophet(family)) {
      all.push_back({family, Mode::additive, 0});
      continue;
    }
    for (const Mode mode : modes) {
      for (const double prior : priors) all.push_back({family, mode, prior});
    }
  }
  return all;
}

}  // namespace chandler::forecast
