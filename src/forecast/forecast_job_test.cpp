#include "forecast/forecast_job.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "candles/daily.hpp"
#include "lake/derived_file.hpp"
#include "lake/test_lake.hpp"

namespace chandler::forecast {
namespace {

using lake::testing::TemporaryLake;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::int32_t kFirst = 18300;
const Timestamp kNow = from_ms(1'758'537'000'000);  // 2025-09-22T10:30:00Z

// Writes prophet_input and daily_filled as `build` would; days listed as missing are filled.
void store(TemporaryLake& lake, const std::string& symbol, const std::vector<double>& closes,
           const std::vector<std::size_t>& missing = {}) {
  candles::DailyRows rows;
  lake::ProphetRows prophet;
  for (std::size_t i = 0; i < closes.size(); ++i) {
    const bool filled = std::ranges::find(missing, i) != missing.end();
    const double close = filled ? rows.close.back() : closes[i];
    rows.date.push_back(kFirst + static_cast<std::int32_t>(i));
    for (auto* column : {&rows.open, &rows.high, &rows.low, &rows.close}) column->push_back(close);
    rows.volume.push_back(1);
    rows.count.push_back(filled ? 0 : 1440);
    rows.filled.push_back(filled ? 1 : 0);
    rows.quote_volume.push_back(1);
    rows.trades.push_back(1);
    rows.vwap.push_back(1);
    prophet.ds.push_back(rows.date.back());
    prophet.y.push_back(close);
  }
  rows.ma7 = candles::moving_average({}, rows.close, 7);
  rows.ma30 = candles::moving_average({}, rows.close, 30);
  // One month's partition may hold all days: readers go by the rows.
  const auto daily = lake::testing::value(
      lake::daily_file(lake::daily_partition(symbol, month_of(from_day_number(kFirst))), rows, {}, {}));
  const auto input = lake::testing::value(lake::prophet_file(symbol, prophet, ""));
  lake::testing::check(lake.storage().replace(std::array{daily, input}));
}

std::vector<double> walk(std::size_t days, std::uint64_t seed) {
  Random random(seed);
  std::vector<double> closes{100};
  while (closes.size() < days) closes.push_back(closes.back() * std::exp(0.03 * random.normal()));
  return closes;
}

ForecastJob quick_job(std::vector<std::string> symbols) {
  ForecastJob job;
  job.symbols = std::move(symbols);
  job.rolling.period = 30;
  job.options.priors = {0.05};
  job.threads = 1;
  return job;
}

ForecastRun run(TemporaryLake& lake, const ForecastJob& job, Timestamp now = kNow) {
  NoProgress progress;
  return lake::testing::value(run_forecast(lake.storage(), job, now, progress, {}));
}

std::map<std::string, std::string> files_of(TemporaryLake& lake, const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& file : lake::testing::value(lake.storage().list(folder))) {
    files[file.path.substr(folder.size() + 1)] =
        lake::testing::value(lake::read_text(lake.storage(), file.path));
  }
  return files;
}

TEST(ForecastJob, WritesEveryPromisedFileAndSwitchesLatest) {
  TemporaryLake lake;
  store(lake, "BTCUSDT", walk(500, 1));
  const ForecastRun done = run(lake, quick_job({"BTCUSDT"}));
  EXPECT_TRUE(done.switched);
  EXPECT_EQ(done.folder, "forecasts/run=2025-09-22T103000Z");
  const auto files = files_of(lake, done.folder);
  for (const char* name :
       {"BTCUSDT_forecast.parquet", "BTCUSDT_components.parquet", "BTCUSDT_actual_vs_pred.csv",
        "BTCUSDT_model_card.md", "BTCUSDT.html", "BTCUSDT_forecast.svg", "BTCUSDT_forecast.png",
        "BTCUSDT_test.svg", "BTCUSDT_test.png", "BTCUSDT_components.svg", "BTCUSDT_components.png",
        "metrics.csv", "metrics_by_horizon.csv", "summary.json"}) {
    EXPECT_TRUE(files.contains(name)) << name;
  }
  EXPECT_THAT(files.at("metrics.csv"), StartsWith("symbol,model,mode,prior,mse,mape,cv_mape,"));
  EXPECT_THAT(files.at("BTCUSDT_actual_vs_pred.csv"), StartsWith("ds,yhat,y,error,abs_error,pct_error,"));
  EXPECT_EQ(lake::testing::value(lake::read_text(lake.storage(), "forecasts/latest.json")),
            "{\"run\":\"2025-09-22T103000Z\"}\n");
  // The verdict is the first thing that is said.
  EXPECT_THAT(files.at("BTCUSDT_model_card.md"), StartsWith(done.symbols[0].verdict));
  if (done.symbols[0].naive_wins) {
    EXPECT_THAT(done.symbols[0].verdict, StartsWith("Naive wins"));
    EXPECT_EQ(done.symbols[0].model, "naive");
  }
}

TEST(ForecastJob, TheSameBytesOnOneThreadAndOnFour) {
  TemporaryLake lake;
  store(lake, "AAAUSDT", walk(420, 2));
  store(lake, "BTCUSDT", walk(450, 3));
  ForecastJob job = quick_job({"AAAUSDT", "BTCUSDT"});
  job.regressors = {"ma7"};
  const ForecastRun one = run(lake, job);
  job.threads = 4;
  const ForecastRun four = run(lake, job, kNow + Millis{60'000});
  EXPECT_NE(one.folder, four.folder);
  const auto first = files_of(lake, one.folder);
  const auto second = files_of(lake, four.folder);
  ASSERT_EQ(first.size(), second.size());
  for (const auto& [name, bytes] : first) EXPECT_TRUE(second.at(name) == bytes) << name;
}

TEST(ForecastJob, SharesOfARunGiveTheFilesOfTheWholeRun) {
  TemporaryLake lake;
  store(lake, "AAAUSDT", walk(420, 2));
  store(lake, "BTCUSDT", walk(450, 3));
  store(lake, "SHORTUSDT", walk(20, 4));  // cannot be forecast
  const std::vector<std::string> symbols{"AAAUSDT", "BTCUSDT", "SHORTUSDT"};
  const ForecastRun whole = run(lake, quick_job(symbols));

  const std::string name = run_name(kNow + std::chrono::hours(1));
  std::vector<RunShare> shares;
  NoProgress progress;
  for (const std::string& symbol : symbols)
    shares.push_back(
        lake::testing::value(forecast_share(lake.storage(), quick_job({symbol}), name, progress, {})));
  EXPECT_TRUE(lake::testing::value(close_run(lake.storage(), quick_job({}), name, shares)));
  EXPECT_EQ(files_of(lake, "forecasts/run=" + name), files_of(lake, whole.folder));
  EXPECT_EQ(lake::testing::value(lake::read_text(lake.storage(), "forecasts/latest.json")),
            "{\"run\":\"" + name + "\"}\n");
}

TEST(ForecastJob, EverySeriesThatCannotBeForecastSaysWhyAndTheOthersAreDone) {
  TemporaryLake lake;
  store(lake, "GOODUSDT", walk(400, 4));
  store(lake, "SHORTUSDT", walk(100, 5));
  store(lake, "FLATUSDT", std::vector<double>(400, 1.0));
  auto wild = walk(400, 6);
  wild[200] *= 1e6;
  store(lake, "WILDUSDT", wild);
  auto zero = walk(400, 7);
  zero[300] = 0;
  store(lake, "ZEROUSDT", zero);
  ForecastJob job = quick_job({"GOODUSDT", "SHORTUSDT", "FLATUSDT", "WILDUSDT", "ZEROUSDT", "NONEUSDT"});
  job.families = {Family::drift};
  const ForecastRun done = run(lake, job);
  ASSERT_EQ(done.symbols.size(), 6U);
  EXPECT_FALSE(done.symbols[0].error);
  const auto says = [&](std::size_t i, const char* text) {
    ASSERT_TRUE(done.symbols[i].error);
    EXPECT_THAT(done.symbols[i].error->what, HasSubstr(text));
    EXPECT_THAT(done.symbols[i].error->what, HasSubstr(job.symbols[i]));
  };
  says(1, "100 observed days are too few");
  says(2, "all 400 closes are 1");
  says(3, "which no market does");
  EXPECT_EQ(done.symbols[3].error->where, format_day(from_day_number(kFirst + 200)));
  says(4, "not a price");
  says(5, "no daily closes");
  EXPECT_TRUE(done.switched);
}

TEST(ForecastJob, FilledDaysAreNeitherTrainingDataNorTargets) {
  TemporaryLake lake;
  const auto closes = walk(500, 8);
  std::vector<std::size_t> missing;
  for (std::size_t i = 440; i < 460; ++i) missing.push_back(i);
  store(lake, "BTCUSDT", closes, missing);
  ForecastJob job = quick_job({"BTCUSDT"});
  job.families = {Family::drift};
  const ForecastRun done = run(lake, job);
  EXPECT_EQ(done.symbols[0].days, 480U);
  EXPECT_EQ(done.symbols[0].filled, 20U);
  const auto files = files_of(lake, done.folder);
  EXPECT_EQ(files.at("BTCUSDT_actual_vs_pred.csv").find(format_day(from_day_number(kFirst + 450)) + ","),
            std::string::npos);
  EXPECT_NE(files.at("BTCUSDT_actual_vs_pred.csv").find(format_day(from_day_number(kFirst + 465)) + ","),
            std::string::npos);
  EXPECT_THAT(files.at("BTCUSDT_model_card.md"), HasSubstr("20 filled days are not training data"));
}

TEST(ForecastJob, NothingDoneLeavesTheLatestRunAsItWas) {
  TemporaryLake lake;
  store(lake, "BTCUSDT", walk(400, 9));
  ForecastJob job = quick_job({"BTCUSDT"});
  job.families = {Family::drift};
  const ForecastRun before = run(lake, job);
  const auto old = files_of(lake, before.folder);
  job.symbols = {"NONEUSDT"};
  const ForecastRun failed = run(lake, job, kNow + Millis{60'000});
  EXPECT_FALSE(failed.switched);
  EXPECT_THAT(lake::testing::value(lake::read_text(lake.storage(), "forecasts/latest.json")),
              HasSubstr(before.run));

  std::stop_source stop;
  stop.request_stop();
  job.symbols = {"BTCUSDT"};
  NoProgress progress;
  const auto cancelled =
      run_forecast(lake.storage(), job, kNow + Millis{120'000}, progress, stop.get_token());
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, ErrorCode::interrupted);
  EXPECT_THAT(lake::testing::value(lake::read_text(lake.storage(), "forecasts/latest.json")),
              HasSubstr(before.run));
  EXPECT_EQ(files_of(lake, before.folder), old);
}

TEST(ForecastJob, SameDayRegressorsAreLabelledEverywhere) {
  TemporaryLake lake;
  store(lake, "BTCUSDT", walk(420, 10));
  ForecastJob job = quick_job({"BTCUSDT"});
  job.families = {Family::prophet};
  job.regressors = {"ma7", "ma30"};
  job.options.same_day_regressors = true;
  const auto files = files_of(lake, run(lake, job).folder);
  EXPECT_THAT(files.at("BTCUSDT_model_card.md"), HasSubstr("These are not forecast errors"));
  EXPECT_THAT(files.at("metrics.csv"), HasSubstr("same_day_regressors"));
  EXPECT_THAT(files.at("summary.json"), HasSubstr("same_day_regressors"));
}

TEST(Holidays, ReadsProphetsTableAndNamesTheBadLine) {
  const auto rules = parse_holidays(
      "holiday,ds,lower_window,upper_window,symbol\n"
      "merge,2022-09-15,-1,2,ETH\n"
      "merge,2027-01-01,-1,2,ETH\n"
      "\n"
      "newyear,2024-01-01,,,\r\n",
      "h.csv");
  ASSERT_TRUE(rules) << to_text(rules.error());
  ASSERT_EQ(rules->size(), 2U);
  EXPECT_EQ((*rules)[0].holiday.days.size(), 2U);
  EXPECT_EQ((*rules)[0].holiday.lower_window, -1);
  EXPECT_EQ(holidays_of("ETHUSDT", *rules).size(), 2U);
  EXPECT_EQ(holidays_of("SOLUSDT", *rules).size(), 1U);
  const auto btc = holidays_of("BTCUSDT", *rules);
  ASSERT_EQ(btc.size(), 2U);
  EXPECT_EQ(btc[0].name, "halving");
  for (const char* text :
       {"holiday,day\na,2024-01-01\n", "holiday,ds\na,yesterday\n", "holiday,ds\n,2024-01-01\n",
        "holiday,ds,lower_window\na,2024-01-01,x\n", "holiday,ds,lower_window\na,2024-01-01,3\n"}) {
    const auto refused = parse_holidays(text, "h.csv");
    ASSERT_FALSE(refused) << text;
    EXPECT_THAT(refused.error().where, StartsWith("h.csv:"));
  }
}

}  // namespace
}  // namespace chandler::forecast
