#include "forecast/baselines.hpp"

#include <fmt/format.h>

#include <cmath>

namespace chandler::forecast {
namespace {

Status require(std::span<const double> y, std::size_t least, int horizon) {
  if (y.size() < least) {
    return fail(ErrorCode::invalid_data,
                fmt::format("{} observations are too few, {} are needed", y.size(), least));
  }
  if (horizon < 1) return fail(ErrorCode::usage, "the horizon is not positive");
  return {};
}

// Root mean square of y[i] - y[i - lag] - shift.
double residual_deviation(std::span<const double> y, std::size_t lag, double shift, std::size_t parameters) {
  double squares = 0;
  for (std::size_t i = lag; i < y.size(); ++i) squares += std::pow(y[i] - y[i - lag] - shift, 2);
  const std::size_t rows = y.size() - lag;
  return std::sqrt(squares / static_cast<double>(rows > parameters ? rows - parameters : 1));
}

}  // namespace

Result<PointForecast> forecast_naive(std::span<const double> y, int horizon) {
  CHANDLER_TRY(require(y, 2, horizon));
  const double deviation = residual_deviation(y, 1, 0, 0);
  PointForecast forecast;
  for (int h = 1; h <= horizon; ++h) {
    forecast.mean.push_back(y.back());
    forecast.deviation.push_back(deviation * std::sqrt(h));
  }
  return forecast;
}

Result<PointForecast> forecast_drift(std::span<const double> y, int horizon) {
  CHANDLER_TRY(require(y, 3, horizon));
  const double steps = static_cast<double>(y.size() - 1);
  const double slope = (y.back() - y.front()) / steps;
  const double deviation = residual_deviation(y, 1, slope, 1);
  PointForecast forecast;
  for (int h = 1; h <= horizon; ++h) {
    forecast.mean.push_back(y.back() + slope * h);
    forecast.deviation.push_back(deviation * std::sqrt(h * (1 + h / steps)));
  }
  return forecast;
}

Result<PointForecast> forecast_seasonal_naive(std::span<const double> y, int season, int horizon) {
  if (season < 1) return fail(ErrorCode::usage, "the season is not positive");
  const auto lag = static_cast<std::size_t>(season);
  CHANDLER_TRY(require(y, lag + 1, horizon));
  const double deviation = residual_deviation(y, lag, 0, 0);
  PointForecast forecast;
  for (int h = 1; h <= horizon; ++h) {
    const int past_seasons = (h - 1) / season;
    forecast.mean.push_back(y[y.size() - lag + static_cast<std::size_t>((h - 1) % season)]);
    forecast.deviation.push_back(deviation * std::sqrt(past_seasons + 1));
  }
  return forecast;
}

}  // namespace chandler::forecast
