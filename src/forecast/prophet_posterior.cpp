#include "forecast/prophet_posterior.hpp"

#include <algorithm>
#include <cmath>

namespace chandler::forecast {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// Precisions of Prophet's normal priors on k and m, N(0, 5).
constexpr double kTrendPrecision = 1.0 / 25;

double logistic(double z) {
  return z >= 0 ? 1 / (1 + std::exp(-z)) : std::exp(z) / (1 + std::exp(z));
}

}  // namespace

ProphetPosterior::ProphetPosterior(const ProphetDesign& design, double changepoint_prior_scale)
    : design_(design), layout_{design.changepoint.size(), design.features()}, tau_(changepoint_prior_scale) {
  any_multiplicative_ = std::ranges::find(design.multiplicative, true) != design.multiplicative.end();
  if (!any_multiplicative_ && design.growth != Growth::logistic) {
    const VectorXd origin = VectorXd::Zero(layout_.size());
    constant_products_ = products(origin, evaluate(origin), false);
  }
}

Index ProphetPosterior::segment_row(Index s) const {
  if (s == 0) return 0;
  if (s > layout_.changepoints) return design_.rows();
  return design_.changepoint_row[static_cast<std::size_t>(s - 1)];
}

ModelState ProphetPosterior::evaluate(const VectorXd& x) const {
  const Index rows = design_.rows();
  ModelState state;
  // The function beneath the trend is linear between changepoints: rate and offset change at each. For
  // logistic growth it is k(t - m) + sum delta_j (t - c_j)+, which is what the paper's offsets gamma amount
  // to.
  VectorXd z(rows);
  double rate = design_.growth == Growth::flat ? 0 : x[0];
  double offset = design_.growth == Growth::logistic ? -x[0] * x[1] : x[1];
  for (Index s = 0; s <= layout_.changepoints; ++s) {
    if (s > 0) {
      rate += x[layout_.delta() + s - 1];
      offset -= x[layout_.delta() + s - 1] * design_.changepoint[s - 1];
    }
    const Index begin = segment_row(s);
    const Index length = segment_row(s + 1) - begin;
    z.segment(begin, length) = (rate * design_.t.segment(begin, length)).array() + offset;
  }
  if (design_.growth == Growth::logistic) {
    const VectorXd p = z.unaryExpr(&logistic);
    state.trend = design_.cap.cwiseProduct(p);
    state.trend_slope = state.trend.cwiseProduct((1 - p.array()).matrix());
  } else {
    state.trend = std::move(z);
    state.trend_slope = VectorXd::Ones(rows);
  }

  const auto beta = x.tail(layout_.features);
  VectorXd additive_beta = VectorXd::Zero(design_.x.dense.cols());
  VectorXd multiplicative_beta = additive_beta;
  for (Index c = 0; c < design_.x.dense.cols(); ++c) {
    const Index f = design_.x.dense_feature[static_cast<std::size_t>(c)];
    (design_.multiplicative[static_cast<std::size_t>(f)] ? multiplicative_beta : additive_beta)[c] = beta[f];
  }
  VectorXd additive = VectorXd::Zero(rows);
  state.factor = VectorXd::Ones(rows);
  if (!additive_beta.isZero(0)) additive.noalias() += design_.x.dense * additive_beta;
  if (!multiplicative_beta.isZero(0)) state.factor.noalias() += design_.x.dense * multiplicative_beta;
  for (const SparseFeature& sparse : design_.x.sparse) {
    VectorXd& sum =
        design_.multiplicative[static_cast<std::size_t>(sparse.feature)] ? state.factor : additive;
    for (const Index row : sparse.rows) sum[row] += beta[sparse.feature];
  }
  state.residual = design_.y - state.trend.cwiseProduct(state.factor) - additive;
  state.squares = state.residual.squaredNorm();
  return state;
}

