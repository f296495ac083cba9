#include "forecast/forecast_job.hpp"

#include <arrow/buffer.h>
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/parallel.hpp"
#include "forecast/forecast_html.hpp"
#include "forecast/forecast_plots.hpp"
#include "forecast/forecast_tables.hpp"
#include "forecast/model_card.hpp"
#include "plot/chart.hpp"

namespace chandler::forecast {
namespace {

using Json = nlohmann::ordered_json;

// Symbols that are held in memory at a time, with all forecasts from all origins.
constexpr std::size_t kGroup = 6;

// A symbol on its way through the job.
struct Work {
  std::string symbol;
  std::optional<Error> error;
  SymbolData data;
  Evaluation evaluation;
  std::optional<SymbolForecast> result;
};

void prepare(const lake::Storage& storage, const ForecastJob& job, Work& work) {
  auto data = read_symbol(storage, work.symbol, job.regressors);
  if (!data) {
    work.error = std::move(data).error();
    return;
  }
  work.data = std::move(*data);
  work.data.holidays = holidays_of(work.symbol, job.holidays);
  auto evaluation = plan_evaluation(work.data.input(), job.rolling,
                                    make_candidates(job.families, job.options.modes, job.options.priors));
  if (!evaluation) {
    work.error = std::move(evaluation).error();
    work.error->what = work.symbol + ": " + work.error->what;
    return;
  }
  work.evaluation = std::move(*evaluation);
}

class Files {
 public:
  Files(lake::Storage& storage, std::string folder) : storage_(storage), folder_(std::move(folder)) {}
  void add(const std::string& name, std::string text) {
    pending_.push_back({folder_ + "/" + name, arrow::Buffer::FromString(std::move(text))});
  }
  void add(const std::string& name, std::shared_ptr<arrow::Buffer> bytes) {
    pending_.push_back({folder_ + "/" + name, std::move(bytes)});
  }
  Status write() { return storage_.replace(pending_); }

