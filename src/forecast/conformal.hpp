// Intervals from measured errors: whatever the model's own theory says, what counts is how far its forecasts
// have been off (Vovk, Gammerman, Shafer, "Algorithmic learning in a random world", 2005; normalised scores
// as in Lei et al., "Distribution-free predictive inference for regression", JASA 113, 2018).
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "forecast/rolling_origin.hpp"

namespace chandler::forecast {

// How wide an interval around a point forecast is: y is between point / factor and point * factor where
// `relative`, else between point - factor and point + factor.
struct Interval {
  double lower = 0;
  double upper = 0;
};

// Scores |log(y / yhat)|, or |y - yhat| for series that are not positive, divided by the recent deviation at
// the origin: calm times inform about wild ones. An origin's interval is made from scores known on its day
// only.
class Conformal {
 public:
  // `point` as rolling.actual. Both must outlive this.
  Conformal(const RollingOrigins& rolling, std::span<const double> point, bool relative);

  // The scores that shares `levels` (ascending) of the errors at horizon h (1 …) stayed within, over all
  // targets on or before `day`; horizons up to two days away are taken in, scaled by the root of time. The
  // order statistic is that of the finite-sample guarantee, ceil((n + 1) level). Nothing where fewer scores
  // are known than that needs.
  std::vector<std::optional<double>> scores(int h, std::span<const double> levels, std::int32_t day) const;
  std::optional<double> score(int h, double level, std::int32_t day) const;

  // The interval around a forecast made on a day with that recent deviation, given the score of its level.
  std::optional<Interval> interval(double yhat, std::optional<double> score, double deviation) const;

 private:
  struct Known {
    std::int32_t day;  // of the target
    double score;
  };
  bool relative_;
  std::vector<std::vector<Known>> scores_;  // by horizon
};

}  // namespace chandler::forecast
