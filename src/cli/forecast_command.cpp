#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <iterator>

#include "base/parallel.hpp"
#include "cli/commands.hpp"
#include "cli/measured_progress.hpp"
#include "cli/metrics_flags.hpp"
#include "cli/terminal.hpp"
#include "forecast/forecast_job.hpp"
#include "lake/catalog.hpp"

namespace chandler::cli {
namespace {

using forecast::ForecastJob;
using forecast::ForecastRun;
using forecast::SymbolSummary;

struct Options {
  std::vector<std::string> symbols;
  std::string horizon = "30d";
  std::string period = "15d";
  std::string initial;
  std::vector<std::string> regressors;
  std::vector<std::string> models;
  std::string holidays;
  std::uint64_t seed = 1;
  bool same_day_regressors = false;
  bool no_plots = false;
  MetricsFlags metrics;
};

// "30d", "30": days.
Result<int> parse_days(const std::string& flag, const std::string& text) {
  std::string digits = text;
  if (digits.ends_with('d')) digits.pop_back();
  const bool number =
      !digits.empty() && digits.size() <= 5 && digits.find_first_not_of("0123456789") == std::string::npos;
  const int days = number ? std::stoi(digits) : 0;
  if (days < 1) {
    return fail(ErrorCode::usage, fmt::format("--{} {} is not a number of days", flag, text), {},
                fmt::format("write --{} 30d", flag));
  }
  return days;
}

Result<std::vector<forecast::HolidayRule>> read_holidays(const std::string& path) {
  if (path.empty()) return std::vector<forecast::HolidayRule>{};
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in)
    return fail(ErrorCode::usage, "the holidays cannot be read", path, "give --holidays a readable CSV file");
  return forecast::parse_holidays(text, path);
}

Result<ForecastJob> job_of(const Options& options) {
  ForecastJob job;
  CHANDLER_ASSIGN(job.rolling.horizon, parse_days("horizon", options.horizon));
  CHANDLER_ASSIGN(job.rolling.period, parse_days("period", options.period));
  if (!options.initial.empty()) {
    CHANDLER_ASSIGN(job.rolling.initial, parse_days("initial", options.initial));
  }
  job.options.horizon = job.rolling.horizon;
  job.options.seed = options.seed;
  job.options.same_day_regressors = options.same_day_regressors;
  for (const std::string& name : options.regressors) {
    if (name != "ma7" && name != "ma30") {
      return fail(ErrorCode::usage, fmt::format("there is no regressor `{}`", name), {}, "ma7, ma30 or both");
    }
    if (std::ranges::find(job.regressors, name) == job.regressors.end()) job.regressors.push_back(name);
  }
  // The reference pipeline's set-up has both averages.
  if (options.same_day_regressors && job.regressors.empty()) job.regressors = {"ma7", "ma30"};
  if (!options.models.empty()) job.families.clear();
  for (const std::string& name : options.models) {
    CHANDLER_ASSIGN(const auto family, forecast::parse_family(name));
    job.families.push_back(family);
  }
  CHANDLER_ASSIGN(job.holidays, read_holidays(options.holidays));
  job.threads = core_count();
  job.plots = !options.no_plots;
  return job;
}

Result<std::vector<std::string>> symbols_for(const lake::Storage& storage,
                                             const std::vector<std::string>& arguments) {
  CHANDLER_ASSIGN(auto wanted, parse_symbols(arguments));
  if (!wanted.empty()) return wanted;
  const lake::Table tables[] = {lake::Table::prophet_input};
  CHANDLER_ASSIGN(auto all, lake::symbols_of(storage, tables));
  if (all.empty()) {
    return fail(ErrorCode::not_found, "the lake has no daily closes to forecast", storage.uri(),
                "run `chandler backfill SYMBOL` first");
  }
  return all;
}

Json figure(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json to_json(const forecast::Metrics& m) {
  return {{"targets", m.targets},
          {"mae", figure(m.mae)},
          {"rmse", figure(m.rmse)},
          {"mape", figure(m.mape)},
          {"smape", figure(m.smape)},
          {"mase", figure(m.mase)},
          {"skill", figure(m.skill)},
          {"coverage80", figure(m.coverage80)},
          {"coverage95", figure(m.coverage95)},
          {"pinball", figure(m.pinball)}};
}

Json to_json(const SymbolSummary& s) {
  if (s.error) return {{"symbol", s.symbol}, {"error", cli::to_json(*s.error)}};
  Json models = Json::array();
  for (const forecast::CandidateResult& r : s.finalists) {
    models.push_back({{"model", forecast::label(r.candidate)},
                      {"training_mase", figure(r.training.mase)},
                      {"test", to_json(r.test)},
                      {"own_coverage80", figure(r.own_coverage80)}});
  }
  Json days = Json::array();
  for (std::size_t h = 0; h < s.forecast.day.size(); ++h) {
    days.push_back({{"ds", format_day(from_day_number(s.forecast.day[h]))},
                    {"yhat", figure(s.forecast.yhat[h])},
                    {"yhat_lower", figure(s.forecast.lower80[h])},
                    {"yhat_upper", figure(s.forecast.upper80[h])}});
  }
  return {{"symbol", s.symbol},
          {"verdict", s.verdict},
          {"model", s.model},
          {"naive_wins", s.naive_wins},
          {"chosen_on_training", s.chosen},
          {"days", s.days},
          {"filled_days", s.filled},
          {"first_day", format_day(from_day_number(s.first_day))},
          {"last_day", format_day(from_day_number(s.last_day))},
          {"training_origins", s.training_origins},
          {"test_origins", s.test_origins},
          {"models", std::move(models)},
          {"forecast", std::move(days)}};
}

std::string text_of(double value, int digits) {
  return std::isfinite(value) ? fmt::format("{:.{}f}", value, digits) : "-";
}

void print_result(const ForecastRun& run, const ForecastJob& job, double seconds, bool colour) {
  std::size_t done = 0;
  for (const SymbolSummary& s : run.symbols) {
    if (s.error) continue;
    ++done;
    print(fmt::format("{}: {}\n", s.symbol, s.verdict));
  }
  if (done == 0) return;
  TextTable table({{"symbol"},
                   {"saved model"},
                   {"MASE", Align::right},
                   {"naive", Align::right},
                   {"MAPE %", Align::right},
                   {"80% covered", Align::right},
                   {"days", Align::right},
                   {"filled", Align::right},
                   {fmt::format("in {} days", job.options.horizon), Align::right},
                   {"80% interval"}});
  for (const SymbolSummary& s : run.symbols) {
    if (s.error) continue;
    const auto price = [](double value) { return std::isfinite(value) ? fmt::format("{:.6g}", value) : "-"; };
    table.add({s.symbol, s.model, text_of(s.saved.mase, 3), text_of(s.naive.mase, 3),
               text_of(s.saved.mape, 2), text_of(100 * s.saved.coverage80, 1) + "%", group_digits(s.days),
               group_digits(s.filled), price(s.forecast.yhat.back()),
               price(s.forecast.lower80.back()) + " … " + price(s.forecast.upper80.back())});
  }
  print("\n" + table.to_text(colour));
  if (job.options.same_day_regressors) {
    print("\nSame-day regressors contain the answer: what was measured with them is not a forecast error.\n");
  }
  print(fmt::format("\nWrote {} in {:.1f} s\n", run.folder, seconds));
}

void add_to(metrics::Families& families, const forecast::ForecastFigures& figures) {
  const auto number = [](const forecast::ForecastFigures::Count& count) {
    return static_cast<double>(count.load());
  };
  families.gauge("chandler_forecast_symbols", "Symbols of the job", number(figures.symbols));
  families.gauge("chandler_forecast_symbols_done", "Symbols that are through", number(figures.symbols_done));
  families.counter("chandler_forecast_symbol_errors_total", "Symbols that could not be forecast",
                   number(figures.symbol_errors));
  families.counter("chandler_forecast_forecasts_total", "Forecasts made of one model from one origin",
                   number(figures.forecasts));
}

Result<int> run(const Options& options, Context& context) {
  CHANDLER_ASSIGN(auto job, job_of(options));
  CHANDLER_ASSIGN(const auto storage, context.open_lake());
  CHANDLER_ASSIGN(job.symbols, symbols_for(*storage, options.symbols));
  CHANDLER_ASSIGN(const auto lock, storage->lock_for_writing("forecast"));
  forecast::ForecastFigures figures;
  job.figures = &figures;
  MeasuredProgress progress(context.progress);
  CHANDLER_ASSIGN(const auto metrics, options.metrics.serve([&](metrics::Families& families) {
    progress.add_to(families);
    add_to(families, figures);
  }));
  const auto started = context.clock.steady();
  CHANDLER_ASSIGN(const ForecastRun result,
                  forecast::run_forecast(*storage, job, context.clock.now(), progress, context.stop));
  const double seconds = std::chrono::duration<double>(context.clock.steady() - started).count();
  bool failed = false;
  for (const SymbolSummary& s : result.symbols) {
    if (!s.error) continue;
    failed = true;
    print_error(*s.error);
  }
  if (context.globals.json) {
    Json symbols = Json::array();
    for (const SymbolSummary& s : result.symbols) symbols.push_back(to_json(s));
    print_json({{"run", result.switched ? Json(result.run) : Json(nullptr)},
                {"folder", result.switched ? Json(result.folder) : Json(nullptr)},
                {"kind", job.options.same_day_regressors ? "same_day_regressors" : "forecast"},
                {"duration_seconds", seconds},
                {"symbols", std::move(symbols)}});
  } else {
    print_result(result, job, seconds, context.colour);
  }
  return failed ? kDoneInPart : kDone;
}

}  // namespace

void add_forecast_command(Registry& registry) {
  auto options = std::make_shared<Options>();
  Flags& flags = registry.add("forecast", "Fit, choose, measure and save forecasts of the daily closes",
                              [options](Context& context) { return run(*options, context); });
  flags.argument("symbols", &options->symbols, "Symbols; all of the lake's if none").type("SYMBOL");
  flags.option("--horizon", &options->horizon, "How far ahead").type("DAYS").show_default();
  flags.option("--period", &options->period, "From one measured origin to the next")
      .type("DAYS")
      .show_default();
  flags
      .option("--initial", &options->initial,
              "History before the first origin (default: half of the training part)")
      .type("DAYS");
  flags
      .option("--regressors", &options->regressors,
              "Columns Prophet may lean on, lagged by the horizon: ma7,ma30")
      .split_at(',')
      .type("NAME,…");
  flags.toggle("--same-day-regressors", &options->same_day_regressors,
               "Regressors of the same day, as the reference pipeline had them; what is measured is not a "
               "forecast error");
  flags
      .option("--holidays", &options->holidays,
              "CSV: holiday,ds,lower_window,upper_window[,prior_scale][,symbol]")
      .type("FILE");
  flags
      .option("--model", &options->models,
              "Only these beside naive: drift, seasonal_naive, ets, theta, combination, "
              "prophet, prophet_anchored")
      .split_at(',')
      .type("NAME,…");
  flags.option("--seed", &options->seed, "Of the simulated paths").type("N").show_default();
  flags.toggle("--no-plots", &options->no_plots, "No SVG and PNG");
  options->metrics.add_to(flags);
}

}  // namespace chandler::cli
