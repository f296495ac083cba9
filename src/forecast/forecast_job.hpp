// The job: reads closes, lets every model compete, and writes a run below forecasts/.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "base/time.hpp"
#include "forecast/forecast_result.hpp"
#include "lake/storage.hpp"

namespace chandler::forecast {

struct ForecastJob {
  std::vector<std::string> symbols;
  RollingOriginOptions rolling;
  ForecastOptions options;
  std::vector<Family> families{std::begin(kFamilies), std::end(kFamilies)};
  std::vector<std::string> regressors;  // ma7, ma30
  std::vector<HolidayRule> holidays;
  std::size_t threads = 1;
  bool plots = true;
};

struct SymbolSummary {
  std::string symbol;
  std::optional<Error> error;  // then nothing below is set, and the symbol has no files in the run
  std::string verdict;
  std::string model;  // what was saved
  bool naive_wins = true;
  std::string chosen;  // on the training part
  std::size_t days = 0, filled = 0;
  std::int32_t first_day = 0, last_day = 0;
  std::size_t training_origins = 0, test_origins = 0;
  Metrics saved, naive;  // on the untouched part
  std::vector<CandidateResult> finalists;
  Published forecast;
};

struct ForecastRun {
  std::string run;     // 2025-09-22T103000Z
  std::string folder;  // forecasts/run=2025-09-22T103000Z
  std::vector<SymbolSummary> symbols;
  bool switched = false;  // latest.json names this run
};

// Writes forecasts/run=…/ with, for each symbol, SYMBOL_forecast.parquet, SYMBOL_components.parquet,
// SYMBOL_actual_vs_pred.csv, SYMBOL_model_card.md, SYMBOL.html and the plots SYMBOL_forecast, SYMBOL_test,
// SYMBOL_components as .svg and .png; and metrics.csv, metrics_by_horizon.csv, summary.json.
// forecasts/latest.json is replaced last and only if any symbol succeeded; earlier runs stay. A symbol that
// cannot be forecast is an error of its summary, not of the run. `now` names the run and is nowhere in its
// files. Deterministic whatever the number of threads. The caller holds the lake's lock.
Result<ForecastRun> run_forecast(lake::Storage& storage, const ForecastJob& job, Timestamp now,
                                 Progress& progress, std::stop_token stop);

}  // namespace chandler::forecast
