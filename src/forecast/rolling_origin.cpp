#include "forecast/rolling_origin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace chandler::forecast {
namespace {

constexpr int kLeastInitial = 180;

Origin origin_on(Series series, std::int32_t day) {
  return {rows_until(series, day), day};
}

double naive_scale(Series known) {
  double sum = 0;
  for (std::size_t i = 1; i < known.size(); ++i) sum += std::abs(known.y[i] - known.y[i - 1]);
  return sum / static_cast<double>(std::max<std::size_t>(1, known.size() - 1));
}

}  // namespace

bool positive(Series series) {
  return std::ranges::all_of(series.y, [](double v) { return v > 0; });
}

double recent_deviation(Series series, bool logs) {
  constexpr double kDecay = 0.97;
  constexpr double kWarmUp = 60;
  const auto squared_change = [&](std::size_t i) {
    const double change = logs ? std::log(series.y[i] / series.y[i - 1]) : series.y[i] - series.y[i - 1];
    return change * change / (series.day[i] - series.day[i - 1]);
  };
  double variance = 0;
  for (std::size_t i = 1; i < series.size(); ++i) {
    // A plain mean at first, so that the first change does not weigh more than its share.
    const double weight = std::max(1 - kDecay, 1 / std::min(static_cast<double>(i), kWarmUp));
    variance += weight * (squared_change(i) - variance);
  }
  return std::sqrt(variance);
}

int least_days(const RollingOriginOptions& options) {
  // The test part must hold one horizon and the training part the least history and one horizon.
  const int for_test = static_cast<int>(std::ceil(options.horizon / options.test_share));
  const int initial = options.initial > 0 ? options.initial : kLeastInitial;
  const int for_training =
      static_cast<int>(std::ceil((initial + options.horizon) / (1 - options.test_share)));
  return std::max(for_test, for_training) + 2;
}

Result<RollingOrigins> roll_origins(Series series, const RollingOriginOptions& options) {
  CHANDLER_TRY(check(series));
  if (options.horizon < 1 || options.period < 1 || options.initial < 0 || !(options.test_share > 0) ||
      !(options.test_share < 0.9)) {
    return fail(ErrorCode::usage,
                "horizon and period must be positive, and the test share between 0 and 0.9");
  }
  const auto too_short = [&] {
    return fail(ErrorCode::invalid_data,
                fmt::format("{} observed days are too few to measure a forecast of {} days", series.size(),
                            options.horizon),
                {},
                fmt::format("keep at least {} days, or ask for a shorter --horizon", least_days(options)));
  };
  if (series.size() < 3) return too_short();
  const std::int32_t first = series.day.front();
  const std::int32_t last = series.day.back();
  RollingOrigins result;
  result.horizon = options.horizon;
  const auto training_rows =
      static_cast<std::size_t>(static_cast<double>(series.size()) * (1 - options.test_share));
  if (training_rows < 2) return too_short();
  result.last_training_day = series.day[training_rows - 1];
  const int initial =
      options.initial > 0 ? options.initial : std::max(kLeastInitial, (result.last_training_day - first) / 2);

  for (std::int32_t day = result.last_training_day - options.horizon; day >= first + initial;
       day -= options.period) {
    result.origins.push_back(origin_on(series, day));
  }
  std::ranges::reverse(result.origins);
  result.training = result.origins.size();
  for (std::int32_t day = result.last_training_day; day + options.horizon <= last; day += options.period) {
    result.origins.push_back(origin_on(series, day));
  }
  if (result.training == 0 || result.test() == 0) return too_short();

  const bool logs = positive(series);
  for (const Origin& origin : result.origins) {
    const Series known = series.first(origin.rows);
    result.scale.push_back(naive_scale(known));
    result.deviation.push_back(recent_deviation(known, logs));
    std::size_t row = origin.rows;
    for (int h = 1; h <= options.horizon; ++h) {
      const std::int32_t day = origin.day + h;
      const bool seen = row < series.size() && series.day[row] == day;
      result.actual.push_back(seen ? series.y[row] : std::numeric_limits<double>::quiet_NaN());
      if (seen) ++row;
    }
  }
  return result;
}

}  // namespace chandler::forecast
