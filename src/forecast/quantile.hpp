// Quantiles of small samples.
#pragma once

#include <span>

namespace chandler::forecast {

// Linear interpolation between order statistics at p (n - 1), as numpy's and R's default (Hyndman and Fan's
// type 7). `ascending` is not empty and sorted; p in [0, 1].
double sorted_quantile(std::span<const double> ascending, double p);

// The same of a sample in any order, which is reordered: O(n).
double quantile(std::span<double> sample, double p);

// The inverse of the standard normal distribution function for p in (0, 1), to full double precision.
double normal_quantile(double p);

// The standard normal distribution function and density.
double normal_cdf(double x);
double normal_pdf(double x);

}  // namespace chandler::forecast
