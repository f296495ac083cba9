// What a univariate model says about the next days.
#pragma once

#include <vector>

namespace chandler::forecast {

// Both are as long as the horizon; entry h-1 belongs to the h-th observation after the last.
struct PointForecast {
  std::vector<double> mean;
  // Standard deviation of the error by the model's own theory, which takes its residuals as independent and
  // its form as true. Measured errors decide the intervals that are published, see conformal.hpp.
  std::vector<double> deviation;
};

}  // namespace chandler::forecast
