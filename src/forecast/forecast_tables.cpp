#include "forecast/forecast_tables.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/time.hpp"
#include "lake/table_file.hpp"

namespace chandler::forecast {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

// Shortest digits that give the value back; empty for what is not known.
std::string cell(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : std::string{};
}

std::string day_text(std::int32_t day) {
  return format_day(from_day_number(day));
}

struct TableColumns {
  std::vector<std::string> names;
  std::vector<std::vector<double>> values;
  void add(std::string name, std::vector<double> column) {
    names.push_back(std::move(name));
    values.push_back(std::move(column));
  }
};

Result<std::shared_ptr<arrow::Buffer>> encode(const std::vector<std::int32_t>& ds, const TableColumns& table,
                                              const SymbolForecast& forecast) {
  std::vector<lake::Column> columns{{"ds", lake::ColumnType::date, false, std::span(ds)}};
  for (std::size_t c = 0; c < table.names.size(); ++c) {
    columns.push_back({table.names[c], lake::ColumnType::float64, true, std::span(table.values[c])});
  }
  const lake::Metadata metadata{{"chandler.table", "forecast"},
                                {"chandler.model", label(forecast.saved())},
                                {"chandler.symbol", forecast.data.symbol},
                                {"chandler.kind", kind(forecast)}};
  return lake::encode_table(columns, metadata);
}

std::vector<double> tail(const std::vector<double>& column, std::size_t count) {
  return {column.end() - static_cast<std::ptrdiff_t>(count), column.end()};
}

std::string prior_cell(const Candidate& c) {
  return is_prophet(c.family) ? fmt::format("{}", c.prior) : std::string{};
}
const char* mode_cell(const Candidate& c) {
  return is_prophet(c.family) ? name(c.mode) : "";
}

}  // namespace

const char* kind(const SymbolForecast& forecast) {
  return forecast.options.same_day_regressors ? "same_day_regressors" : "forecast";
}

Result<std::shared_ptr<arrow::Buffer>> forecast_table(const SymbolForecast& forecast) {
  const Published& best = forecast.best;
  TableColumns table;
  table.add("yhat", best.yhat);
  table.add("yhat_lower", best.lower80);
  table.add("yhat_upper", best.upper80);
  table.add("yhat_lower_95", best.lower95);
  table.add("yhat_upper_95", best.upper95);
  if (forecast.prophet) {
    const ProphetView& view = *forecast.prophet;
    const std::size_t ahead = best.day.size();
    table.add("prophet_yhat", tail(view.prediction.yhat, ahead));
    table.add("prophet_yhat_lower", view.future.yhat_lower);
    table.add("prophet_yhat_upper", view.future.yhat_upper);
    table.add("trend", tail(view.prediction.trend, ahead));
    table.add("trend_lower", view.future.trend_lower);
    table.add("trend_upper", view.future.trend_upper);
    table.add("additive_terms", tail(view.prediction.additive_terms, ahead));
    table.add("multiplicative_terms", tail(view.prediction.multiplicative_terms, ahead));
    for (const ProphetComponent& component : view.prediction.components) {
      table.add(component.name, tail(component.effect, ahead));
    }
  }
  return encode(best.day, table, forecast);
}

Result<std::shared_ptr<arrow::Buffer>> components_table(const SymbolForecast& forecast) {
  if (!forecast.prophet) return nullptr;
  const ProphetView& view = *forecast.prophet;
  TableColumns table;
  std::vector<double> y = forecast.data.close;
  y.resize(view.day.size(), kNothing);
  table.add("y", std::move(y));
  table.add("yhat", view.prediction.yhat);
  table.add("trend", view.prediction.trend);
  table.add("additive_terms", view.prediction.additive_terms);
  table.add("multiplicative_terms", view.prediction.multiplicative_terms);
  for (const ProphetComponent& component : view.prediction.components)
    table.add(component.name, component.effect);
  return encode(view.day, table, forecast);
}

std::string actual_vs_predicted(const SymbolForecast& forecast) {
  std::string out = "ds,yhat,y,error,abs_error,pct_error,origin,horizon,yhat_lower,yhat_upper\n";
  const RollingOrigins& rolling = forecast.evaluation.rolling;
  const std::vector<double>& point = forecast.evaluation.forecasts[forecast.choice.saved].point;
  for (std::size_t o = rolling.training; o < rolling.origins.size(); ++o) {
    for (int h = 1; h <= rolling.horizon; ++h) {
      const std::size_t i = o * rolling.steps() + static_cast<std::size_t>(h - 1);
      const double y = rolling.actual[i];
      if (!std::isfinite(y)) continue;
      const double error = y - point[i];
      fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{},{},{},{},{}\n",
                     day_text(rolling.origins[o].day + h), cell(point[i]), cell(y), cell(error),
                     cell(std::abs(error)), cell(y == 0 ? kNothing : 100 * error / y),
                     day_text(rolling.origins[o].day), h, cell(forecast.best_intervals.lower80[i]),
                     cell(forecast.best_intervals.upper80[i]));
    }
  }
  return out;
}

std::string metrics_table(const std::vector<SymbolForecast>& forecasts) {
  std::string out =
      "symbol,model,mode,prior,mse,mape,cv_mape,mae,rmse,smape,mase,cv_mase,skill,coverage80,coverage95,"
      "width80_pct,"
      "pinball,own_coverage80,targets,finalist,saved,kind\n";
  for (const SymbolForecast& f : forecasts) {
    for (std::size_t c = 0; c < f.candidates.size(); ++c) {
      const CandidateResult& r = f.candidates[c];
      const Metrics& m = r.test;
      fmt::format_to(std::back_inserter(out),
                     "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", f.data.symbol,
                     name(r.candidate.family), mode_cell(r.candidate), prior_cell(r.candidate), cell(m.mse),
                     cell(m.mape), cell(r.training.mape), cell(m.mae), cell(m.rmse), cell(m.smape),
                     cell(m.mase), cell(r.training.mase), cell(m.skill), cell(m.coverage80),
                     cell(m.coverage95), cell(m.width80), cell(m.pinball), cell(r.own_coverage80), m.targets,
                     r.finalist ? 1 : 0, c == f.choice.saved ? 1 : 0, kind(f));
    }
  }
  return out;
}

std::string horizon_table(const std::vector<SymbolForecast>& forecasts) {
  std::string out =
      "symbol,model,mode,prior,horizon,mae,rmse,mape,smape,mase,skill,coverage80,coverage95,width80_pct,"
      "pinball,targets,"
      "kind\n";
  for (const SymbolForecast& f : forecasts) {
    for (const CandidateResult& r : f.candidates) {
      for (std::size_t h = 0; h < r.test_by_horizon.size(); ++h) {
        const Metrics& m = r.test_by_horizon[h];
        fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n",
                       f.data.symbol, name(r.candidate.family), mode_cell(r.candidate),
                       prior_cell(r.candidate), h + 1, cell(m.mae), cell(m.rmse), cell(m.mape), cell(m.smape),
                       cell(m.mase), cell(m.skill), cell(m.coverage80), cell(m.coverage95), cell(m.width80),
                       cell(m.pinball), m.targets, kind(f));
      }
    }
  }
  return out;
}

}  // namespace chandler::forecast