double ProphetPosterior::best_sigma(double squares) const {
  const double rows = static_cast<double>(design_.rows());
  // 4 s^4 + T s^2 - RSS = 0, solved for s^2 without cancellation.
  const double variance = 2 * squares / (rows + std::sqrt(rows * rows + 16 * squares));
  return std::max(kLeastSigma, std::sqrt(variance));
}

VectorXd ProphetPosterior::prior_precision() const {
  VectorXd precision = VectorXd::Zero(layout_.size());
  precision.head(2).setConstant(kTrendPrecision);
  precision.tail(layout_.features) = design_.prior_scale.array().square().inverse().matrix();
  return precision;
}

double ProphetPosterior::objective(const VectorXd& x, double squares, double sigma) const {
  const double rows = static_cast<double>(design_.rows());
  const double normal_prior = 0.5 * prior_precision().dot(x.cwiseAbs2());
  const double laplace_prior = x.segment(layout_.delta(), layout_.changepoints).cwiseAbs().sum() / tau_;
  return rows * std::log(sigma) + squares / (2 * sigma * sigma) + normal_prior + laplace_prior +
         2 * sigma * sigma;
}

double ProphetPosterior::factor_of(Index feature, const ModelState& state, Index row) const {
  return design_.multiplicative[static_cast<std::size_t>(feature)] ? state.trend[row] : 1.0;
}

// J'r, with J the derivative of yhat in all parameters.
VectorXd ProphetPosterior::transposed_jacobian(const VectorXd& x, const ModelState& state) const {
  VectorXd result = VectorXd::Zero(layout_.size());
  const VectorXd weighted = state.residual.cwiseProduct(state.factor).cwiseProduct(state.trend_slope);
  double sum = 0;
  double sum_t = 0;
  for (Index s = layout_.changepoints; s >= 0; --s) {
    const Index begin = segment_row(s);
    const Index length = segment_row(s + 1) - begin;
    sum += weighted.segment(begin, length).sum();
    sum_t += weighted.segment(begin, length).dot(design_.t.segment(begin, length));
    if (s > 0) result[layout_.delta() + s - 1] = sum_t - design_.changepoint[s - 1] * sum;
  }
  switch (design_.growth) {
    case Growth::linear:
      result[0] = sum_t, result[1] = sum;
      break;
    case Growth::logistic:
      result[0] = sum_t - x[1] * sum, result[1] = -x[0] * sum;
      break;
    case Growth::flat:
      result[1] = sum;
      break;
  }
  const Index dense_count = design_.x.dense.cols();
  VectorXd dense(dense_count);
  VectorXd dense_by_trend(dense_count);
  if (dense_count > 0) dense.noalias() = design_.x.dense.transpose() * state.residual;
  if (dense_count > 0 && any_multiplicative_) {
    dense_by_trend.noalias() = design_.x.dense.transpose() * state.residual.cwiseProduct(state.trend);
  }
  for (Index c = 0; c < dense_count; ++c) {
    const Index f = design_.x.dense_feature[static_cast<std::size_t>(c)];
    result[layout_.beta() + f] =
        design_.multiplicative[static_cast<std::size_t>(f)] ? dense_by_trend[c] : dense[c];
  }
  for (const SparseFeature& sparse : design_.x.sparse) {
    for (const Index row : sparse.rows) {
      result[layout_.beta() + sparse.feature] += state.residual[row] * factor_of(sparse.feature, state, row);
    }
  }
  return result;
}

VectorXd ProphetPosterior::smooth_gradient(const VectorXd& x, const ModelState& state, double sigma) const {
  return prior_precision().cwiseProduct(x) - transposed_jacobian(x, state) / (sigma * sigma);
}

