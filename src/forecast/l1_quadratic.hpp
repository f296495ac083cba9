// A convex quadratic with absolute values on some coordinates: the step problem of a posterior with Laplace
// priors. Inside the module only.
#pragma once

#include <Eigen/Core>

namespace chandler::forecast {

// Minimises 1/2 z'Hz - b'z + sum_i penalty |z_i| over the coordinates first, first+1, …, first+count-1 being
// penalised and the others free. H is symmetric; `start` supplies the signs to begin with. The free
// coordinates are eliminated by their Schur complement and the rest is solved exactly by feature-sign search
// (Lee, Battle, Raina, Ng: "Efficient sparse coding algorithms", NIPS 2006, algorithm 1), which ends after
// finitely many steps at the minimum. False where H is not positive definite; `z` is then unchanged.
bool minimise_l1_quadratic(const Eigen::MatrixXd& h, const Eigen::VectorXd& b, Eigen::Index first,
                           Eigen::Index count, double penalty, const Eigen::VectorXd& start,
                           Eigen::VectorXd& z);

}  // namespace chandler::forecast
