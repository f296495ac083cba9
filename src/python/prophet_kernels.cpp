#include <arrow/api.h>
#include <fmt/format.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "forecast/prophet.hpp"
#include "python/arrow_border.hpp"
#include "python/batch_output.hpp"
#include "python/errors.hpp"
#include "python/kline_input.hpp"
#include "python/modules.hpp"
#include "python/table.hpp"

namespace nb = nanobind;

namespace chandler::python {
namespace {

using forecast::Holiday;
using forecast::ProphetFit;
using forecast::ProphetSpec;

Result<forecast::Mode> mode_named(const std::string& name) {
  if (name == "additive") return forecast::Mode::additive;
  if (name == "multiplicative") return forecast::Mode::multiplicative;
  return fail(ErrorCode::usage, fmt::format("'{}' is no mode", name), {}, "one of additive, multiplicative");
}

Result<forecast::Growth> growth_named(const std::string& name) {
  if (name == "linear") return forecast::Growth::linear;
  if (name == "logistic") return forecast::Growth::logistic;
  if (name == "flat") return forecast::Growth::flat;
  return fail(ErrorCode::usage, fmt::format("'{}' is no growth", name), {}, "one of linear, logistic, flat");
}

// What `fit` and `predict` read of a table. The filled days of daily_filled are no observations: left out.
struct Observations {
  std::vector<std::int32_t> day;
  std::vector<double> y, cap;
  std::vector<std::vector<double>> regressors;