// Products among the columns t, 1 and the ramps (t - c_j)+, each row weighted: every entry is a combination
// of three moments over the rows behind the later changepoint, so that it costs one pass instead of one a
// pair.
void ProphetPosterior::trend_block(const VectorXd& weight, MatrixXd& h) const {
  const Index count = layout_.changepoints;
  const VectorXd squared = weight.cwiseAbs2();
  MatrixXd moment = MatrixXd::Zero(count + 2, 3);  // suffix sums of w^2, w^2 t, w^2 t^2 from each segment on
  for (Index s = count; s >= 0; --s) {
    const Index begin = segment_row(s);
    const Index length = segment_row(s + 1) - begin;
    const auto t = design_.t.segment(begin, length).array();
    const auto w = squared.segment(begin, length).array();
    moment(s, 0) = moment(s + 1, 0) + w.sum();
    moment(s, 1) = moment(s + 1, 1) + (w * t).sum();
    moment(s, 2) = moment(s + 1, 2) + (w * t * t).sum();
  }
  h(0, 0) = moment(0, 2);
  h(0, 1) = h(1, 0) = moment(0, 1);
  h(1, 1) = moment(0, 0);
  for (Index j = 1; j <= count; ++j) {
    const double c = design_.changepoint[j - 1];
    const Index column = layout_.delta() + j - 1;
    h(0, column) = h(column, 0) = moment(j, 2) - c * moment(j, 1);
    h(1, column) = h(column, 1) = moment(j, 1) - c * moment(j, 0);
    for (Index i = 1; i <= j; ++i) {
      const double d = design_.changepoint[i - 1];
      const Index row = layout_.delta() + i - 1;
      h(row, column) = h(column, row) = moment(j, 2) - (c + d) * moment(j, 1) + c * d * moment(j, 0);
    }
  }
}

// Products of the trend's columns with the features. The exact second derivative of trend * factor puts
// factor * trend - residual where Gauss and Newton have factor * trend.
void ProphetPosterior::cross_block(const ModelState& state, bool exact, MatrixXd& h) const {
  const Index count = layout_.changepoints;
  const VectorXd weight = state.factor.cwiseProduct(state.trend_slope);
  VectorXd multiplicative_weight = weight.cwiseProduct(state.trend);
  if (exact) multiplicative_weight -= state.residual.cwiseProduct(state.trend_slope);
  const auto put = [&](Index f, Index s, double sum, double sum_t) {
    const Index column = layout_.beta() + f;
    const Index row = s == 0 ? 0 : layout_.delta() + s - 1;
    if (s == 0) {
      h(0, column) = h(column, 0) = sum_t;
      h(1, column) = h(column, 1) = sum;
    } else {
      h(row, column) = h(column, row) = sum_t - design_.changepoint[s - 1] * sum;
    }
  };
  const Index dense = design_.x.dense.cols();
  // Columns of `weights`: additive, additive * t, multiplicative, multiplicative * t.
  MatrixXd weights(design_.rows(), 4);
  weights.col(0) = weight;
  weights.col(1) = weight.cwiseProduct(design_.t);
  weights.col(2) = multiplicative_weight;
  weights.col(3) = multiplicative_weight.cwiseProduct(design_.t);
  MatrixXd sums = MatrixXd::Zero(dense, 4);
  for (Index s = count; s >= 0; --s) {
    const Index begin = segment_row(s);
    const Index length = segment_row(s + 1) - begin;
    if (length > 0 && dense > 0) {
      const auto block = design_.x.dense.middleRows(begin, length);
      sums.leftCols(2).noalias() += block.transpose() * weights.block(begin, 0, length, 2);
      if (any_multiplicative_)
        sums.rightCols(2).noalias() += block.transpose() * weights.block(begin, 2, length, 2);
    }
    for (Index c = 0; c < dense; ++c) {
      const Index f = design_.x.dense_feature[static_cast<std::size_t>(c)];
      const Index kind = design_.multiplicative[static_cast<std::size_t>(f)] ? 2 : 0;
      put(f, s, sums(c, kind), sums(c, kind + 1));
    }
  }
  for (const SparseFeature& sparse : design_.x.sparse) {
    const Index kind = design_.multiplicative[static_cast<std::size_t>(sparse.feature)] ? 2 : 0;
    for (Index s = 0; s <= count; ++s) {
      double sum = 0;
      double sum_t = 0;
      for (auto row = std::ranges::lower_bound(sparse.rows, segment_row(s)); row != sparse.rows.end();
           ++row) {
        sum += weights(*row, kind);
        sum_t += weights(*row, kind + 1);
      }
      put(sparse.feature, s, sum, sum_t);
    }
  }
}

