#include "forecast/prophet.hpp"

#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>
#include <numbers>
#include <numeric>

#include "forecast/l1_quadratic.hpp"
#include "forecast/prophet_posterior.hpp"

namespace chandler::forecast {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// A seeded series with what the model knows: kinks, a year, a week, noise; some days are missing.
struct Sample {
  std::vector<std::int32_t> day;
  std::vector<double> y;
  std::vector<double> first, second, cap;

  explicit Sample(int days, std::uint64_t seed = 7) {
    Random random(seed);
    double level = 100;
    for (int i = 0; i < days; ++i) {
      level += i < days / 2 ? 0.4 : -0.1;
      if (random.chance(0.03) && i > 0 && i < days - 1) continue;
      day.push_back(17000 + i);
      const double year = 12 * std::sin(2 * std::numbers::pi * (17000 + i) / 365.25);
      const double week = 3 * std::cos(2 * std::numbers::pi * (17000 + i) / 7.0);
      y.push_back(level + year + week + 5 * random.normal());
      first.push_back(50 + 3 * random.normal());
      second.push_back(random.chance(0.3) ? 1 : 0);
      cap.push_back(600 + 0.1 * i);
    }
  }
  ProphetData data(bool regressors = false, bool with_cap = false) const {
    ProphetData result{{day, y}, {}, {}};
    if (regressors) result.regressors = {first, second};
    if (with_cap) result.cap = cap;
    return result;
  }
};

ProphetSpec spec_of(Growth growth, Mode mode, bool mixed) {
  ProphetSpec spec;
  spec.growth = growth;
  spec.seasonality_mode = mode;
  spec.yearly = 4;
  spec.weekly = 2;
  spec.changepoints = 6;
  spec.holidays.push_back({"halving", {17100, 17400, 17403}, -2, 2, {}});
  spec.seasonalities.push_back({"monthly", 30.5, 2, 5, mixed ? Mode::multiplicative : mode});
  spec.regressors = {{"first", {}, {}, {}}, {"second", 3.0, mixed ? Mode::additive : mode, {}}};
  return spec;
}

// The log posterior written out as the model's definition has it, row by row, with Stan's offsets gamma.
double plain_objective(const ProphetDesign& design, const VectorXd& x, double sigma, double tau) {
  const Index s = design.changepoint.size();
  const double k = x[0];
  const double m = x[1];
  std::vector<double> gamma;
  double rate = k;
  double offset = m;
  for (Index j = 0; j < s; ++j) {
    const double next = rate + x[2 + j];
    gamma.push_back(design.growth == Growth::logistic ? (design.changepoint[j] - offset) * (1 - rate / next)
                                                      : -design.changepoint[j] * x[2 + j]);
    offset += gamma.back();
    rate = next;
  }
  double objective = k * k / 50 + m * m / 50 + 2 * sigma * sigma;
  for (Index j = 0; j < s; ++j) objective += std::abs(x[2 + j]) / tau;
  for (Index f = 0; f < design.features(); ++f)
    objective += 0.5 * std::pow(x[2 + s + f] / design.prior_scale[f], 2);
  for (Index i = 0; i < design.rows(); ++i) {
    double r = k;
    double o = m;
    for (Index j = 0; j < s; ++j) {
      if (design.t[i] < design.changepoint[j]) continue;
      r += x[2 + j];
      o += gamma[static_cast<std::size_t>(j)];
    }
    const double trend = design.growth == Growth::flat ? m
                         : design.growth == Growth::linear
                             ? r * design.t[i] + o
                             : design.cap[i] / (1 + std::exp(-r * (design.t[i] - o)));
    VectorXd row = VectorXd::Zero(design.features());
    for (Index c = 0; c < design.x.dense.cols(); ++c) row[design.x.dense_feature[c]] = design.x.dense(i, c);
    for (const auto& sparse : design.x.sparse) {
      for (const Index at : sparse.rows) {
        if (at == i) row[sparse.feature] = 1;
      }
    }
    double additive = 0;
    double multiplicative = 0;
    for (Index f = 0; f < design.features(); ++f) {
      (design.multiplicative[f] ? multiplicative : additive) += row[f] * x[2 + s + f];
    }
    const double residual = design.y[i] - (trend * (1 + multiplicative) + additive);
    objective += std::log(sigma) + residual * residual / (2 * sigma * sigma);
  }
  return objective;
}

struct Case {
  Growth growth;
  Mode mode;
  bool mixed;
};

class PosteriorTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const auto [growth, mode, mixed] = GetParam();
    spec = spec_of(growth, mode, mixed);
    data = sample.data(true, growth == Growth::logistic);
    auto fit = prepare_fit(spec, data);
    ASSERT_TRUE(fit) << to_text(fit.error());
    design = make_design(*fit, data);
    Random random(3);
    x = VectorXd(2 + design.changepoint.size() + design.features());
    for (Index i = 0; i < x.size(); ++i) x[i] = 0.3 * random.normal();
  }
  Sample sample{500};
  ProphetSpec spec;
  ProphetData data;
  ProphetDesign design;
  VectorXd x;
};

