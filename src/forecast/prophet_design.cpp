#include "forecast/prophet_design.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <set>

namespace chandler::forecast {
namespace {

using Eigen::Index;

Status check_spec(const ProphetSpec& spec) {
  const auto refuse = [](std::string what) { return fail(ErrorCode::usage, std::move(what)); };
  if (!(spec.changepoint_range >= 0 && spec.changepoint_range <= 1))
    return refuse("changepoint_range is not in [0, 1]");
  if (!(spec.changepoint_prior_scale > 0)) return refuse("changepoint_prior_scale is not positive");
  if (!(spec.seasonality_prior_scale > 0)) return refuse("seasonality_prior_scale is not positive");
  if (!(spec.holidays_prior_scale > 0)) return refuse("holidays_prior_scale is not positive");
  if (spec.changepoints < 0) return refuse("the number of changepoints is negative");
  std::set<std::string, std::less<>> names;
  const auto once = [&](const std::string& name) -> Status {
    if (name.empty()) return refuse("a component has no name");
    if (!names.insert(name).second) return refuse(fmt::format("two components are named `{}`", name));
    return {};
  };
  for (const Seasonality& s : spec.seasonalities) {
    CHANDLER_TRY(once(s.name));
    if (s.order < 1 || !(s.period_days > 0) || !(s.prior_scale > 0)) {
      return refuse(fmt::format("seasonality `{}` needs a positive period, order and prior", s.name));
    }
  }
  for (const Holiday& h : spec.holidays) {
    CHANDLER_TRY(once(h.name));
    if (h.lower_window > 0 || h.upper_window < 0 || h.upper_window - h.lower_window > 366) {
      return refuse(
          fmt::format("the window of holiday `{}` does not hold the day itself or is over a year", h.name));
    }
    if (h.prior_scale && !(*h.prior_scale > 0))
      return refuse(fmt::format("the prior of `{}` is not positive", h.name));
  }
  for (const Regressor& r : spec.regressors) {
    CHANDLER_TRY(once(r.name));
    if (r.prior_scale && !(*r.prior_scale > 0))
      return refuse(fmt::format("the prior of `{}` is not positive", r.name));
  }
  return {};
}

bool custom(const ProphetSpec& spec, std::string_view name) {
  return std::ranges::any_of(spec.seasonalities, [&](const Seasonality& s) { return s.name == name; });
}

// Prophet's rules: yearly from two years of history, weekly from two weeks unless the rows are a week apart;
// daily needs rows closer than a day, which a daily series never has.
std::vector<Seasonality> seasonalities_of(const ProphetSpec& spec, Series series) {
  std::vector<Seasonality> all = spec.seasonalities;
  const std::int32_t span = series.day.back() - series.day.front();
  std::int32_t step = span;
  for (std::size_t i = 1; i < series.size(); ++i) step = std::min(step, series.day[i] - series.day[i - 1]);
  const auto add = [&](const char* name, double period, std::optional<int> wanted, bool automatic,
                       int order) {
    const int chosen = wanted ? *wanted : (automatic && !custom(spec, name) ? order : 0);
    if (chosen <= 0) return;
    all.push_back({name, period, chosen, spec.seasonality_prior_scale, spec.seasonality_mode});
  };
  add("yearly", 365.25, spec.yearly, span >= 730, 10);
  add("weekly", 7, spec.weekly, span >= 14 && step < 7, 3);
  add("daily", 1, spec.daily, false, 4);
  return all;
}

// numpy's round: halves to even.
Index round_half_even(double x) {
  return static_cast<Index>(std::nearbyint(x));
}

Result<std::vector<double>> changepoints_of(const ProphetSpec& spec, Series series) {
  const double length = series.day.back() - series.day.front();
  const auto scaled = [&](std::int32_t day) { return (day - series.day.front()) / length; };
  std::vector<double> times;
  if (spec.growth == Growth::flat) return times;
  if (spec.changepoint_days) {
    for (const std::int32_t day : *spec.changepoint_days) {
      if (day < series.day.front() || day > series.day.back()) {
        return fail(ErrorCode::usage, "a changepoint lies outside the history");
      }
      times.push_back(scaled(day));
    }
    std::ranges::sort(times);
    return times;
  }
  const auto usable =
      static_cast<Index>(std::floor(static_cast<double>(series.size()) * spec.changepoint_range));
  const Index count = std::min<Index>(spec.changepoints, usable - 1);
  // As numpy.linspace: the step is rounded first, and the last point is exact.
  const double step = static_cast<double>(usable - 1) / static_cast<double>(std::max<Index>(count, 1));
  for (Index j = 1; j <= count; ++j) {
    const double position = j == count ? static_cast<double>(usable - 1) : step * static_cast<double>(j);
    times.push_back(scaled(series.day[static_cast<std::size_t>(round_half_even(position))]));
  }
  return times;
}

struct Scale {
  double mean = 0;
  double deviation = 1;
};

Scale scale_of(const Regressor& regressor, std::span<const double> column) {
  const auto [low, high] = std::ranges::minmax(column);
  const bool binary = std::ranges::all_of(column, [](double v) { return v == 0 || v == 1; });
  if (low == high || !regressor.standardize.value_or(!binary)) return {};
  double sum = 0;
  for (const double v : column) sum += v;
  const double mean = sum / static_cast<double>(column.size());
  double squares = 0;
  for (const double v : column) squares += (v - mean) * (v - mean);
  return {mean, std::sqrt(squares / static_cast<double>(column.size() - 1))};
}

// Prophet sorts these columns by name; within one holiday "+" sorts before "-", and offsets as text.
std::vector<std::pair<std::string, std::pair<std::size_t, int>>> holiday_columns(const ProphetSpec& spec) {
  std::vector<std::pair<std::string, std::pair<std::size_t, int>>> columns;
  for (std::size_t h = 0; h < spec.holidays.size(); ++h) {
    const Holiday& holiday = spec.holidays[h];
    for (int offset = holiday.lower_window; offset <= holiday.upper_window; ++offset) {
      columns.push_back(
          {fmt::format("{}_{}{}", holiday.name, offset >= 0 ? '+' : '-', std::abs(offset)), {h, offset}});
    }
  }
  std::ranges::sort(columns);
  return columns;
}

std::vector<Feature> features_of(const ProphetSpec& spec, const std::vector<Seasonality>& seasonalities) {
  std::vector<Feature> features;
  for (const Seasonality& s : seasonalities) {
    for (int i = 1; i <= 2 * s.order; ++i) {
      features.push_back({fmt::format("{}_{}", s.name, i), s.name, s.prior_scale, s.mode});
    }
  }
  for (const auto& [column, source] : holiday_columns(spec)) {
    const Holiday& h = spec.holidays[source.first];
    features.push_back({column, h.name, h.prior_scale.value_or(spec.holidays_prior_scale),
                        spec.holidays_mode.value_or(spec.seasonality_mode)});
  }
  for (const Regressor& r : spec.regressors) {
    features.push_back({r.name, r.name, r.prior_scale.value_or(spec.holidays_prior_scale),
                        r.mode.value_or(spec.seasonality_mode)});
  }
  return features;
}

// Two columns for each harmonic, sine first. Harmonics follow from the first by the addition theorem, whose
// error grows by one rounding a step: below 1e-14 for any order in use.
void fill_fourier(const Seasonality& s, std::span<const std::int32_t> day, Eigen::MatrixXd& dense,
                  Index column) {
  const auto rows = static_cast<Index>(day.size());
  for (Index i = 0; i < rows; ++i) {
    // Whole periods are taken out first, so that large day numbers cost no accuracy.
    const double angle = 2 * std::numbers::pi *
                         std::fmod(static_cast<double>(day[static_cast<std::size_t>(i)]), s.period_days) /
                         s.period_days;
    dense(i, column) = std::sin(angle);
    dense(i, column + 1) = std::cos(angle);
  }
  for (Index h = 1; h < s.order; ++h) {
    const auto sine = dense.col(column).array();
    const auto cosine = dense.col(column + 1).array();
    const auto last_sine = dense.col(column + 2 * h - 2).array();
    const auto last_cosine = dense.col(column + 2 * h - 1).array();
    dense.col(column + 2 * h).array() = last_sine * cosine + last_cosine * sine;
    dense.col(column + 2 * h + 1).array() = last_cosine * cosine - last_sine * sine;
  }
}

SparseFeature holiday_feature(const Holiday& holiday, int offset, Index feature,
                              const std::map<std::int32_t, std::vector<Index>>& rows_of_day) {
  SparseFeature sparse{feature, {}};
  for (const std::int32_t day : holiday.days) {
    if (const auto found = rows_of_day.find(day + offset); found != rows_of_day.end()) {
      sparse.rows.insert(sparse.rows.end(), found->second.begin(), found->second.end());
    }
  }
  std::ranges::sort(sparse.rows);
  sparse.rows.erase(std::ranges::unique(sparse.rows).begin(), sparse.rows.end());
  return sparse;
}

}  // namespace

Status check_columns(const ProphetSpec& spec, std::size_t rows,
                     const std::vector<std::span<const double>>& regressors, std::span<const double> cap) {
  if (regressors.size() != spec.regressors.size()) {
    return fail(ErrorCode::internal, fmt::format("{} regressor columns for {} regressors", regressors.size(),
                                                 spec.regressors.size()));
  }
  for (std::size_t r = 0; r < regressors.size(); ++r) {
    if (regressors[r].size() != rows ||
        !std::ranges::all_of(regressors[r], [](double v) { return std::isfinite(v); })) {
      return fail(ErrorCode::invalid_data,
                  fmt::format("regressor `{}` has no finite value for each day", spec.regressors[r].name));
    }
  }
  if (spec.growth == Growth::logistic) {
    if (cap.size() != rows ||
        !std::ranges::all_of(cap, [&](double c) { return c > spec.floor && std::isfinite(c); })) {
      return fail(ErrorCode::invalid_data, "logistic growth needs a capacity above the floor for each day");
    }
  }
  return {};
}

Result<ProphetFit> prepare_fit(const ProphetSpec& spec, const ProphetData& data) {
  CHANDLER_TRY(check_spec(spec));
  CHANDLER_TRY(check(data.series));
  if (data.series.size() < 2) {
    return fail(ErrorCode::invalid_data, "fewer than 2 observed days cannot be fitted");
  }
  CHANDLER_TRY(check_columns(spec, data.series.size(), data.regressors, data.cap));
  ProphetFit fit;
  fit.spec = spec;
  if (spec.growth != Growth::logistic) fit.spec.floor = 0;
  fit.first_day = data.series.day.front();
  fit.last_day = data.series.day.back();
  double largest = 0;
  for (const double y : data.series.y) largest = std::max(largest, std::abs(y - fit.spec.floor));
  fit.y_scale = largest == 0 ? 1 : largest;
  for (std::size_t r = 0; r < spec.regressors.size(); ++r) {
    const Scale scale = scale_of(spec.regressors[r], data.regressors[r]);
    fit.regressor_mean.push_back(scale.mean);
    fit.regressor_scale.push_back(scale.deviation);
  }
  fit.seasonalities = seasonalities_of(spec, data.series);
  CHANDLER_ASSIGN(fit.changepoint, changepoints_of(spec, data.series));
  fit.features = features_of(spec, fit.seasonalities);
  fit.delta.assign(fit.changepoint.size(), 0);
  fit.beta.assign(fit.features.size(), 0);
  return fit;
}

Eigen::VectorXd scaled_time(const ProphetFit& fit, std::span<const std::int32_t> day) {
  Eigen::VectorXd t(static_cast<Index>(day.size()));
  const double length = fit.last_day - fit.first_day;
  for (Index i = 0; i < t.size(); ++i) t[i] = (day[static_cast<std::size_t>(i)] - fit.first_day) / length;
  return t;
}

FeatureMatrix make_features(const ProphetFit& fit, std::span<const std::int32_t> day,
                            const std::vector<std::span<const double>>& regressors) {
  const auto rows = static_cast<Index>(day.size());
  FeatureMatrix x;
  Index dense = static_cast<Index>(regressors.size());
  for (const Seasonality& s : fit.seasonalities) dense += 2 * s.order;
  x.dense.resize(rows, dense);

  Index column = 0;
  for (const Seasonality& s : fit.seasonalities) {
    fill_fourier(s, day, x.dense, column);
    for (Index i = 0; i < 2 * s.order; ++i) x.dense_feature.push_back(column + i);
    column += 2 * s.order;
  }
  Index feature = column;
  if (!fit.spec.holidays.empty()) {
    std::map<std::int32_t, std::vector<Index>> rows_of_day;
    for (Index i = 0; i < rows; ++i) rows_of_day[day[static_cast<std::size_t>(i)]].push_back(i);
    for (const auto& entry : holiday_columns(fit.spec)) {
      x.sparse.push_back(holiday_feature(fit.spec.holidays[entry.second.first], entry.second.second,
                                         feature++, rows_of_day));
    }
  }
  for (std::size_t r = 0; r < regressors.size(); ++r, ++column) {
    for (Index i = 0; i < rows; ++i) {
      x.dense(i, column) =
          (regressors[r][static_cast<std::size_t>(i)] - fit.regressor_mean[r]) / fit.regressor_scale[r];
    }
    x.dense_feature.push_back(feature++);
  }
  return x;
}

ProphetDesign make_design(const ProphetFit& prepared, const ProphetData& data) {
  ProphetDesign design;
  design.growth = prepared.spec.growth;
  design.t = scaled_time(prepared, data.series.day);
  const auto scaled = [&](std::span<const double> values) {
    const Eigen::Map<const Eigen::VectorXd> raw(values.data(), static_cast<Index>(values.size()));
    return Eigen::VectorXd((raw.array() - prepared.spec.floor) / prepared.y_scale);
  };
  design.y = scaled(data.series.y);
  if (design.growth == Growth::logistic) design.cap = scaled(data.cap);
  design.changepoint = Eigen::Map<const Eigen::VectorXd>(prepared.changepoint.data(),
                                                         static_cast<Index>(prepared.changepoint.size()));
  for (const double c : prepared.changepoint) {
    const double* begin = design.t.data();
    design.changepoint_row.push_back(std::lower_bound(begin, begin + design.t.size(), c) - begin);
  }
  design.x = make_features(prepared, data.series.day, data.regressors);
  design.prior_scale.resize(static_cast<Index>(prepared.features.size()));
  for (std::size_t f = 0; f < prepared.features.size(); ++f) {
    design.prior_scale[static_cast<Index>(f)] = prepared.features[f].prior_scale;
    design.multiplicative.push_back(prepared.features[f].mode == Mode::multiplicative);
  }
  return design;
}

}  // namespace chandler::forecast
