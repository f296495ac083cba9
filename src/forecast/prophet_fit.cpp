// Maximum of the posterior by proximal Newton steps: each step minimises the quadratic model of the smooth
// part plus the Laplace prior as it is (Lee, Sun, Saunders: "Proximal Newton-type methods for minimizing
// composite functions", SIAM J. Optim. 24(3), 2014). sigma is profiled out: it is at its best value at every
// point that is compared.
#include <algorithm>
#include <cmath>

#include "forecast/l1_quadratic.hpp"
#include "forecast/prophet_posterior.hpp"

namespace chandler::forecast {
namespace {

using Eigen::Index;
using Eigen::VectorXd;

constexpr int kMaxIterations = 200;
// Stops when the quadratic model promises less than this much log posterior.
constexpr double kTolerance = 1e-9;

struct Optimum {
  VectorXd x;
  double sigma = 1;
  double objective = 0;
  int iterations = 0;
  bool converged = false;
};

struct Trial {
  VectorXd x;
  ModelState state;
  double sigma = 1;
  double objective = 0;
};

Trial at(const ProphetPosterior& posterior, VectorXd x) {
  Trial trial{std::move(x), {}, 1, 0};
  trial.state = posterior.evaluate(trial.x);
  trial.sigma = posterior.best_sigma(trial.state.squares);
  trial.objective = posterior.objective(trial.x, trial.state.squares, trial.sigma);
  return trial;
}

double laplace(const ProphetPosterior& posterior, const VectorXd& x) {
  const ParameterLayout& layout = posterior.layout();
  return x.segment(layout.delta(), layout.changepoints).cwiseAbs().sum() / posterior.tau();
}

// Where the step problem leads with the noise taken along: a lower residual means a smaller sigma, which
// weighs the Laplace prior less and moves the minimum, so that both are iterated to rest. This costs little
// once the problem is prepared and saves whole steps. `target` is the minimum at the noise of now, and
// becomes that.
void follow_noise(const ProphetPosterior& posterior, const Trial& now, const StepProblem& problem,
                  const L1Quadratic& quadratic, VectorXd& target) {
  const double variance = now.sigma * now.sigma;
  const VectorXd precision = variance * posterior.prior_precision();
  const VectorXd half_slope = problem.gradient - precision.cwiseProduct(now.x);  // of the squares: -J'r
  double log_variance = std::log(variance);
  double before = 0;  // the change of the round before
  for (int round = 0; round < 20; ++round) {
    const VectorXd step = target - now.x;
    const double squares = now.state.squares + 2 * half_slope.dot(step) + step.dot(problem.h * step) -
                           step.dot(precision.cwiseProduct(step));
    if (!(squares > 0)) return;
    const double change = 2 * std::log(posterior.best_sigma(squares)) - log_variance;
    if (std::abs(change) < 1e-9) return;
    // Changes shrink by one factor, so that their sum is known ahead (Aitken).
    const double factor = before == 0 ? 0 : change / before;
    const bool extrapolate = round % 3 == 2 && std::abs(factor) < 0.9;
    log_variance += extrapolate ? change / (1 - factor) : change;
    before = extrapolate ? 0 : change;
    VectorXd next;
    if (!quadratic.solve(std::exp(log_variance) / posterior.tau(), target, next) || !next.allFinite()) return;
    target = std::move(next);
  }
}

enum class Step { taken, converged, refused };

// One step from `now`. `damping` multiplies H's diagonal: it shortens the step where the quadratic is a poor
// model.
Step advance(const ProphetPosterior& posterior, Trial& now, bool exact, double damping) {
  const double variance = now.sigma * now.sigma;
  const ParameterLayout& layout = posterior.layout();
  StepProblem problem = posterior.step_problem(now.x, now.state, now.sigma, exact);
  if (damping > 0) {
    const VectorXd extra = damping * problem.h.diagonal();
    problem.h.diagonal() += extra;
    problem.b += extra.cwiseProduct(now.x);
  }
  L1Quadratic quadratic;
  VectorXd target;
  if (!quadratic.prepare(problem.h, problem.b, layout.delta(), layout.changepoints) ||
      !quadratic.solve(variance / posterior.tau(), now.x, target) || !target.allFinite()) {
    return Step::refused;
  }
  const VectorXd direction = target - now.x;
  // The directional model of the decrease; negative unless x is the optimum. Since sigma is at its best, this
  // is the slope of the profiled posterior as well.
  const double slope =
      problem.gradient.dot(direction) / variance + laplace(posterior, target) - laplace(posterior, now.x);
  // A saddle of the exact curvature proves nothing.
  if (slope > -kTolerance) return quadratic.convex() ? Step::converged : Step::refused;
  const auto take_if_lower = [&](VectorXd x, double share) {
    Trial next = at(posterior, std::move(x));
    if (!(next.objective <= now.objective + 1e-4 * share * slope)) return false;
    now = std::move(next);
    return true;
  };
  const VectorXd origin = now.x;
  follow_noise(posterior, now, problem, quadratic, target);
  if (take_if_lower(target, 1)) return Step::taken;
  double length = 1;
  for (int halving = 0; halving < 25; ++halving, length /= 2) {
    if (take_if_lower(origin + length * direction, length)) return Step::taken;
  }
  // So close to the optimum that rounding hides the decrease.
  return slope > -1e-7 * (1 + std::abs(now.objective)) ? Step::converged : Step::refused;
}

Optimum maximise(const ProphetPosterior& posterior, const VectorXd& start) {
  Trial now = at(posterior, start);
  double damping = 0;
  int iteration = 0;
  bool converged = false;
  while (iteration < kMaxIterations && !converged) {
    ++iteration;
    Step step = advance(posterior, now, true, damping);
    if (step == Step::refused) step = advance(posterior, now, false, damping);
    if (step == Step::refused) {
      if (damping > 1e8) break;
      damping = damping == 0 ? 1e-4 : 10 * damping;
      continue;
    }
    // A damped step that finds nothing says little; only an undamped one proves the optimum.
    converged = step == Step::converged && damping == 0;
    if (step == Step::converged && damping > 1e8) break;
    if (damping > 0) damping = damping < 1e-4 ? 0 : damping / 10;
  }
  return {now.x, now.sigma, now.objective, iteration, converged};
}

// Prophet's starting point: the line through the first and the last observation.
VectorXd starting_point(const ProphetDesign& design) {
  VectorXd x = VectorXd::Zero(2 + design.changepoint.size() + design.features());
  const Index last = design.rows() - 1;
  const double span = design.t[last] - design.t[0];
  switch (design.growth) {
    case Growth::linear:
      x[0] = (design.y[last] - design.y[0]) / span;
      x[1] = design.y[0] - x[0] * design.t[0];
      break;
    case Growth::flat:
      x[1] = design.y.mean();
      break;
    case Growth::logistic: {
      const auto inside = [&](Index i) {
        return design.cap[i] / std::clamp(design.y[i], 0.01 * design.cap[i], 0.99 * design.cap[i]);
      };
      double r0 = inside(0);
      const double r1 = inside(last);
      if (std::abs(r0 - r1) <= 0.01) r0 *= 1.05;
      const double l0 = std::log(r0 - 1);
      const double l1 = std::log(r1 - 1);
      x[1] = l0 * span / (l0 - l1);
      x[0] = (l0 - l1) / span;
      break;
    }
  }
  return x;
}

void store(const VectorXd& x, double sigma, ProphetFit& fit) {
  const auto changepoints = static_cast<Index>(fit.changepoint.size());
  fit.k = x[0];
  fit.m = x[1];
  fit.sigma = sigma;
  fit.delta.assign(x.data() + 2, x.data() + 2 + changepoints);
  fit.beta.assign(x.data() + 2 + changepoints, x.data() + x.size());
}

VectorXd parameters(const ProphetFit& fit) {
  VectorXd x(static_cast<Index>(2 + fit.delta.size() + fit.beta.size()));
  x[0] = fit.k;
  x[1] = fit.m;
  std::ranges::copy(fit.delta, x.data() + 2);
  std::ranges::copy(fit.beta, x.data() + 2 + fit.delta.size());
  return x;
}

// The parameters of a fit to a neighbouring history on the scales of this one: rates are per unit of scaled
// time, and everything but a multiplicative effect is in units of y_scale. Changepoints keep their number in
// the grid.
std::optional<VectorXd> translated(const ProphetFit& near, const ProphetFit& prepared) {
  if (near.spec.growth != Growth::linear || prepared.spec.growth != Growth::linear ||
      near.first_day != prepared.first_day || near.delta.size() != prepared.delta.size() ||
      near.features.size() != prepared.features.size()) {
    return std::nullopt;
  }
  ProphetFit moved = near;
  const double level = near.y_scale / prepared.y_scale;
  const double rate = level * (prepared.last_day - prepared.first_day) / (near.last_day - near.first_day);
  moved.k *= rate;
  moved.m *= level;
  for (double& delta : moved.delta) delta *= rate;
  for (std::size_t f = 0; f < moved.beta.size(); ++f) {
    if (near.features[f].name != prepared.features[f].name) return std::nullopt;
    if (near.features[f].mode == Mode::additive) moved.beta[f] *= level;
  }
  return parameters(moved);
}

}  // namespace

Result<std::vector<ProphetFit>> fit_prophet_priors(const ProphetSpec& spec, const ProphetData& data,
                                                   std::span<const double> priors,
                                                   std::span<const ProphetFit> near) {
  CHANDLER_ASSIGN(const ProphetFit prepared, prepare_fit(spec, data));
  const ProphetDesign design = make_design(prepared, data);
  const auto [low, high] = std::ranges::minmax(data.series.y);
  const bool constant = low == high && spec.growth != Growth::logistic;
  std::vector<ProphetFit> fits;
  ProphetPosterior posterior(design, spec.changepoint_prior_scale);
  VectorXd start = starting_point(design);
  for (std::size_t i = 0; i < priors.size(); ++i) {
    const double prior = priors[i];
    if (!(prior > 0)) return fail(ErrorCode::usage, "changepoint_prior_scale is not positive");
    ProphetFit fit = prepared;
    fit.spec.changepoint_prior_scale = prior;
    posterior.set_prior(prior);
    if (constant) {
      // As in Prophet: a constant series is its own forecast, certain to nine digits.
      store(start, ProphetPosterior::kLeastSigma, fit);
      fit.converged = true;
      const ModelState state = posterior.evaluate(start);
      fit.log_posterior = -posterior.objective(start, state.squares, fit.sigma);
    } else {
      if (i < near.size()) start = translated(near[i], prepared).value_or(start);
      const Optimum optimum = maximise(posterior, start);
      store(optimum.x, optimum.sigma, fit);
      fit.log_posterior = -optimum.objective;
      fit.iterations = optimum.iterations;
      fit.converged = optimum.converged;
      start = optimum.x;
    }
    fits.push_back(std::move(fit));
  }
  return fits;
}

Result<ProphetFit> fit_prophet(const ProphetSpec& spec, const ProphetData& data) {
  const double prior = spec.changepoint_prior_scale;
  CHANDLER_ASSIGN(auto fits, fit_prophet_priors(spec, data, {&prior, 1}));
  return std::move(fits.front());
}

Result<double> log_posterior(const ProphetFit& fit, const ProphetData& data) {
  CHANDLER_ASSIGN(const ProphetFit prepared, prepare_fit(fit.spec, data));
  if (prepared.delta.size() != fit.delta.size() || prepared.beta.size() != fit.beta.size()) {
    return fail(ErrorCode::internal, "the parameters do not belong to these data");
  }
  const ProphetDesign design = make_design(prepared, data);
  const ProphetPosterior posterior(design, fit.spec.changepoint_prior_scale);
  const VectorXd x = parameters(fit);
  return -posterior.objective(x, posterior.evaluate(x).squares, fit.sigma);
}

}  // namespace chandler::forecast
