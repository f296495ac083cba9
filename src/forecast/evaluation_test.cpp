#include "forecast/evaluation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "forecast/test_closes.hpp"

namespace chandler::forecast {
namespace {

testing::Closes walk(int days, std::uint64_t seed, double volatility = 0.03) {
  Random random(seed);
  testing::Closes closes;
  double level = std::log(100);
  for (int i = 0; i < days; ++i) {
    level += volatility * random.normal();
    closes.day.push_back(18000 + i);
    closes.close.push_back(std::exp(level));
  }
  return closes;
}

Evaluation evaluate(const SymbolInput& input, const ForecastOptions& options,
                    const RollingOriginOptions& rolling, std::span<const Family> families) {
  auto evaluation = plan_evaluation(input, rolling, make_candidates(families, options.modes, options.priors));
  if (!evaluation) throw std::runtime_error(to_text(evaluation.error()));
  for (const Block& block : blocks_of(*evaluation)) run_block(input, options, block, *evaluation);
  return std::move(*evaluation);
}

constexpr Family kQuick[] = {Family::drift, Family::seasonal_naive, Family::ets, Family::theta,
                             Family::combination};

TEST(RollingOrigin, TargetsOfTrainingEndInsideItAndTestBeginsBehindIt) {
  const auto closes = walk(1000, 1);
  const auto rolling = roll_origins(closes.series(), {});
  ASSERT_TRUE(rolling);
  EXPECT_EQ(rolling->last_training_day, 18000 + 799);
  EXPECT_EQ(rolling->origins[rolling->training].day, rolling->last_training_day);
  EXPECT_EQ(rolling->origins[rolling->training - 1].day, rolling->last_training_day - 30);
  EXPECT_EQ(rolling->test(), (1000U - 800 - 30) / 15 + 1);
  EXPECT_GE(rolling->origins.front().day, 18000 + 399);
  EXPECT_LE(rolling->origins.back().day + 30, 18999);
  for (std::size_t o = 0; o < rolling->origins.size(); ++o) {
    EXPECT_EQ(rolling->origins[o].rows, static_cast<std::size_t>(rolling->origins[o].day - 18000 + 1));
    EXPECT_EQ(rolling->actual[o * 30], closes.close[rolling->origins[o].rows]);
  }
}

TEST(RollingOrigin, MissingDaysAreMissingTargetsNotShiftedOnes) {
  auto closes = walk(1000, 2);
  const double after = closes.close[901];
  closes.day.erase(closes.day.begin() + 900);
  closes.close.erase(closes.close.begin() + 900);
  const auto rolling = roll_origins(closes.series(), {});
  ASSERT_TRUE(rolling);
  std::size_t missing = 0;
  for (std::size_t o = 0; o < rolling->origins.size(); ++o) {
    for (int h = 1; h <= 30; ++h) {
      const double value = rolling->actual[o * 30 + static_cast<std::size_t>(h) - 1];
      if (rolling->origins[o].day + h == 18900) {
        EXPECT_TRUE(std::isnan(value));
        ++missing;
      }
      if (rolling->origins[o].day + h == 18901) {
        EXPECT_EQ(value, after);
      }
    }
  }
  EXPECT_GT(missing, 0U);
}

TEST(RollingOrigin, TooShortSaysHowLongIsEnoughAndThatIsEnough) {
  const RollingOriginOptions options;
  const auto short_one = walk(least_days(options) - 30, 3);
  const auto refused = roll_origins(short_one.series(), options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_data);
  EXPECT_NE(refused.error().remedy.find(std::to_string(least_days(options))), std::string::npos);
  EXPECT_TRUE(roll_origins(walk(least_days(options), 3).series(), options));
  EXPECT_FALSE(roll_origins({}, options));
}

TEST(Forecaster, NothingAfterTheOriginMovesAForecast) {
  // Two histories that agree up to a day give the same forecasts from that day, from every model, with
  // regressors.
  auto first = walk(900, 4);
  auto second = first;
  for (std::size_t i = 700; i < 900; ++i) second.close[i] *= 3 + 0.01 * static_cast<double>(i);
  ForecastOptions options;
  options.priors = {0.05};
  const std::vector<Candidate> candidates = make_candidates(kFamilies, options.modes, options.priors);
  std::vector<std::vector<CandidateForecast>> results;
  for (const testing::Closes* closes : {&first, &second}) {
    std::vector<double> average(closes->close.size());
    for (std::size_t i = 0; i < average.size(); ++i) {
      average[i] = std::accumulate(closes->close.begin() + static_cast<std::ptrdiff_t>(i >= 6 ? i - 6 : 0),
                                   closes->close.begin() + static_cast<std::ptrdiff_t>(i) + 1, 0.0) /
                   static_cast<double>(std::min<std::size_t>(i + 1, 7));
    }
    const SymbolInput input{closes->series(), {{"ma7", average}}, {}};
    ChainState state;
    results.push_back(forecast_from(input, options, candidates, 18000 + 699, true, state));
  }
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    EXPECT_EQ(results[0][c].point, results[1][c].point) << label(candidates[c]);
    EXPECT_TRUE(std::isfinite(results[0][c].point.back())) << label(candidates[c]);
  }
}

TEST(Forecaster, SameDayRegressorsLeakWhichIsWhyTheyAreLabelled) {
  const auto closes = walk(900, 5);
  const SymbolInput input{closes.series(), {{"ma7", closes.close}}, {}};  // the worst case: the close itself
  ForecastOptions honest;
  honest.priors = {0.05};
  ForecastOptions leaking = honest;
  leaking.same_day_regressors = true;
  const std::vector<Candidate> prophet{{Family::prophet, Mode::additive, 0.05}};
  double errors[2] = {0, 0};
  for (const bool leak : {false, true}) {
    ChainState state;
    const auto forecast =
        forecast_from(input, leak ? leaking : honest, prophet, 18000 + 799, false, state).front().point;
    for (std::size_t h = 0; h < 30; ++h)
      errors[leak ? 1 : 0] += std::abs(forecast[h] - closes.close[800 + h]);
  }
  EXPECT_LT(errors[1], 0.1 * errors[0]);
}

TEST(Forecaster, LaggedRegressorsReachExactlyTheOrigin) {
  std::vector<std::int32_t> day(100);
  std::iota(day.begin(), day.end(), 500);
  std::vector<double> close(100, 1.0);
  std::vector<double> column(100);
  std::iota(column.begin(), column.end(), 0.0);
  const SymbolInput input{{day, close}, {{"ma7", column}}, {}};
  ForecastOptions options;
  const std::vector<std::int32_t> ahead{560, 561, 590};
  EXPECT_EQ(regressor_columns(input, options, ahead, 560)[0], (std::vector<double>{30, 31, 60}));
  options.same_day_regressors = true;
  EXPECT_EQ(regressor_columns(input, options, ahead, 560)[0], (std::vector<double>{60, 61, 90}));
}

TEST(Forecaster, AnOriginOnAMissingDayCountsFromThatDay) {
  auto closes = walk(400, 6);
  closes.day.erase(closes.day.end() - 3, closes.day.end());
  closes.close.erase(closes.close.end() - 3, closes.close.end());
  const SymbolInput input{closes.series(), {}, {}};
  ChainState state;
  const std::vector<Candidate> drift{{Family::drift, Mode::additive, 0}};
  const auto late = forecast_from(input, {}, drift, closes.day.back() + 3, false, state).front().point;
  const auto direct = forecast_from(input, {}, drift, closes.day.back(), false, state).front().point;
  EXPECT_DOUBLE_EQ(late[0], direct[3]);
  EXPECT_DOUBLE_EQ(late[20], direct[23]);
}

TEST(Conformal, CoversWhatItSaysOnWalksOfChangingVolatility) {
  std::size_t inside80 = 0, inside95 = 0, count = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    auto closes = walk(1500, seed);
    Random random(seed + 100);
    double level = std::log(100);
    double volatility = 0.03;
    for (double& close : closes.close) {
      volatility = std::clamp(volatility * std::exp(0.05 * random.normal()), 0.01, 0.08);
      level += volatility * random.normal();
      close = std::exp(level);
    }
    const SymbolInput input{closes.series(), {}, {}};
    const Evaluation evaluation = evaluate(input, {}, {}, {});
    const auto& naive = evaluation.forecasts[0].point;
    const auto intervals = rolling_intervals(evaluation.rolling, naive, true, evaluation.rolling.training);
    const Metrics m = measure(evaluation.rolling, naive, naive, intervals, test_slice(evaluation));
    inside80 += static_cast<std::size_t>(std::lround(m.coverage80 * static_cast<double>(m.interval_targets)));
    inside95 += static_cast<std::size_t>(std::lround(m.coverage95 * static_cast<double>(m.interval_targets)));
    count += m.interval_targets;
  }
  EXPECT_NEAR(static_cast<double>(inside80) / static_cast<double>(count), 0.80, 0.04);
  EXPECT_NEAR(static_cast<double>(inside95) / static_cast<double>(count), 0.95, 0.03);
}

