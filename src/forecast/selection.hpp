// Which model is used: naive, unless another has been better by more than chance.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace chandler::forecast {

// Of losses of two models at the same origins, NaN in either leaving the origin out.
struct Comparison {
  std::size_t origins = 0;
  double advantage = 0;  // mean loss of the first minus that of the second: positive, the second is better
  // The advantage over its standard error, which allows for the overlap of neighbouring origins (Diebold and
  // Mariano, "Comparing predictive accuracy", JBES 13(3), 1995, with Bartlett weights as Newey and West,
  // Econometrica 55, 1987). 0 where it cannot be told.
  double t = 0;
};
// `overlap`: how many later origins share targets with one, ceil(horizon / period) - 1.
Comparison compare(std::span<const double> first, std::span<const double> second, std::size_t overlap);

// One-sided 5% of the normal distribution: how sure it must be that a model beats naive.
inline constexpr double kSure = 1.645;

// `losses`: one row a candidate, one entry a training origin; `naive` is the row of the naive forecast. The
// candidate of the least mean loss among those that beat naive by kSure; `naive` if none does. Candidates
// that miss more than a tenth of the origins are passed over.
std::size_t choose(std::span<const std::vector<double>> losses, std::size_t naive, std::size_t overlap);

// The row of the least mean loss among `rows`, over the origins that all of them have; the first where all
// are equal.
std::size_t least_loss(std::span<const std::vector<double>> losses, std::span<const std::size_t> rows);

}  // namespace chandler::forecast