TEST_P(PosteriorTest, EqualsItsDefinitionRowByRow) {
  const ProphetPosterior posterior(design, 0.05);
  for (const double sigma : {0.02, 0.3, 1.7}) {
    const double value = posterior.objective(x, posterior.evaluate(x).squares, sigma);
    EXPECT_NEAR(value, plain_objective(design, x, sigma, 0.05), 1e-9 * std::abs(value));
  }
}

TEST_P(PosteriorTest, GradientEqualsFiniteDifferences) {
  const ProphetPosterior posterior(design, 0.05);
  const double sigma = 0.4;
  const VectorXd gradient = posterior.smooth_gradient(x, posterior.evaluate(x), sigma);
  for (Index i = 0; i < x.size(); ++i) {
    const double h = 1e-6;
    VectorXd up = x;
    VectorXd down = x;
    up[i] += h;
    down[i] -= h;
    double slope =
        (plain_objective(design, up, sigma, 0.05) - plain_objective(design, down, sigma, 0.05)) / (2 * h);
    if (i >= 2 && i < 2 + design.changepoint.size()) slope -= (x[i] > 0 ? 1 : -1) / 0.05;
    EXPECT_NEAR(gradient[i], slope, 1e-5 * (1 + std::abs(slope))) << "parameter " << i;
  }
}

TEST_P(PosteriorTest, CurvatureEqualsFiniteDifferences) {
  const ProphetPosterior posterior(design, 0.05);
  const double sigma = 0.4;
  if (GetParam().growth == Growth::logistic) {
    // The logistic trend's own curvature is left out by design; what is left is the Gauss-Newton matrix,
    // whose trend part is made of first derivatives alone.
    const MatrixXd gauss = posterior.step_problem(x, posterior.evaluate(x), sigma, false).h;
    const Index trend = 2 + design.changepoint.size();
    MatrixXd jacobian(design.rows(), trend);
    for (Index i = 0; i < trend; ++i) {
      VectorXd up = x;
      VectorXd down = x;
      up[i] += 1e-6;
      down[i] -= 1e-6;
      jacobian.col(i) = (posterior.evaluate(down).residual - posterior.evaluate(up).residual) / 2e-6;
    }
    MatrixXd expected = jacobian.transpose() * jacobian;
    expected.diagonal().head(2).array() += sigma * sigma / 25;
    EXPECT_LT((gauss.topLeftCorner(trend, trend) - expected).norm(), 1e-6 * expected.norm());
    return;
  }
  const MatrixXd h = posterior.step_problem(x, posterior.evaluate(x), sigma, true).h / (sigma * sigma);
  for (Index i = 0; i < x.size(); ++i) {
    VectorXd up = x;
    VectorXd down = x;
    up[i] += 1e-5;
    down[i] -= 1e-5;
    const VectorXd column = (posterior.smooth_gradient(up, posterior.evaluate(up), sigma) -
                             posterior.smooth_gradient(down, posterior.evaluate(down), sigma)) /
                            2e-5;
    EXPECT_LT((column - h.col(i)).norm(), 1e-6 * (1 + h.col(i).norm())) << "column " << i;
  }
}

