// The posterior as a function of the parameters, its gradient, and the quadratic that a Newton step
// minimises. Inside the module only.
#pragma once

#include <Eigen/Core>

#include "forecast/prophet_design.hpp"

namespace chandler::forecast {

// Parameters in one vector: [k, m, delta…, beta…]. sigma is kept apart: its best value follows from the
// residuals.
struct ParameterLayout {
  Eigen::Index changepoints = 0;
  Eigen::Index features = 0;
  Eigen::Index size() const { return 2 + changepoints + features; }
  Eigen::Index delta() const { return 2; }
  Eigen::Index beta() const { return 2 + changepoints; }
};

// What the model says at one set of parameters.
struct ModelState {
  Eigen::VectorXd trend;
  Eigen::VectorXd trend_slope;  // d trend / d z, where z is the piecewise linear function beneath the trend
  Eigen::VectorXd factor;       // 1 + multiplicative terms
  Eigen::VectorXd residual;     // y - yhat
  double squares = 0;           // sum of squared residuals
};

// The smooth part's quadratic model around x, multiplied by sigma^2:
//   1/2 z'Hz - b'z + const, with z the new parameters; `gradient` is that of the smooth part at x (times
//   sigma^2).
struct StepProblem {
  Eigen::MatrixXd h;
  Eigen::VectorXd b;
  Eigen::VectorXd gradient;
};

class ProphetPosterior {
 public:
  // The design must outlive this.
  ProphetPosterior(const ProphetDesign& design, double changepoint_prior_scale);

  const ParameterLayout& layout() const { return layout_; }
  void set_prior(double changepoint_prior_scale) { tau_ = changepoint_prior_scale; }
  double tau() const { return tau_; }

  ModelState evaluate(const Eigen::VectorXd& x) const;
  // The sigma that maximises the posterior given the residuals: the root of T/s - RSS/s^3 + 4s, at least
  // kLeastSigma, below which a perfect fit would send it to zero and the density to infinity.
  double best_sigma(double squares) const;
  // Minus the log posterior, see log_posterior().
  double objective(const Eigen::VectorXd& x, double squares, double sigma) const;
  // The gradient of minus the log posterior in x without the Laplace term.
  Eigen::VectorXd smooth_gradient(const Eigen::VectorXd& x, const ModelState& state, double sigma) const;
  // `exact` adds the curvature of the trend-times-factor product; without it H is that of Gauss and Newton,
  // which is always positive definite.
  StepProblem step_problem(const Eigen::VectorXd& x, const ModelState& state, double sigma, bool exact) const;

  static constexpr double kLeastSigma = 1e-9;

  // Of the normal priors, on every parameter; 0 for the rate changes.
  Eigen::VectorXd prior_precision() const;

 private:
  Eigen::MatrixXd products(const Eigen::VectorXd& x, const ModelState& state, bool exact) const;
  void trend_block(const Eigen::VectorXd& weight, Eigen::MatrixXd& h) const;
  void cross_block(const ModelState& state, bool exact, Eigen::MatrixXd& h) const;
  void feature_block(const ModelState& state, Eigen::MatrixXd& h) const;
  Eigen::VectorXd transposed_jacobian(const Eigen::VectorXd& x, const ModelState& state) const;
  double factor_of(Eigen::Index feature, const ModelState& state, Eigen::Index row) const;
  // First row of segment s: 0, then one for each changepoint, then the number of rows.
  Eigen::Index segment_row(Eigen::Index s) const;

  const ProphetDesign& design_;
  ParameterLayout layout_;
  double tau_;
  bool any_multiplicative_ = false;
  // Without multiplicative features and with a trend that is linear in its parameters the Jacobian is one
  // matrix: its products are made once for all steps and priors.
  Eigen::MatrixXd constant_products_;
};

}  // namespace chandler::forecast