TEST(Conformal, UsesOnlyErrorsWhoseDayHasCome) {
  const auto closes = walk(800, 8);
  auto rolling = roll_origins(closes.series(), {});
  ASSERT_TRUE(rolling);
  std::vector<double> point(rolling->actual.size(), 100);
  const Conformal before(*rolling, point, true);
  const std::int32_t day = rolling->origins[rolling->training].day;
  const auto known = before.score(10, 0.8, day);
  ASSERT_TRUE(known);
  for (std::size_t o = 0; o < rolling->origins.size(); ++o) {
    for (int h = 1; h <= 30; ++h) {
      if (rolling->origins[o].day + h > day)
        rolling->actual[o * 30 + static_cast<std::size_t>(h) - 1] *= 1000;
    }
  }
  EXPECT_EQ(Conformal(*rolling, point, true).score(10, 0.8, day), known);
  EXPECT_FALSE(before.score(10, 0.8, rolling->origins.front().day));  // nothing has been measured yet
}

TEST(Metrics, HandComputed) {
  RollingOrigins rolling;
  rolling.horizon = 2;
  rolling.origins = {{5, 100}, {6, 101}};
  rolling.actual = {10, 20, 40, std::nan("")};
  rolling.scale = {2, 4};
  const std::vector<double> point{12, 16, 40, 7};
  const std::vector<double> naive{11, 18, 46, 7};
  IntervalColumns intervals{{11, 15, 39, 0}, {13, 25, 41, 9}, {9, 15, 39, 0}, {13, 25, 41, 9}};
  const Metrics m = measure(rolling, point, naive, intervals, {0, 2, 1, 2});
  EXPECT_EQ(m.targets, 3U);
  EXPECT_DOUBLE_EQ(m.mae, 2);
  EXPECT_DOUBLE_EQ(m.mse, (4 + 16 + 0) / 3.0);
  EXPECT_DOUBLE_EQ(m.mape, (20 + 20 + 0) / 3.0);
  EXPECT_DOUBLE_EQ(m.mase, (1 + 2 + 0) / 3.0);
  EXPECT_DOUBLE_EQ(m.skill, 1 - 2.0 / 3);
  EXPECT_DOUBLE_EQ(m.coverage80, 2 / 3.0);
  EXPECT_DOUBLE_EQ(m.coverage95, 1);
  EXPECT_EQ(origin_losses(rolling, point, {0, 2, 1, 2}), (std::vector<double>{1.5, 0}));
}