TEST_P(PosteriorTest, NoNeighbourOfTheOptimumIsBetter) {
  const auto fit = fit_prophet(spec, data);
  ASSERT_TRUE(fit) << to_text(fit.error());
  EXPECT_TRUE(fit->converged);
  VectorXd best(x.size());
  best << fit->k, fit->m,
      Eigen::Map<const VectorXd>(fit->delta.data(), static_cast<Index>(fit->delta.size())),
      Eigen::Map<const VectorXd>(fit->beta.data(), static_cast<Index>(fit->beta.size()));
  const double lowest = plain_objective(design, best, fit->sigma, 0.05);
  EXPECT_NEAR(-fit->log_posterior, lowest, 1e-8 * std::abs(lowest));
  EXPECT_NEAR(*log_posterior(*fit, data), fit->log_posterior, 1e-8 * std::abs(lowest));
  Random random(11);
  for (int trial = 0; trial < 400; ++trial) {
    const double size = std::pow(10, -1 - 6 * random.uniform());
    VectorXd other = best;
    double sigma = fit->sigma;
    if (trial % 2 == 0) {
      other[static_cast<Index>(random.below(static_cast<std::uint64_t>(x.size())))] += size * random.normal();
    } else {
      for (Index i = 0; i < x.size(); ++i) other[i] += 0.1 * size * random.normal();
      sigma *= std::exp(0.1 * size * random.normal());
    }
    EXPECT_GE(plain_objective(design, other, sigma, 0.05), lowest - 1e-7) << "size " << size;
  }
}

INSTANTIATE_TEST_SUITE_P(Every, PosteriorTest,
                         testing::Values(Case{Growth::linear, Mode::additive, false},
                                         Case{Growth::linear, Mode::multiplicative, false},
                                         Case{Growth::linear, Mode::additive, true},
                                         Case{Growth::logistic, Mode::additive, false},
                                         Case{Growth::logistic, Mode::multiplicative, false},
                                         Case{Growth::flat, Mode::additive, false},
                                         Case{Growth::flat, Mode::multiplicative, true}));

TEST(L1Quadratic, SatisfiesTheOptimalityConditionsOfSeededProblems) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    const Index first = static_cast<Index>(random.below(4));
    const Index count = 1 + static_cast<Index>(random.below(20));
    const Index total = first + count + static_cast<Index>(random.below(5));
    MatrixXd a(total + 3, total);
    VectorXd b(total);
    VectorXd start = VectorXd::Zero(total);
    for (Index i = 0; i < a.size(); ++i) a.data()[i] = random.normal();
    for (Index i = 0; i < total; ++i) b[i] = 4 * random.normal();
    if (seed % 2 == 0) {
      for (Index i = 0; i < total; ++i) start[i] = random.normal();
    }
    const MatrixXd h = a.transpose() * a;
    const double penalty = 3 * random.uniform();
    VectorXd z;
    L1Quadratic quadratic;
    ASSERT_TRUE(quadratic.prepare(h, b, first, count));
    EXPECT_TRUE(quadratic.convex());
    ASSERT_TRUE(quadratic.solve(penalty, start, z));
    const VectorXd gradient = h * z - b;
    const double tolerance = 1e-6 * (1 + h.cwiseAbs().maxCoeff() * z.cwiseAbs().maxCoeff());
    for (Index i = 0; i < total; ++i) {
      const bool penalised = i >= first && i < first + count;
      if (!penalised) {
        EXPECT_NEAR(gradient[i], 0, tolerance);
      } else if (z[i] == 0) {
        EXPECT_LE(std::abs(gradient[i]), penalty + tolerance) << "seed " << seed;
      } else {
        EXPECT_NEAR(gradient[i], z[i] > 0 ? -penalty : penalty, tolerance) << "seed " << seed;
      }
    }
  }
}

TEST(L1Quadratic, RefusesAnIndefiniteMatrix) {
  MatrixXd h = MatrixXd::Identity(3, 3);
  h(1, 1) = -1;
  VectorXd z = VectorXd::Constant(3, 9);
  L1Quadratic quadratic;
  ASSERT_TRUE(quadratic.prepare(h, VectorXd::Ones(3), 1, 1));
  EXPECT_FALSE(quadratic.convex());
  EXPECT_FALSE(quadratic.solve(0.1, VectorXd::Zero(3), z));
  EXPECT_EQ(z[0], 9);
  EXPECT_FALSE(quadratic.prepare(h, VectorXd::Ones(3), 2, 1));
}

