// Baselines, exponential smoothing and Theta.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "base/random.hpp"
#include "forecast/baselines.hpp"
#include "forecast/ets.hpp"
#include "forecast/quantile.hpp"
#include "forecast/theta.hpp"

namespace chandler::forecast {
namespace {

std::vector<double> random_walk(std::size_t n, std::uint64_t seed, double drift, double noise) {
  Random random(seed);
  std::vector<double> y{100};
  for (std::size_t i = 1; i < n; ++i) y.push_back(y.back() + drift + noise * random.normal());
  return y;
}

TEST(Baselines, HandComputedSeries) {
  const std::vector<double> y{10, 12, 11, 15};
  const auto naive = forecast_naive(y, 3);
  ASSERT_TRUE(naive);
  EXPECT_EQ(naive->mean, (std::vector<double>{15, 15, 15}));
  EXPECT_NEAR(naive->deviation[0], std::sqrt((4 + 1 + 16) / 3.0), 1e-12);
  EXPECT_NEAR(naive->deviation[2], std::sqrt(3.0) * std::sqrt(7.0), 1e-12);
  const auto drift = forecast_drift(y, 2);
  ASSERT_TRUE(drift);
  EXPECT_NEAR(drift->mean[1], 15 + 2 * 5.0 / 3, 1e-12);
  const auto seasonal = forecast_seasonal_naive(y, 3, 5);
  ASSERT_TRUE(seasonal);
  EXPECT_EQ(seasonal->mean, (std::vector<double>{12, 11, 15, 12, 11}));
  EXPECT_NEAR(seasonal->deviation[3] / seasonal->deviation[0], std::sqrt(2.0), 1e-12);
}

TEST(Baselines, TooShortSeriesAreRefused) {
  const std::vector<double> one{1};
  EXPECT_FALSE(forecast_naive(one, 3));
  EXPECT_FALSE(forecast_drift(one, 3));
  EXPECT_FALSE(forecast_seasonal_naive(one, 1, 3));
  EXPECT_FALSE(forecast_naive({}, 3));
}

// The textbook recursion with given smoothing and first states.
double plain_squares(const std::vector<double>& y, const EtsFit& fit, double level, double slope) {
  double squares = 0;
  for (const double value : y) {
    const double predicted = level + fit.phi * slope;
    const double e = value - predicted;
    squares += e * e;
    level = predicted + fit.alpha * e;
    slope = fit.phi * slope + fit.beta * e;
  }
  return squares;
}

TEST(Ets, NoFirstStateAndNoSmoothingNearbyIsBetter) {
  const auto y = random_walk(300, 4, 0.3, 2);
  for (const EtsTrend trend : {EtsTrend::none, EtsTrend::additive, EtsTrend::damped}) {
    const auto fit = fit_ets(y, {EtsError::additive, trend, 1});
    ASSERT_TRUE(fit);
    const double best = std::exp(fit->minus_twice_log_likelihood / static_cast<double>(y.size()));
    Random random(9);
    for (int trial = 0; trial < 3000; ++trial) {
      EtsFit other = *fit;
      other.alpha = std::clamp(fit->alpha + 0.2 * random.normal(), 1e-4, 0.9999);
      other.beta =
          trend == EtsTrend::none ? 0 : std::clamp(fit->beta + 0.1 * random.normal(), 0.0, other.alpha);
      if (trend == EtsTrend::damped) other.phi = std::clamp(fit->phi + 0.05 * random.normal(), 0.8, 0.98);
      const double level = 100 + 3 * random.normal();
      const double slope = trend == EtsTrend::none ? 0 : random.normal();
      EXPECT_GE(plain_squares(y, other, level, slope), best * (1 - 1e-4));
    }
  }
}

TEST(Ets, FollowsARandomWalkAndIgnoresNoiseAroundALevel) {
  const auto walk = fit_ets(random_walk(800, 1, 0, 1), {});
  ASSERT_TRUE(walk);
  EXPECT_GT(walk->alpha, 0.9);
  Random random(2);
  std::vector<double> calm(800);
  for (double& v : calm) v = 50 + random.normal();
  const auto level = fit_ets(calm, {});
  ASSERT_TRUE(level);
  EXPECT_LT(level->alpha, 0.1);
  EXPECT_NEAR(forecast_ets(*level, 1).mean[0], 50, 0.5);
}

TEST(Ets, TheCriterionFindsTheTrendThatIsThere) {
  const std::vector<EtsModel> models{{EtsError::additive, EtsTrend::none, 1},
                                     {EtsError::additive, EtsTrend::additive, 1},
                                     {EtsError::additive, EtsTrend::damped, 1}};
  std::vector<double> line;
  Random random(3);
  for (int i = 0; i < 200; ++i) line.push_back(5 + 0.7 * i + random.normal());
  const auto trending = select_ets(line, models);
  ASSERT_TRUE(trending);
  EXPECT_EQ(trending->model.trend, EtsTrend::additive);
  EXPECT_NEAR(forecast_ets(*trending, 10).mean[9], 5 + 0.7 * 209, 2);
  const auto walk = select_ets(random_walk(400, 8, 0, 1), models);
  ASSERT_TRUE(walk);
  EXPECT_EQ(walk->model.trend, EtsTrend::none);
}

TEST(Ets, SeasonalTermsComeBackInPhase) {
  std::vector<double> y;
  Random random(5);
  const double week[] = {3, -1, 0, 4, -2, -5, 1};
  for (int i = 0; i < 207; ++i) y.push_back(20 + week[i % 7] + 0.05 * random.normal());
  const auto fit = fit_ets(y, {EtsError::additive, EtsTrend::none, 7});
  ASSERT_TRUE(fit);
  const PointForecast forecast = forecast_ets(*fit, 14);
  for (int h = 1; h <= 14; ++h) EXPECT_NEAR(forecast.mean[h - 1], 20 + week[(206 + h) % 7], 0.15) << h;
}

TEST(Ets, DeviationsEqualThoseOfSimulatedPaths) {
  EtsFit fit;
  for (const auto& [error, trend] :
       {std::pair{EtsError::additive, EtsTrend::damped}, std::pair{EtsError::additive, EtsTrend::additive},
        std::pair{EtsError::multiplicative, EtsTrend::none}}) {
    fit.model = {error, trend, 1};
    fit.alpha = 0.6;
    fit.beta = trend == EtsTrend::none ? 0 : 0.2;
    fit.phi = trend == EtsTrend::damped ? 0.9 : 1;
    fit.level = 50;
    fit.slope = trend == EtsTrend::none ? 0 : 0.4;
    fit.variance = error == EtsError::additive ? 4 : 0.0025;
    const PointForecast forecast = forecast_ets(fit, 6);
    Random random(12);
    const int paths = 40000;
    std::vector<double> sum(6), squares(6);
    for (int p = 0; p < paths; ++p) {
      double level = fit.level;
      double slope = fit.slope;
      for (int h = 0; h < 6; ++h) {
        const double predicted = level + fit.phi * slope;
        const double e =
            std::sqrt(fit.variance) * random.normal() * (error == EtsError::additive ? 1 : predicted);
        const double y = predicted + e;
        sum[h] += y;
        squares[h] += y * y;
        level = predicted + fit.alpha * e;
        slope = fit.phi * slope + fit.beta * e;
      }
    }
    for (int h = 0; h < 6; ++h) {
      const double mean = sum[h] / paths;
      EXPECT_NEAR(mean, forecast.mean[h], 0.12) << name(fit.model) << " " << h;
      EXPECT_NEAR(std::sqrt(squares[h] / paths - mean * mean) / forecast.deviation[h], 1, 0.02)
          << name(fit.model) << h;
    }
  }
}

TEST(Ets, AStartFromANeighbourEndsWhereAFreshOneDoes) {
  const auto y = random_walk(500, 21, 0.1, 1);
  for (const EtsTrend trend : {EtsTrend::none, EtsTrend::additive}) {
    const auto before = fit_ets(std::span(y).first(485), {EtsError::additive, trend, 1});
    const auto near = fit_ets(y, {EtsError::additive, trend, 1}, &*before);
    const auto fresh = fit_ets(y, {EtsError::additive, trend, 1});
    EXPECT_NEAR(near->minus_twice_log_likelihood, fresh->minus_twice_log_likelihood, 0.05);
  }
}

TEST(Theta, EqualsItsTwoLinesOnAShortSeries) {
  // theta = 2 is the mean of the line extrapolated and of smoothing applied to the doubled curvature; the
  // errors of both forms are the same recursion, written out here.
  const auto y = random_walk(60, 6, 0.5, 1);
  const auto fit = fit_theta(y, ThetaKind::standard);
  ASSERT_TRUE(fit);
  EXPECT_DOUBLE_EQ(fit->theta, 2);
  double level = fit->initial_level;
  double squares = 0;
  for (std::size_t t = 0; t < y.size(); ++t) {
    const double keep = std::pow(1 - fit->alpha, static_cast<double>(t));
    const double trend = keep * fit->intercept + (1 - keep * (1 - fit->alpha)) / fit->alpha * fit->slope;
    squares += std::pow(y[t] - (level + 0.5 * trend), 2);
    level = fit->alpha * y[t] + (1 - fit->alpha) * level;
  }
  EXPECT_NEAR(squares, fit->squares, 1e-7 * squares);
  const PointForecast forecast = forecast_theta(*fit, 10);
  EXPECT_NEAR(forecast.mean[9] - forecast.mean[0], 9 * 0.5 * fit->slope, 1e-9);
}

TEST(Theta, TheOptimisedFormIsNoWorse) {
  for (std::uint64_t seed = 1; seed < 30; ++seed) {
    const auto y = random_walk(120, seed, 0.2, 1);
    const auto standard = fit_theta(y, ThetaKind::standard);
    const auto optimised = fit_theta(y, ThetaKind::optimised);
    ASSERT_TRUE(standard && optimised);
    EXPECT_LE(optimised->squares, standard->squares * (1 + 1e-6));
    EXPECT_GE(optimised->theta, 1);
  }
}

TEST(Univariate, AConstantSeriesStaysConstant) {
  const std::vector<double> y(40, 7.5);
  EXPECT_NEAR(forecast_ets(*fit_ets(y, {}), 5).mean[4], 7.5, 1e-9);
  EXPECT_NEAR(forecast_ets(*fit_ets(y, {EtsError::additive, EtsTrend::damped, 1}), 5).mean[4], 7.5, 1e-6);
  EXPECT_NEAR(forecast_theta(*fit_theta(y, ThetaKind::optimised), 5).mean[4], 7.5, 1e-9);
}

TEST(Quantile, NormalQuantilesInvertTheDistribution) {
  EXPECT_NEAR(normal_quantile(0.9), 1.2815515655446004, 1e-13);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-13);
  EXPECT_EQ(normal_quantile(0.5), 0);
  for (const double p : {1e-300, 1e-12, 0.001, 0.3, 0.7, 0.9999})
    EXPECT_NEAR(normal_cdf(normal_quantile(p)) / p, 1, 1e-10);
  const std::vector<double> sample{1, 2, 4, 8};
  EXPECT_EQ(sorted_quantile(sample, 0), 1);
  EXPECT_EQ(sorted_quantile(sample, 1), 8);
  EXPECT_EQ(sorted_quantile(sample, 0.5), 3);
  for (const double p : {0.0, 0.1, 0.5, 0.9, 1.0}) {
    std::vector<double> mixed{8, 1, 4, 2};
    EXPECT_EQ(quantile(mixed, p), sorted_quantile(sample, p));
  }
}

}  // namespace
}  // namespace chandler::forecast
