// Against what Prophet and StatsForecast found on real closes; how those files were made is in
// tests/forecast.
#include <gtest/gtest.h>

#include <cmath>

#include "forecast/ets.hpp"
#include "forecast/prophet.hpp"
#include "forecast/prophet_design.hpp"
#include "forecast/test_closes.hpp"
#include "forecast/theta.hpp"

namespace chandler::forecast {
namespace {

TEST(ProphetGolden, SamePosteriorAtProphetsParametersAndNoLowerAtOurs) {
  const auto rows = testing::read_csv("prophet_golden.csv");
  ASSERT_GE(rows.size(), 14U);
  for (const auto& row : rows) {
    const testing::Closes closes = testing::closes(row[0]);
    ProphetSpec spec;
    spec.seasonality_mode = row[1] == "additive" ? Mode::additive : Mode::multiplicative;
    spec.changepoint_prior_scale = std::stod(row[2]);
    if (row[3] == "1") spec.holidays.push_back(bitcoin_halvings());
    const ProphetData data{closes.series(), {}, {}};
    const std::string name = row[0] + " " + row[1] + " " + row[2];

    auto theirs = prepare_fit(spec, data);
    ASSERT_TRUE(theirs) << name;
    theirs->sigma = std::stod(row[5]);
    theirs->k = std::stod(row[6]);
    theirs->m = std::stod(row[7]);
    const std::size_t changepoints = std::stoul(row[8]);
    ASSERT_EQ(theirs->delta.size(), changepoints) << name;
    ASSERT_EQ(row.size(), 9 + changepoints + theirs->beta.size()) << name;
    for (std::size_t j = 0; j < changepoints; ++j) theirs->delta[j] = std::stod(row[9 + j]);
    for (std::size_t f = 0; f < theirs->beta.size(); ++f)
      theirs->beta[f] = std::stod(row[9 + changepoints + f]);
    const double prophet = std::stod(row[4]);
    EXPECT_NEAR(*log_posterior(*theirs, data), prophet, 1e-6 * std::abs(prophet)) << name;

    const auto ours = fit_prophet(spec, data);
    ASSERT_TRUE(ours) << name;
    EXPECT_TRUE(ours->converged) << name;
    EXPECT_GE(ours->log_posterior, prophet) << name;
  }
}

TEST(ProphetGolden, AStartFromTheHistoryBeforeEndsWhereAFreshOneDoes) {
  // Solana's first year is a hundredth of its last: where steps that trust the model too much end early.
  const testing::Closes closes = testing::closes("SOL");
  const std::vector<double> priors{0.01, 0.05, 0.1};
  for (const Mode mode : {Mode::additive, Mode::multiplicative}) {
    ProphetSpec spec;
    spec.seasonality_mode = mode;
    std::vector<ProphetFit> near;
    for (const std::size_t rows : {1260U, 1275U, 1530U, 1545U, 1575U}) {
      const ProphetData data{closes.series().first(rows), {}, {}};
      const auto chained = fit_prophet_priors(spec, data, priors, near);
      ASSERT_TRUE(chained);
      for (std::size_t i = 0; i < priors.size(); ++i) {
        spec.changepoint_prior_scale = priors[i];
        EXPECT_NEAR((*chained)[i].log_posterior, fit_prophet(spec, data)->log_posterior, 1e-3)
            << name(mode) << " " << rows << " " << priors[i];
      }
      near = *chained;
    }
  }
}

TEST(StatsForecastGolden, CriteriaAreNoWorseAndForecastsTheSameWhereTheOptimaCoincide) {
  const auto rows = testing::read_csv("statsforecast_golden.csv");
  ASSERT_GE(rows.size(), 24U);
  std::size_t coincide = 0;
  for (const auto& row : rows) {
    std::vector<double> y = testing::closes(row[0]).close;
    if (row[1] == "1") {
      for (double& v : y) v = std::log(v);
    }
    const auto [low, high] = std::ranges::minmax(y);
    const std::string name = row[0] + " " + row[1] + " " + row[2];
    PointForecast forecast;
    double tolerance = 0.002 * (high - low);
    if (row[2] == "theta") {
      const auto fit = fit_theta(y, ThetaKind::standard);
      ASSERT_TRUE(fit) << name;
      forecast = forecast_theta(*fit, 30);
      ++coincide;
    } else {
      const EtsModel model{row[2][0] == 'A' ? EtsError::additive : EtsError::multiplicative,
                           row[2][1] == 'N'   ? EtsTrend::none
                           : row[2][2] == 'd' ? EtsTrend::damped
                                              : EtsTrend::additive,
                           1};
      const auto fit = fit_ets(y, model);
      ASSERT_TRUE(fit) << name;
      const double criterion = std::stod(row[3]);
      EXPECT_LT(fit->aicc, criterion + 0.01) << name;
      if (fit->aicc < criterion - 0.01) continue;  // ours is better, and so elsewhere
      forecast = forecast_ets(*fit, 30);
      ++coincide;
    }
    EXPECT_NEAR(forecast.mean[0], std::stod(row[5]), tolerance) << name;
    EXPECT_NEAR(forecast.mean[29], std::stod(row[6]), tolerance) << name;
  }
  EXPECT_GE(coincide, 15U);
}

}  // namespace
}  // namespace chandler::forecast
