#include "forecast/l1_quadratic.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <vector>

namespace chandler::forecast {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

double sign(double x) {
  return x > 0 ? 1 : (x < 0 ? -1 : 0);
}

// Feature-sign search on a positive definite matrix.
class FeatureSign {
 public:
  FeatureSign(const MatrixXd& a, const VectorXd& c, double penalty, VectorXd start)
      : a_(a), c_(c), penalty_(penalty), x_(std::move(start)), sign_(x_.unaryExpr(&sign)) {}

  // False where the matrix is indefinite on the coordinates of some sign pattern.
  bool solve(VectorXd& x) {
    // Each round ends at the optimum of its sign pattern with a lower objective, so that no pattern returns.
    const double tolerance = 1e-12 * (c_.cwiseAbs().maxCoeff() + penalty_);
    const int limit = 60 * static_cast<int>(c_.size()) + 100;
    settle();
    for (int round = 0; definite_ && round < limit && activate(tolerance); ++round) settle();
    if (definite_) x = x_;
    return definite_;
  }

 private:
  double objective(const VectorXd& x) const {
    return 0.5 * x.dot(a_ * x) - c_.dot(x) + penalty_ * x.cwiseAbs().sum();
  }

  // Lets the zero coordinate in whose gradient most exceeds the penalty.
  bool activate(double tolerance) {
    const VectorXd gradient = a_ * x_ - c_;
    Index best = -1;
    double excess = tolerance;
    for (Index j = 0; j < x_.size(); ++j) {
      if (sign_[j] != 0) continue;
      const double over = std::abs(gradient[j]) - penalty_;
      if (over > excess) {
        excess = over;
        best = j;
      }
    }
    if (best < 0) return false;
    sign_[best] = -sign(gradient[best]);
    return true;
  }

  // Moves to the minimum of the current sign pattern; where the way there crosses zero, stops at the best
  // crossing, drops what became zero and tries again.
  void settle() {
    for (Index round = 0; round <= 2 * x_.size() + 2; ++round) {
      active_.clear();
      for (Index j = 0; j < x_.size(); ++j) {
        if (sign_[j] != 0) active_.push_back(j);
      }
      if (active_.empty()) return;
      const VectorXd target = pattern_minimum();
      if (!definite_ || !move_towards(target)) return;
    }
  }

  VectorXd pattern_minimum() {
    const auto n = static_cast<Index>(active_.size());
    MatrixXd a(n, n);
    VectorXd c(n);
    for (Index i = 0; i < n; ++i) {
      c[i] =
          c_[active_[static_cast<std::size_t>(i)]] - penalty_ * sign_[active_[static_cast<std::size_t>(i)]];
      for (Index j = 0; j < n; ++j)
        a(i, j) = a_(active_[static_cast<std::size_t>(i)], active_[static_cast<std::size_t>(j)]);
    }
    const Eigen::LLT<MatrixXd> factor(a);
    definite_ = definite_ && factor.info() == Eigen::Success;
    if (!definite_) return x_;
    const VectorXd reduced = factor.solve(c);
    VectorXd full = VectorXd::Zero(x_.size());
    for (Index i = 0; i < n; ++i) full[active_[static_cast<std::size_t>(i)]] = reduced[i];
    return full;
  }

  // True if it stopped short of the target.
  bool move_towards(const VectorXd& target) {
    std::vector<double> crossings;
    for (const Index j : active_) {
      if (target[j] * sign_[j] < 0 && x_[j] != 0) crossings.push_back(x_[j] / (x_[j] - target[j]));
    }
    const bool new_coordinate_flips =
        std::ranges::any_of(active_, [&](Index j) { return x_[j] == 0 && target[j] * sign_[j] < 0; });
    if (crossings.empty() && !new_coordinate_flips) {
      x_ = target;
      return false;
    }
    VectorXd best = target;
    double lowest = objective(target);
    for (const double step : crossings) {
      const VectorXd candidate = x_ + step * (target - x_);
      if (const double value = objective(candidate); value < lowest) {
        lowest = value;
        best = candidate;
      }
    }
    const double largest = std::max(x_.cwiseAbs().maxCoeff(), target.cwiseAbs().maxCoeff());
    x_ = best;
    for (Index j = 0; j < x_.size(); ++j) {
      if (std::abs(x_[j]) <= 1e-14 * largest) x_[j] = 0;
    }
    sign_ = x_.unaryExpr(&sign);
    return true;
  }

  const MatrixXd& a_;
  const VectorXd& c_;
  double penalty_;
  VectorXd x_;
  VectorXd sign_;
  std::vector<Index> active_;
  bool definite_ = true;
};

}  // namespace

bool L1Quadratic::prepare(const MatrixXd& h, const VectorXd& b, Index first, Index count) {
  first_ = first;
  count_ = count;
  const Index tail = b.size() - first - count;
  const Index free = b.size() - count;
  // Free coordinates are those before and after the penalised block.
  MatrixXd free_free(free, free);
  MatrixXd free_block(free, count);
  VectorXd free_b(free);
  free_free.topLeftCorner(first, first) = h.topLeftCorner(first, first);
  free_free.topRightCorner(first, tail) = h.topRightCorner(first, tail);
  free_free.bottomLeftCorner(tail, first) = h.bottomLeftCorner(tail, first);
  free_free.bottomRightCorner(tail, tail) = h.bottomRightCorner(tail, tail);
  free_block.topRows(first) = h.block(0, first, first, count);
  free_block.bottomRows(tail) = h.block(first + count, first, tail, count);
  free_b.head(first) = b.head(first);
  free_b.tail(tail) = b.tail(tail);

  const Eigen::LLT<MatrixXd> factor(free_free);
  if (factor.info() != Eigen::Success) return false;
  solved_b_ = factor.solve(free_b);
  convex_ = true;
  if (count == 0) return true;
  solved_block_ = factor.solve(free_block);
  schur_ = h.block(first, first, count, count);
  schur_.noalias() -= free_block.transpose() * solved_block_;
  schur_ = 0.5 * (schur_ + schur_.transpose()).eval();
  // Changepoints that no observation tells apart leave it singular; a hair on the diagonal keeps it solvable
  // without moving the outer method's fixed point, whose gradient is exact.
  schur_.diagonal().array() += 1e-11 * schur_.diagonal().maxCoeff();
  convex_ = Eigen::LLT<MatrixXd>(schur_).info() == Eigen::Success;
  reduced_ = b.segment(first, count) - free_block.transpose() * solved_b_;
  return true;
}

bool L1Quadratic::solve(double penalty, const VectorXd& start, VectorXd& z) const {
  VectorXd block = VectorXd::Zero(count_);
  if (count_ > 0) {
    FeatureSign search(schur_, reduced_, penalty, start.segment(first_, count_));
    if (!search.solve(block)) return false;
  }
  VectorXd free_z = solved_b_;
  if (count_ > 0) free_z -= solved_block_ * block;
  z.resize(free_z.size() + count_);
  z.head(first_) = free_z.head(first_);
  z.segment(first_, count_) = block;
  z.tail(z.size() - first_ - count_) = free_z.tail(z.size() - first_ - count_);
  return true;
}

}  // namespace chandler::forecast