TEST(Prophet, AGridOverPriorsEqualsSingleFits) {
  const Sample sample(900);
  for (const Mode mode : {Mode::additive, Mode::multiplicative}) {
    ProphetSpec spec;
    spec.seasonality_mode = mode;
    const std::vector<double> priors{0.01, 0.05, 0.1};
    const auto grid = fit_prophet_priors(spec, sample.data(), priors);
    ASSERT_TRUE(grid);
    for (std::size_t i = 0; i < priors.size(); ++i) {
      spec.changepoint_prior_scale = priors[i];
      const auto single = fit_prophet(spec, sample.data());
      ASSERT_TRUE(single);
      EXPECT_NEAR((*grid)[i].log_posterior, single->log_posterior, 1e-6);
    }
  }
}

TEST(Prophet, FindsTheTrendAndTheWeekOfACleanSeries) {
  std::vector<std::int32_t> day;
  std::vector<double> y;
  for (int i = 0; i < 400; ++i) {
    day.push_back(18000 + i);
    y.push_back(200 + 0.5 * i + 7 * std::sin(2 * std::numbers::pi * (18000 + i) / 7.0));
  }
  const auto fit = fit_prophet({}, {{day, y}, {}, {}});
  ASSERT_TRUE(fit);
  ASSERT_EQ(fit->seasonalities.size(), 1U);  // under two years: no yearly
  EXPECT_EQ(fit->seasonalities[0].name, "weekly");
  const std::vector<std::int32_t> next{18400, 18403, 18429};
  const auto prediction = predict_prophet(*fit, {next, {}, {}});
  ASSERT_TRUE(prediction);
  for (std::size_t i = 0; i < next.size(); ++i) {
    const double expected =
        200 + 0.5 * (next[i] - 18000) + 7 * std::sin(2 * std::numbers::pi * next[i] / 7.0);
    EXPECT_NEAR(prediction->yhat[i], expected, 0.05);
    EXPECT_NEAR(prediction->yhat[i], prediction->trend[i] + prediction->additive_terms[i], 1e-9);
  }
}

TEST(Prophet, AConstantSeriesIsItsOwnForecast) {
  std::vector<std::int32_t> day(60);
  std::iota(day.begin(), day.end(), 18000);
  const std::vector<double> y(60, 42.5);
  const auto fit = fit_prophet({}, {{day, y}, {}, {}});
  ASSERT_TRUE(fit);
  const std::vector<std::int32_t> next{18100};
  EXPECT_NEAR(predict_prophet(*fit, {next, {}, {}})->yhat[0], 42.5, 1e-9);
  const auto interval = simulate_prophet(*fit, {next, {}, {}}, 0.8, 100, Random(1));
  EXPECT_NEAR(interval->yhat_upper[0] - interval->yhat_lower[0], 0, 1e-3);
}

TEST(Prophet, ATrendAloneIsFittedAsWell) {
  const Sample sample(300);
  ProphetSpec spec;
  spec.yearly = 0;
  spec.weekly = 0;
  for (const Mode mode : {Mode::additive, Mode::multiplicative}) {
    spec.seasonality_mode = mode;
    const auto fit = fit_prophet(spec, sample.data());
    ASSERT_TRUE(fit);
    EXPECT_TRUE(fit->converged);
    EXPECT_TRUE(fit->features.empty());
    const std::vector<std::int32_t> next{17310};
    const auto prediction = predict_prophet(*fit, {next, {}, {}});
    ASSERT_TRUE(prediction);
    EXPECT_EQ(prediction->yhat[0], prediction->trend[0]);
  }
  spec.changepoints = 0;
  const auto line = fit_prophet(spec, sample.data());
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->delta.empty());
  spec.holidays.push_back({"event", {17100, 17200}, 0, 0, {}});  // only indicators
  EXPECT_TRUE(fit_prophet(spec, sample.data())->converged);
}