  std::vector<std::span<const double>> regressor_spans() const {
    return {regressors.begin(), regressors.end()};
  }
};

std::shared_ptr<arrow::Array> either(const arrow::RecordBatch& batch, const char* first, const char* second) {
  auto column = find_column(batch, first);
  return column ? column : find_column(batch, second);
}

Result<Observations> read_observations(arrow::RecordBatchReader& reader,
                                       const std::vector<std::string>& names, bool with_y, bool with_cap) {
  Observations all;
  all.regressors.resize(names.size());
  const auto need = [](const std::shared_ptr<arrow::Array>& column, std::string_view what) -> Status {
    if (column) return {};
    return fail(ErrorCode::invalid_data, fmt::format("column {} is missing", what), {},
                "pass columns ds and y, or rows of daily_filled");
  };
  for (;;) {
    CHANDLER_ASSIGN(const auto batch, next_batch(reader));
    if (batch == nullptr) return all;
    const auto ds = either(*batch, "ds", "date");
    CHANDLER_TRY(need(ds, "'ds'"));
    CHANDLER_ASSIGN(const auto day, days(*ds, "ds"));
    std::vector<std::uint8_t> left_out(day.values.size(), 0);
    if (const auto filled = find_column(*batch, "filled"); filled && with_y) {
      CHANDLER_ASSIGN(left_out, flags(*filled, "filled"));
    }
    const auto take = [&](const auto& from, auto& to) {
      for (std::size_t i = 0; i < left_out.size(); ++i) {
        if (left_out[i] == 0) to.push_back(from[i]);
      }
    };
    const auto take_column = [&](const std::shared_ptr<arrow::Array>& column, const std::string& name,
                                 std::vector<double>& to) -> Status {
      CHANDLER_TRY(need(column, fmt::format("'{}'", name)));
      CHANDLER_ASSIGN(const auto values, numbers(*column, name));
      take(values.values, to);
      return {};
    };
    take(day.values, all.day);
    if (with_y) CHANDLER_TRY(take_column(either(*batch, "y", "daily_close"), "y", all.y));
    if (with_cap) CHANDLER_TRY(take_column(find_column(*batch, "cap"), "cap", all.cap));
    for (std::size_t r = 0; r < names.size(); ++r)
      CHANDLER_TRY(take_column(find_column(*batch, names[r]), names[r], all.regressors[r]));
  }
}

std::vector<std::string> regressor_names(const ProphetSpec& spec) {
  std::vector<std::string> names;
  for (const auto& r : spec.regressors) names.push_back(r.name);
  return names;
}

ProphetFit fit(nb::handle data, const ProphetSpec& spec) {
  const auto reader = batches_of(data);
  return without_gil([&]() -> Result<ProphetFit> {
    const bool logistic = spec.growth == forecast::Growth::logistic;
    CHANDLER_ASSIGN(const auto rows, read_observations(*reader, regressor_names(spec), true, logistic));
    return forecast::fit_prophet(spec, {{rows.day, rows.y}, rows.regressor_spans(), rows.cap});
  });
}

struct Predicted {
  std::vector<std::int32_t> day;
  forecast::ProphetPrediction prediction;
  forecast::ProphetInterval interval;
};

std::vector<lake::Column> columns_of(const Predicted& p) {
  using enum lake::ColumnType;
  std::vector<lake::Column> columns{{"ds", date, false, std::span(p.day)}};
  const auto add = [&](std::string_view name, const std::vector<double>& values) {
    columns.push_back({name, float64, true, std::span(values)});
  };
  add("yhat", p.prediction.yhat);
  add("yhat_lower", p.interval.yhat_lower);
  add("yhat_upper", p.interval.yhat_upper);
  add("trend", p.prediction.trend);
  add("trend_lower", p.interval.trend_lower);
  add("trend_upper", p.interval.trend_upper);
  add("additive_terms", p.prediction.additive_terms);
  add("multiplicative_terms", p.prediction.multiplicative_terms);
  for (const auto& component : p.prediction.components) add(component.name, component.effect);
  return columns;
}

Result<Predicted> predict_rows(const ProphetFit& model, const Observations& rows, double level, int paths,
                               std::uint64_t seed) {
  const forecast::ProphetFuture future{rows.day, rows.regressor_spans(), rows.cap};
  Predicted result;
  CHANDLER_ASSIGN(result.prediction, forecast::predict_prophet(model, future));
  CHANDLER_ASSIGN(result.interval, forecast::simulate_prophet(model, future, level, paths, Random(seed)));
  result.day = rows.day;
  return result;
}

void check_interval(double level, int paths) {
  if (!(level > 0 && level < 1))
    raise({ErrorCode::usage, fmt::format("a level of {} is no share", level), {}, "e.g. 0.8"});
  if (paths < 1 || paths > 1'000'000)
    raise({ErrorCode::usage, fmt::format("{} paths cannot be simulated", paths), {}, "e.g. 1000"});
}

Batches predict_days_ahead(const ProphetFit& model, std::int32_t horizon, double level, int paths,
                           std::uint64_t seed) {
  check_interval(level, paths);
  if (horizon < 1 || horizon > 100'000)
    raise({ErrorCode::usage, fmt::format("a horizon of {} days cannot be forecast", horizon), {}, {}});
  if (!model.spec.regressors.empty() || model.spec.growth == forecast::Growth::logistic) {
    raise({ErrorCode::usage,
           "the model has regressors or a cap, whose future values are not known here",
           {},
           "pass a table with ds and these columns instead of a number of days"});
  }
  Observations rows;
  for (std::int32_t day = 1; day <= horizon; ++day) rows.day.push_back(model.last_day + day);
  return Batches(
      owning_batch(without_gil([&] { return predict_rows(model, rows, level, paths, seed); }), columns_of));
}

Batches predict_table(const ProphetFit& model, nb::handle data, double level, int paths, std::uint64_t seed) {
  check_interval(level, paths);
  const auto reader = batches_of(data);
  return Batches(owning_batch(without_gil([&]() -> Result<Predicted> {
                                const bool logistic = model.spec.growth == forecast::Growth::logistic;
                                CHANDLER_ASSIGN(
                                    const auto rows,
                                    read_observations(*reader, regressor_names(model.spec), false, logistic));
                                return predict_rows(model, rows, level, paths, seed);
                              }),
                              columns_of));
}

}  // namespace

void bind_prophet(nb::module_& module) {
  nb::class_<ProphetSpec>(module, "ProphetSpec", "What a model is made of; `chandler.fit` fills it in.")
      .def(nb::init<>())
      .def("set_growth",
           [](ProphetSpec& s, const std::string& name) { s.growth = value_or_raise(growth_named(name)); })
      .def("set_mode",
           [](ProphetSpec& s, const std::string& n) { s.seasonality_mode = value_or_raise(mode_named(n)); })
      .def_rw("changepoints", &ProphetSpec::changepoints)
      .def_rw("changepoint_range", &ProphetSpec::changepoint_range)
      .def_rw("changepoint_prior_scale", &ProphetSpec::changepoint_prior_scale)
      .def_rw("seasonality_prior_scale", &ProphetSpec::seasonality_prior_scale)
      .def_rw("holidays_prior_scale", &ProphetSpec::holidays_prior_scale)
      .def_rw("yearly", &ProphetSpec::yearly, nb::arg().none())
      .def_rw("weekly", &ProphetSpec::weekly, nb::arg().none())
      .def_rw("daily", &ProphetSpec::daily, nb::arg().none())
      .def_rw("floor", &ProphetSpec::floor)
      .def("add_seasonality",
           [](ProphetSpec& s, std::string name, double period_days, int order) {
             s.seasonalities.push_back(
                 {std::move(name), period_days, order, s.seasonality_prior_scale, s.seasonality_mode});
           })
      .def("add_holiday",
           [](ProphetSpec& s, std::string name, std::vector<std::int32_t> on, int lower, int upper) {
             s.holidays.push_back({std::move(name), std::move(on), lower, upper, {}});
           })
      .def("add_halvings", [](ProphetSpec& s) { s.holidays.push_back(forecast::bitcoin_halvings()); })
      .def("add_regressor", [](ProphetSpec& s, std::string name) {
        s.regressors.push_back({std::move(name), {}, {}, {}});
      });

  nb::class_<ProphetFit>(module, "ProphetFit", "A fitted model.")
      .def_ro("first_day", &ProphetFit::first_day)
      .def_ro("last_day", &ProphetFit::last_day)
      .def_ro("k", &ProphetFit::k)
      .def_ro("m", &ProphetFit::m)
      .def_ro("sigma", &ProphetFit::sigma)
      .def_ro("y_scale", &ProphetFit::y_scale)
      .def_ro("delta", &ProphetFit::delta)
      .def_ro("beta", &ProphetFit::beta)
      .def_ro("log_posterior", &ProphetFit::log_posterior)
      .def_ro("iterations", &ProphetFit::iterations)
      .def_ro("converged", &ProphetFit::converged)
      .def_prop_ro("features", [](const ProphetFit& f) {
        std::vector<std::string> names;
        for (const auto& feature : f.features) names.push_back(feature.name);
        return names;
      });

  module.def("fit", &fit, nb::arg("data"), nb::arg("spec"));
  module.def("predict_days_ahead", &predict_days_ahead, nb::arg("model"), nb::arg("horizon"),
             nb::arg("level"), nb::arg("paths"), nb::arg("seed"));
  module.def("predict_table", &predict_table, nb::arg("model"), nb::arg("data"), nb::arg("level"),
             nb::arg("paths"), nb::arg("seed"));
}

}  // namespace chandler::python
