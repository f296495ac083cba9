// A convex quadratic with absolute values on some coordinates: the step problem of a posterior with Laplace
// priors. Inside the module only.
#pragma once

#include <Eigen/Core>

namespace chandler::forecast {

// Minimises 1/2 z'Hz - b'z + penalty sum |z_i| over the block of coordinates first, first+1, …, first+count-1
// being penalised and the others free. The free coordinates are eliminated by their Schur complement, once
// for all penalties, and the rest is solved exactly by feature-sign search (Lee, Battle, Raina, Ng:
// "Efficient sparse coding algorithms", NIPS 2006, algorithm 1), which ends after finitely many steps at the
// minimum.
class L1Quadratic {
 public:
  // H is symmetric. False where H is not positive definite on the free coordinates: then nothing can be
  // solved.
  bool prepare(const Eigen::MatrixXd& h, const Eigen::VectorXd& b, Eigen::Index first, Eigen::Index count);

  // Whether H is positive definite as a whole. If it is not, solve() may still find a point that satisfies
  // the conditions of a minimum on the coordinates that are not zero there, but need not decrease anything.
  bool convex() const { return convex_; }

  // `start` supplies the signs to begin with. False where H is indefinite on coordinates that the search
  // visited; `z` is then unchanged.
  bool solve(double penalty, const Eigen::VectorXd& start, Eigen::VectorXd& z) const;

 private:
  Eigen::Index first_ = 0;
  Eigen::Index count_ = 0;
  bool convex_ = false;
  Eigen::MatrixXd schur_;         // of the penalised block
  Eigen::VectorXd reduced_;       // its linear term
  Eigen::MatrixXd solved_block_;  // free coordinates' response to the block
  Eigen::VectorXd solved_b_;
};

}  // namespace chandler::forecast
