// The job: reads closes, lets every model compete, and writes a run below forecasts/.
#pragma once

#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "base/time.hpp"
#include "forecast/forecast_figures.hpp"
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
  ForecastFigures* figures = nullptr;  // counted here as well, where somebody watches
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

// The same in pieces, for jobs whose symbols are spread over processes: every process forecasts its share
// into the run's folder, and one of them, which holds the lake's lock, closes the run. The files are those of
// run_forecast with all symbols, whatever the shares were.

// The name of a run that begins now.
std::string run_name(Timestamp now);

// What a process has to tell of its share.
struct RunShare {
  std::vector<SymbolSummary> symbols;
  std::string metrics, by_horizon;  // rows of the run's tables with their heading; empty if nothing succeeded
  std::vector<std::string> summaries;  // JSON, one document a symbol
};
// Forecasts job.symbols and writes their files. Running it again writes the same bytes.
Result<RunShare> forecast_share(lake::Storage& storage, const ForecastJob& job, const std::string& run,
                                Progress& progress, std::stop_token stop);
// Writes the run's tables from the shares, in the order they are given, and switches latest.json. Returns
// whether it did: not if no symbol succeeded.
Result<bool> close_run(lake::Storage& storage, const ForecastJob& job, const std::string& run,
                       std::span<const RunShare> shares);

}  // namespace chandler::forecast