TEST(Prophet, HugeAndTinyValuesAreScaledNotLost) {
  const Sample sample(400);
  const auto plain = fit_prophet({}, sample.data());
  ASSERT_TRUE(plain);
  for (const double factor : {1e-9, 1e12}) {
    Sample scaled = sample;
    for (double& y : scaled.y) y *= factor;
    const auto fit = fit_prophet({}, scaled.data());
    ASSERT_TRUE(fit);
    EXPECT_NEAR(fit->log_posterior, plain->log_posterior, 1e-5);
    const std::vector<std::int32_t> next{17500};
    EXPECT_NEAR(predict_prophet(*fit, {next, {}, {}})->yhat[0] / factor,
                predict_prophet(*plain, {next, {}, {}})->yhat[0], 1e-4);
  }
}

TEST(Prophet, RefusesWhatCannotBeFitted) {
  const std::vector<std::int32_t> one{1};
  const std::vector<double> value{1};
  EXPECT_FALSE(fit_prophet({}, {{one, value}, {}, {}}));
  const std::vector<std::int32_t> twice{1, 1, 2};
  const std::vector<double> three{1, 2, 3};
  EXPECT_FALSE(fit_prophet({}, {{twice, three}, {}, {}}));
  const std::vector<std::int32_t> days{1, 2, 3};
  const std::vector<double> hole{1, std::nan(""), 3};
  EXPECT_FALSE(fit_prophet({}, {{days, hole}, {}, {}}));
  ProphetSpec logistic;
  logistic.growth = Growth::logistic;
  EXPECT_FALSE(fit_prophet(logistic, {{days, three}, {}, {}}));
  ProphetSpec twins;
  twins.seasonalities = {{"a", 3, 1, 10, Mode::additive}, {"a", 4, 1, 10, Mode::additive}};
  EXPECT_FALSE(fit_prophet(twins, {{days, three}, {}, {}}));
}

TEST(Prophet, SimulationRepeatsWithItsSeedAndWidensWithTheHorizon) {
  const Sample sample(800);
  const auto fit = fit_prophet({}, sample.data());
  ASSERT_TRUE(fit);
  std::vector<std::int32_t> next(120);
  std::iota(next.begin(), next.end(), 17800);
  const auto once = simulate_prophet(*fit, {next, {}, {}}, 0.8, 1000, Random(5));
  const auto again = simulate_prophet(*fit, {next, {}, {}}, 0.8, 1000, Random(5));
  const auto other = simulate_prophet(*fit, {next, {}, {}}, 0.8, 1000, Random(6));
  ASSERT_TRUE(once);
  EXPECT_EQ(once->yhat_lower, again->yhat_lower);
  EXPECT_NE(once->yhat_lower, other->yhat_lower);
  EXPECT_GT(once->trend_upper.back() - once->trend_lower.back(), once->trend_upper[5] - once->trend_lower[5]);
  // Near the origin only the observation noise counts: an 80% interval is 2.563 sigma wide.
  EXPECT_NEAR((once->yhat_upper[0] - once->yhat_lower[0]) / (2.563 * fit->sigma * fit->y_scale), 1, 0.12);
}

TEST(Prophet, HolidaysOfTheFutureMoveOnlyTheirDays) {
  Sample sample(900);
  ProphetSpec spec;
  spec.holidays.push_back({"event", {17200, 17500, 17910}, 0, 1, {}});
  for (std::size_t i = 0; i < sample.day.size(); ++i) {
    if (sample.day[i] == 17200 || sample.day[i] == 17500) sample.y[i] += 60;
  }
  const auto fit = fit_prophet(spec, sample.data());
  ASSERT_TRUE(fit);
  const std::vector<std::int32_t> next{17909, 17910, 17911, 17912};
  const auto prediction = predict_prophet(*fit, {next, {}, {}});
  ASSERT_TRUE(prediction);
  const auto holidays = std::ranges::find(prediction->components, "holidays", &ProphetComponent::name);
  ASSERT_NE(holidays, prediction->components.end());
  EXPECT_EQ(holidays->effect[0], 0);
  EXPECT_NEAR(holidays->effect[1], 60, 12);
  EXPECT_LT(std::abs(holidays->effect[2]), 12);
  EXPECT_EQ(holidays->effect[3], 0);
}

}  // namespace
}  // namespace chandler::forecast
