// Fits one model to a CSV and prints what it found: how the tests compare with Prophet and StatsForecast, and
// how the benchmark times the kernels. Not installed.
//   forecast_probe prophet FILE MODE GROWTH PRIORS HALVINGS HORIZON [CAP]
//   forecast_probe smooth FILE SEASON LOGS HORIZON
// FILE: a header, then day number, y and any regressors. PRIORS: comma separated. HALVINGS: 0 or 1. The last
// HORIZON rows of FILE are predicted, not fitted. LOGS: 1 to model the logarithms.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "forecast/baselines.hpp"
#include "forecast/ets.hpp"
#include "forecast/prophet.hpp"
#include "forecast/theta.hpp"

namespace {

using namespace chandler;
using namespace chandler::forecast;

struct Table {
  std::vector<std::string> names;
  std::vector<std::int32_t> day;
  std::vector<std::vector<double>> columns;  // y first
};

Table read(const char* path) {
  Table table;
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  std::stringstream header(line);
  for (std::string cell; std::getline(header, cell, ',');) table.names.push_back(cell);
  table.columns.resize(table.names.size() - 1);
  while (std::getline(in, line)) {
    std::stringstream row(line);
    std::string cell;
    std::getline(row, cell, ',');
    table.day.push_back(std::stoi(cell));
    for (auto& column : table.columns) {
      std::getline(row, cell, ',');
      double value = 0;
      std::from_chars(cell.data(), cell.data() + cell.size(), value);
      column.push_back(value);
    }
  }
  return table;
}

double milliseconds(std::chrono::steady_clock::duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

int die(const Error& error) {
  fmt::print(stderr, "{}\n", to_text(error));
  return 1;
}

int prophet(char** arg, int count) {
  const Table table = read(arg[0]);
  ProphetSpec spec;
  spec.seasonality_mode = std::string(arg[1]) == "multiplicative" ? Mode::multiplicative : Mode::additive;
  const std::string growth = arg[2];
  spec.growth = growth == "logistic" ? Growth::logistic : growth == "flat" ? Growth::flat : Growth::linear;
  std::vector<double> priors;
  std::stringstream list{std::string(arg[3])};
  for (std::string cell; std::getline(list, cell, ',');) priors.push_back(std::strtod(cell.c_str(), nullptr));
  if (std::string(arg[4]) == "1") spec.holidays.push_back(bitcoin_halvings());
  const std::size_t horizon = std::strtoul(arg[5], nullptr, 10);
  const std::vector<double> cap(table.day.size(), count > 6 ? std::strtod(arg[6], nullptr) : 0);

  const std::size_t rows = table.day.size() - horizon;
  ProphetData data{{{table.day.data(), rows}, {table.columns[0].data(), rows}}, {}, {}};
  ProphetFuture future{table.day, {}, {}};
  for (std::size_t c = 1; c < table.columns.size(); ++c) {
    spec.regressors.push_back({table.names[c + 1], {}, {}, {}});
    data.regressors.push_back(std::span(table.columns[c]).first(rows));
    future.regressors.push_back(table.columns[c]);
  }
  if (spec.growth == Growth::logistic) {
    data.cap = std::span(cap).first(rows);
    future.cap = cap;
  }
  const auto begin = std::chrono::steady_clock::now();
  auto fits = fit_prophet_priors(spec, data, priors);
  const auto fitted = std::chrono::steady_clock::now();
  if (!fits) return die(fits.error());
  fmt::print("[");
  double predicting = 0;
  for (std::size_t i = 0; i < fits->size(); ++i) {
    const ProphetFit& fit = (*fits)[i];
    const auto start = std::chrono::steady_clock::now();
    const auto point = predict_prophet(fit, future);
    ProphetFuture tail{std::span(table.day).subspan(rows), {}, {}};
    for (auto column : future.regressors) tail.regressors.push_back(column.subspan(rows));
    if (!future.cap.empty()) tail.cap = future.cap.subspan(rows);
    const auto interval = simulate_prophet(fit, tail, 0.8, 1000, Random(1));
    predicting += milliseconds(std::chrono::steady_clock::now() - start);
    if (!point) return die(point.error());
    if (!interval) return die(interval.error());
    std::vector<std::string> names;
    for (const Feature& f : fit.features) names.push_back(fmt::format("\"{}\"", f.name));
    fmt::print(
        "{}{{\"k\": {}, \"m\": {}, \"sigma\": {}, \"delta\": [{}], \"beta\": [{}], \"features\": [{}], "
        "\"log_posterior\": {}, \"iterations\": {}, \"converged\": {}, \"changepoint\": [{}], \"yhat\": "
        "[{}], "
        "\"trend\": [{}], \"lower\": [{}], \"upper\": [{}], \"fit_ms\": {:.3f}, \"predict_ms\": {:.3f}}}",
        i == 0 ? "" : ", ", fit.k, fit.m, fit.sigma, fmt::join(fit.delta, ", "), fmt::join(fit.beta, ", "),
        fmt::join(names, ", "), fit.log_posterior, fit.iterations, fit.converged,
        fmt::join(fit.changepoint, ", "), fmt::join(point->yhat, ", "), fmt::join(point->trend, ", "),
        fmt::join(interval->yhat_lower, ", "), fmt::join(interval->yhat_upper, ", "),
        milliseconds(fitted - begin), predicting);
  }
  fmt::print("]\n");
  return 0;
}

void print(const PointForecast& forecast, const char* end) {
  fmt::print("\"mean\": [{}], \"deviation\": [{}]}}{}", fmt::join(forecast.mean, ", "),
             fmt::join(forecast.deviation, ", "), end);
}

int smooth(char** arg) {
  const Table table = read(arg[0]);
  const int season = std::atoi(arg[1]);
  std::vector<double> y = table.columns[0];
  if (std::string(arg[2]) == "1") {
    for (double& v : y) v = std::log(v);
  }
  const int horizon = std::atoi(arg[3]);
  y.resize(y.size() - static_cast<std::size_t>(horizon));
  fmt::print("{{");
  for (const EtsTrend trend : {EtsTrend::none, EtsTrend::additive, EtsTrend::damped}) {
    for (const EtsError error : {EtsError::additive, EtsError::multiplicative}) {
      const auto start = std::chrono::steady_clock::now();
      const auto fit = fit_ets(y, {error, trend, error == EtsError::additive ? season : 1});
      const double ms = milliseconds(std::chrono::steady_clock::now() - start);
      if (!fit) continue;  // relative errors of a series that is not positive
      fmt::print(
          "\"{}\": {{\"alpha\": {}, \"beta\": {}, \"phi\": {}, \"gamma\": {}, \"aic\": {}, \"aicc\": {}, "
          "\"ms\": {:.3f}, ",
          name(fit->model), fit->alpha, fit->beta, fit->phi, fit->gamma, fit->aic, fit->aicc, ms);
      print(forecast_ets(*fit, horizon), ", ");
    }
  }
  for (const ThetaKind kind : {ThetaKind::standard, ThetaKind::optimised}) {
    const auto start = std::chrono::steady_clock::now();
    const auto fit = fit_theta(y, kind);
    const double ms = milliseconds(std::chrono::steady_clock::now() - start);
    if (!fit) return die(fit.error());
    fmt::print("\"{}\": {{\"alpha\": {}, \"theta\": {}, \"level\": {}, \"squares\": {}, \"ms\": {:.3f}, ",
               kind == ThetaKind::standard ? "theta" : "theta_optimised", fit->alpha, fit->theta,
               fit->initial_level, fit->squares, ms);
    print(forecast_theta(*fit, horizon), ", ");
  }
  fmt::print("\"naive\": {{");
  print(*forecast_naive(y, horizon), ", ");
  fmt::print("\"drift\": {{");
  print(*forecast_drift(y, horizon), ", ");
  fmt::print("\"seasonal_naive\": {{");
  print(*forecast_seasonal_naive(y, 7, horizon), "}\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "prophet" && argc >= 8) return prophet(argv + 2, argc - 2);
  if (command == "smooth" && argc == 6) return smooth(argv + 2);
  fmt::print(stderr, "usage: see the head of forecast_probe.cpp\n");
  return 2;
}