TEST(Selection, ChanceAloneSeldomUnseatsNaive) {
  int unseated = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    Random random(seed);
    std::vector<std::vector<double>> losses(2, std::vector<double>(60));
    double shared = 0;
    for (std::size_t o = 0; o < 60; ++o) {
      const double fresh = random.normal();
      losses[0][o] = 5;
      losses[1][o] = 5 + 0.5 * (fresh + shared);  // overlapping neighbours
      shared = fresh;
    }
    if (choose(losses, 0, 1) != 0) ++unseated;
  }
  EXPECT_LT(unseated, 400 * 0.12);
}

TEST(Selection, AClearWinnerWinsAndGapsDisqualify) {
  Random random(5);
  std::vector<std::vector<double>> losses(3, std::vector<double>(60));
  for (std::size_t o = 0; o < 60; ++o) {
    losses[0][o] = 5 + random.normal();
    losses[1][o] = losses[0][o] - 0.5 + 0.3 * random.normal();
    losses[2][o] = o < 20 ? std::nan("") : losses[0][o] - 2;
  }
  EXPECT_EQ(choose(losses, 0, 1), 1U);
  EXPECT_GT(compare(losses[0], losses[1], 1).t, kSure);
  EXPECT_EQ(compare(losses[0], losses[0], 1).t, 0);
  EXPECT_EQ(least_loss(losses, std::vector<std::size_t>{0, 1}), 1U);
}

TEST(Choice, LooksAtTheTrainingPartOnly) {
  const auto closes = walk(1000, 9);
  const SymbolInput input{closes.series(), {}, {}};
  Evaluation evaluation = evaluate(input, {}, {}, kQuick);
  const Choice before = make_choice(evaluation, 15);
  // However good a model is on the untouched part, it is not chosen for that.
  const Slice test = test_slice(evaluation);
  for (std::size_t i = test.first * 30; i < test.last * 30; ++i)
    evaluation.forecasts[2].point[i] = evaluation.rolling.actual[i];
  const Choice after = make_choice(evaluation, 15);
  EXPECT_EQ(after.chosen, before.chosen);
  EXPECT_EQ(after.finalists, before.finalists);
}

// The promise of the saved forecasts, on all real closes: intervals of 80% cover 77 to 83%, pooled, and no
// saved forecast is worse than naive by more than chance.
TEST(Acceptance, CoverageAndSkillOnRealClosesUntouchedByAnyChoice) {
  double inside80 = 0, inside95 = 0, count = 0;
  for (const char* name : {"BTC_2017", "ETH_coinbase", "BTC", "ETH", "BNB", "SOL", "XRP"}) {
    const auto closes = testing::closes(name);
    const SymbolInput input{closes.series(), {}, {}};
    const Evaluation evaluation = evaluate(input, {}, {}, kQuick);
    const Choice choice = make_choice(evaluation, 15);
    const auto& point = evaluation.forecasts[choice.saved].point;
    const auto& naive = evaluation.forecasts[0].point;
    const Metrics m =
        measure(evaluation.rolling, point, naive,
                rolling_intervals(evaluation.rolling, point, evaluation.relative, 0), test_slice(evaluation));
    EXPECT_GT(m.coverage80, 0.6) << name;
    inside80 += m.coverage80 * static_cast<double>(m.interval_targets);
    inside95 += m.coverage95 * static_cast<double>(m.interval_targets);
    count += static_cast<double>(m.interval_targets);
    EXPECT_GT(choice.saved == 0 ? 0.0 : choice.test.t, -kSure) << name;
  }
  EXPECT_GE(inside80 / count, 0.77);
  EXPECT_LE(inside80 / count, 0.83);
  EXPECT_GE(inside95 / count, 0.93);
  RecordProperty("coverage80", std::to_string(inside80 / count));
}

}  // namespace
}  // namespace chandler::forecast