 private:
  lake::Storage& storage_;
  std::string folder_;
  std::vector<lake::PendingFile> pending_;
};

Status add_chart(plot::Chart chart, const std::string& name, Files& files) {
  // Packing pixels would otherwise take a quarter of the whole job.
  chart.png_scale = 1.25;
  CHANDLER_ASSIGN(auto svg, plot::to_svg(chart));
  CHANDLER_ASSIGN(auto png, plot::to_png(chart));
  files.add(name + ".svg", std::move(svg));
  files.add(name + ".png", std::move(png));
  return {};
}

Status write_symbol(lake::Storage& storage, const std::string& folder, const SymbolForecast& forecast,
                    bool plots) {
  Files files(storage, folder);
  const std::string& symbol = forecast.data.symbol;
  CHANDLER_ASSIGN(auto table, forecast_table(forecast));
  CHANDLER_ASSIGN(auto components, components_table(forecast));
  files.add(symbol + "_forecast.parquet", std::move(table));
  if (components != nullptr) files.add(symbol + "_components.parquet", std::move(components));
  files.add(symbol + "_actual_vs_pred.csv", actual_vs_predicted(forecast));
  files.add(symbol + "_model_card.md", model_card(forecast));
  files.add(symbol + ".html", forecast_html(forecast));
  if (plots) {
    CHANDLER_TRY(add_chart(forecast_chart(forecast), symbol + "_forecast", files));
    CHANDLER_TRY(add_chart(test_chart(forecast), symbol + "_test", files));
    if (const auto chart = components_chart(forecast)) {
      CHANDLER_TRY(add_chart(*chart, symbol + "_components", files));
    }
  }
  return files.write();
}

SymbolSummary summarise(const Work& work) {
  SymbolSummary summary;
  summary.symbol = work.symbol;
  summary.error = work.error;
  if (!work.result) return summary;
  const SymbolForecast& f = *work.result;
  summary.verdict = f.verdict();
  summary.model = label(f.saved());
  summary.naive_wins = f.choice.naive_wins;
  summary.chosen = label(f.evaluation.candidates[f.choice.chosen]);
  summary.days = f.data.close.size();
  summary.filled = f.data.filled;
  summary.first_day = f.data.day.front();
  summary.last_day = f.data.day.back();
  summary.training_origins = f.evaluation.rolling.training;
  summary.test_origins = f.evaluation.rolling.test();
  summary.saved = f.candidates[f.choice.saved].test;
  summary.naive = f.candidates.front().test;
  for (const CandidateResult& r : f.candidates) {
    if (r.finalist) summary.finalists.push_back(r);
  }
  summary.forecast = f.best;
  return summary;
}

Json figure(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json summary_json(const SymbolSummary& s) {
  if (s.error) return {{"symbol", s.symbol}, {"error", s.error->what}};
  return {{"symbol", s.symbol},
          {"verdict", s.verdict},
          {"model", s.model},
          {"naive_wins", s.naive_wins},
          {"days", s.days},
          {"filled_days", s.filled},
          {"last_day", format_day(from_day_number(s.last_day))},
          {"mase", figure(s.saved.mase)},
          {"naive_mase", figure(s.naive.mase)},
          {"coverage80", figure(s.saved.coverage80)},
          {"coverage95", figure(s.saved.coverage95)}};
}

Result<std::string> run_summary(const ForecastJob& job, std::span<const RunShare> shares) {
  Json symbols = Json::array();
  for (const RunShare& share : shares) {
    for (const std::string& text : share.summaries) {
      Json summary = Json::parse(text, nullptr, false);
      if (summary.is_discarded())
        return fail(ErrorCode::damaged, "the summary of a symbol is not JSON", "a share of the forecast");
      symbols.push_back(std::move(summary));
    }
  }
  return Json{{"horizon", job.options.horizon},
              {"kind", job.options.same_day_regressors ? "same_day_regressors" : "forecast"},
              {"seed", job.options.seed},
              {"symbols", std::move(symbols)}}
             .dump(2) +
         "\n";
}

// One heading for all pieces of a table.
void append_table(std::string& table, const std::string& more) {
  table += table.empty() || more.empty() ? more : more.substr(more.find('\n') + 1);
}

std::string folder_of(const std::string& run) {
  return "forecasts/run=" + run;
}

Status interrupted(const std::stop_token& stop) {
  if (!stop.stop_requested()) return {};
  return fail(ErrorCode::interrupted, "the forecast was interrupted; the previous run stays the latest");
}

// Symbols × candidates × origins.
std::uint64_t forecasts_of(const std::vector<Work>& group) {
  std::uint64_t total = 0;
  for (const Work& work : group) {
    if (!work.error) total += work.evaluation.candidates.size() * work.evaluation.rolling.origins.size();
  }
  return total;
}

// Runs every block of the group's evaluations; the longest come first in each symbol.
Status evaluate(std::vector<Work>& group, const ForecastJob& job, Progress& progress,
                const std::stop_token& stop) {
  struct Task {
    Work* work;
    SymbolInput input;
    Block block;
  };
  std::vector<Task> tasks;
  for (Work& work : group) {
    if (work.error) continue;
    for (Block& block : blocks_of(work.evaluation))
      tasks.push_back({&work, work.data.input(), std::move(block)});
  }
  return parallel_for(tasks.size(), job.threads, [&](std::size_t i) -> Status {
    CHANDLER_TRY(interrupted(stop));
    const Task& task = tasks[i];
    run_block(task.input, job.options, task.block, task.work->evaluation);
    const std::size_t done = task.block.candidates.size() * (task.block.last - task.block.first);
    progress.advance(done);
    if (job.figures != nullptr) job.figures->forecasts += done;
    return {};
  });
}

// Chooses, refits and writes one symbol's files.
Status finish(lake::Storage& storage, const ForecastJob& job, const std::string& folder, Work& work,
              const std::stop_token& stop) {
  if (work.error) return {};
  CHANDLER_TRY(interrupted(stop));
  auto result = conclude(std::move(work.data), job.rolling, job.options, std::move(work.evaluation));
  if (!result) {
    work.error = std::move(result).error();
    return {};
  }
  work.result = std::move(*result);
  return write_symbol(storage, folder, *work.result, job.plots);
}

void count_symbol(const Work& work, const ForecastJob& job) {
  if (job.figures == nullptr) return;
  ++job.figures->symbols_done;
  if (work.error) ++job.figures->symbol_errors;
}

// Symbols [first, last) of the job, whose forecasts from all origins are in memory together.
Status forecast_group(lake::Storage& storage, const ForecastJob& job, const std::string& run,
                      std::size_t first, std::size_t last, Progress& progress, const std::stop_token& stop,
                      RunShare& share) {
  std::vector<Work> group(last - first);
  for (std::size_t i = 0; i < group.size(); ++i) {
    group[i].symbol = job.symbols[first + i];
    prepare(storage, job, group[i]);
  }
  progress.begin("forecasting", forecasts_of(group),
                 fmt::format("forecasts, symbols {}–{} of {}", first + 1, last, job.symbols.size()));
  CHANDLER_TRY(evaluate(group, job, progress, stop));
  CHANDLER_TRY(parallel_for(group.size(), job.threads, [&](std::size_t i) -> Status {
    Status done = finish(storage, job, folder_of(run), group[i], stop);
    if (done) count_symbol(group[i], job);
    return done;
  }));
  progress.end();
  std::vector<SymbolForecast> done;
  for (Work& work : group) {
    share.symbols.push_back(summarise(work));
    share.summaries.push_back(summary_json(share.symbols.back()).dump());
    if (work.result) done.push_back(std::move(*work.result));
  }
  if (done.empty()) return {};
  append_table(share.metrics, metrics_table(done));
  append_table(share.by_horizon, horizon_table(done));
  return {};
}

}  // namespace

// No colon, which some file systems refuse.
std::string run_name(Timestamp now) {
  std::string name = format_instant(std::chrono::floor<std::chrono::seconds>(now));
  std::erase(name, ':');
  return name;
}

Result<RunShare> forecast_share(lake::Storage& storage, const ForecastJob& job, const std::string& run,
                                Progress& progress, std::stop_token stop) {
  RunShare share;
  if (job.figures != nullptr) job.figures->symbols += job.symbols.size();
  for (std::size_t first = 0; first < job.symbols.size(); first += kGroup) {
    CHANDLER_TRY(forecast_group(storage, job, run, first, std::min(job.symbols.size(), first + kGroup),
                                progress, stop, share));
  }
  return share;
}

Result<bool> close_run(lake::Storage& storage, const ForecastJob& job, const std::string& run,
                       std::span<const RunShare> shares) {
  std::string metrics, by_horizon;
  for (const RunShare& share : shares) {
    append_table(metrics, share.metrics);
    append_table(by_horizon, share.by_horizon);
  }
  if (metrics.empty()) return false;
  CHANDLER_ASSIGN(auto summary, run_summary(job, shares));
  Files files(storage, folder_of(run));
  files.add("metrics.csv", std::move(metrics));
  files.add("metrics_by_horizon.csv", std::move(by_horizon));
  files.add("summary.json", std::move(summary));
  CHANDLER_TRY(files.write());
  CHANDLER_TRY(storage.replace_text("forecasts/latest.json", Json{{"run", run}}.dump() + "\n"));
  return true;
}

Result<ForecastRun> run_forecast(lake::Storage& storage, const ForecastJob& job, Timestamp now,
                                 Progress& progress, std::stop_token stop) {
  ForecastRun run;
  run.run = run_name(now);
  run.folder = folder_of(run.run);
  CHANDLER_ASSIGN(RunShare share, forecast_share(storage, job, run.run, progress, stop));
  CHANDLER_TRY(interrupted(stop));
  CHANDLER_ASSIGN(run.switched, close_run(storage, job, run.run, std::span(&share, 1)));
  run.symbols = std::move(share.symbols);
  return run;
}

}  // namespace chandler::forecast