void ProphetPosterior::feature_block(const ModelState& state, MatrixXd& h) const {
  const Index dense = design_.x.dense.cols();
  const Index first = layout_.beta();
  // Scaled by what the coefficient multiplies: the trend, or nothing.
  MatrixXd scaled = design_.x.dense;
  for (Index c = 0; c < dense; ++c) {
    if (design_
            .multiplicative[static_cast<std::size_t>(design_.x.dense_feature[static_cast<std::size_t>(c)])]) {
      scaled.col(c).array() *= state.trend.array();
    }
  }
  MatrixXd products = MatrixXd::Zero(dense, dense);
  if (dense > 0) products.selfadjointView<Eigen::Lower>().rankUpdate(scaled.transpose());
  for (Index i = 0; i < dense; ++i) {
    for (Index j = 0; j <= i; ++j) {
      const Index row = first + design_.x.dense_feature[static_cast<std::size_t>(i)];
      const Index column = first + design_.x.dense_feature[static_cast<std::size_t>(j)];
      h(row, column) = h(column, row) = products(i, j);
    }
  }
  for (std::size_t a = 0; a < design_.x.sparse.size(); ++a) {
    const SparseFeature& sparse = design_.x.sparse[a];
    const Index row = first + sparse.feature;
    VectorXd sum = VectorXd::Zero(dense);
    for (const Index i : sparse.rows) sum += factor_of(sparse.feature, state, i) * scaled.row(i).transpose();
    for (Index c = 0; c < dense; ++c) {
      const Index column = first + design_.x.dense_feature[static_cast<std::size_t>(c)];
      h(row, column) = h(column, row) = sum[c];
    }
    for (std::size_t b = 0; b <= a; ++b) {
      const SparseFeature& other = design_.x.sparse[b];
      double product = 0;
      auto next = other.rows.begin();
      for (const Index i : sparse.rows) {
        while (next != other.rows.end() && *next < i) ++next;
        if (next != other.rows.end() && *next == i) {
          product += factor_of(sparse.feature, state, i) * factor_of(other.feature, state, i);
        }
      }
      h(row, first + other.feature) = h(first + other.feature, row) = product;
    }
  }
}

MatrixXd ProphetPosterior::products(const VectorXd& x, const ModelState& state, bool exact) const {
  MatrixXd h = MatrixXd::Zero(layout_.size(), layout_.size());
  trend_block(state.factor.cwiseProduct(state.trend_slope), h);
  cross_block(state, exact, h);
  feature_block(state, h);
  if (design_.growth == Growth::logistic) {
    // From the columns t and 1 to the derivatives in k and m: t - m and -k.
    const double k = x[0];
    const double m = x[1];
    h.row(0) -= m * h.row(1);
    h.col(0) -= m * h.col(1);
    h.row(1) *= -k;
    h.col(1) *= -k;
  } else if (design_.growth == Growth::flat) {
    h.row(0).setZero();
    h.col(0).setZero();
  }
  return h;
}

StepProblem ProphetPosterior::step_problem(const VectorXd& x, const ModelState& state, double sigma,
                                           bool exact) const {
  const double variance = sigma * sigma;
  const VectorXd precision = prior_precision() * variance;
  StepProblem problem;
  problem.h = constant_products_.size() > 0 ? constant_products_ : products(x, state, exact);
  problem.h.diagonal() += precision;
  problem.gradient = precision.cwiseProduct(x) - transposed_jacobian(x, state);
  problem.b.noalias() = problem.h * x;
  problem.b -= problem.gradient;
  return problem;
}

}  // namespace chandler::forecast
