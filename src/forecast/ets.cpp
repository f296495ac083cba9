#include "forecast/ets.hpp"

#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>

#include "forecast/nelder_mead.hpp"

namespace chandler::forecast {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr std::size_t kMaxParameters = 5;
using Point = std::array<double, kMaxParameters>;

struct Smoothing {
  double alpha = 0;
  double beta = 0;
  double phi = 1;
  double gamma = 0;
};

// What is searched over: alpha, beta as a share of alpha, phi, gamma as a share of 1 - alpha, in that order
// and as far as the model has them; every point of the box is an admissible model.
struct Parameterisation {
  explicit Parameterisation(const EtsModel& m) : model(m) {
    const auto add = [&](double low, double high, double start) {
      box.low[count] = low;
      box.high[count] = high;
      first[count++] = start;
    };
    add(1e-4, 0.9999, 0.5);
    if (model.trend != EtsTrend::none) add(1e-4, 0.9999, 0.1);
    if (model.trend == EtsTrend::damped) add(0.8, 0.98, 0.95);
    if (model.season > 1) add(1e-4, 0.9999, 0.1);
  }
  Smoothing smoothing(const Point& x) const {
    Smoothing s;
    std::size_t i = 0;
    s.alpha = x[i++];
    if (model.trend != EtsTrend::none) s.beta = x[i++] * s.alpha;
    if (model.trend == EtsTrend::damped) s.phi = x[i++];
    if (model.season > 1) s.gamma = x[i++] * (1 - s.alpha);
    return s;
  }
  Point point(const EtsFit& fit) const {
    Point x{};
    std::size_t i = 0;
    x[i++] = fit.alpha;
    if (model.trend != EtsTrend::none) x[i++] = fit.beta / fit.alpha;
    if (model.trend == EtsTrend::damped) x[i++] = fit.phi;
    if (model.season > 1) x[i++] = fit.gamma / (1 - fit.alpha);
    return x;
  }
  EtsModel model;
  Box<kMaxParameters> box{};
  Point first{};
  std::size_t count = 0;
};

// Additive errors are linear in the states before the first observation. Each state is carried with its
// derivatives in those (columns 1…; column 0 is the run from zero), so that one pass gives the least squares
// over them.
class LinearFilter {
 public:
  LinearFilter(const EtsModel& model, std::span<const double> y)
      : y_(y), trend_(model.trend != EtsTrend::none), season_(static_cast<std::size_t>(model.season)) {
    states_ = 1 + (trend_ ? 1 : 0) + (season_ > 1 ? season_ - 1 : 0);
    width_ = states_ + 1;
  }

  std::size_t states() const { return states_; }

  // The least sum of squared errors over the initial states; `initial` receives the states that reach it.
  double squares(const Smoothing& s, VectorXd* initial = nullptr) const {
    return season_ > 1 ? seasonal_squares(s, initial)
           : trend_    ? trend_squares(s, initial)
                       : level_squares(s, initial);
  }

 private:
  // e = a + d' x: the least of |a + D x|^2 from its products.
  static double least(const MatrixXd& dd, const VectorXd& da, double aa, VectorXd* initial) {
    MatrixXd regular = dd;
    regular.diagonal().array() += 1e-12 * dd.diagonal().maxCoeff();
    const VectorXd x = -regular.ldlt().solve(da);
    if (initial != nullptr) *initial = x;
    return std::max(0.0, aa + 2 * da.dot(x) + x.dot(dd * x));
  }

  double level_squares(const Smoothing& s, VectorXd* initial) const {
    // Working around the first value keeps the sums free of cancellation.
    const double origin = y_.front();
    const double keep = 1 - s.alpha;
    double level = 0;
    double derivative = 1;
    double aa = 0;
    double ad = 0;
    double dd = 0;
    for (const double value : y_) {
      const double e = value - origin - level;
      aa += e * e;
      ad -= e * derivative;
      dd += derivative * derivative;
      level += s.alpha * e;
      derivative *= keep;
    }
    const double x = -ad / dd;
    if (initial != nullptr) *initial = VectorXd::Constant(1, origin + x);
    return std::max(0.0, aa + 2 * ad * x + dd * x * x);
  }

  double trend_squares(const Smoothing& s, VectorXd* initial) const {
    const double origin = y_.front();
    double l = 0, b = 0;    // from zero
    double ll = 1, lb = 0;  // derivatives in the first level
    double bl = 0, bb = 1;  // derivatives in the first slope
    double aa = 0, a1 = 0, a2 = 0, d11 = 0, d12 = 0, d22 = 0;
    for (const double value : y_) {
      const double e = value - origin - (l + s.phi * b);
      const double e1 = -(ll + s.phi * lb);
      const double e2 = -(bl + s.phi * bb);
      aa += e * e;
      a1 += e * e1;
      a2 += e * e2;
      d11 += e1 * e1;
      d12 += e1 * e2;
      d22 += e2 * e2;
      l += s.phi * b + s.alpha * e;
      b = s.phi * b + s.beta * e;
      ll += s.phi * lb + s.alpha * e1;
      lb = s.phi * lb + s.beta * e1;
      bl += s.phi * bb + s.alpha * e2;
      bb = s.phi * bb + s.beta * e2;
    }
    MatrixXd dd(2, 2);
    dd << d11, d12, d12, d22;
    const double result = least(dd, VectorXd{{a1, a2}}, aa, initial);
    if (initial != nullptr) (*initial)[0] += origin;
    return result;
  }

  double seasonal_squares(const Smoothing& s, VectorXd* initial) const {
    const double origin = y_.front();
    const auto width = static_cast<Index>(width_);
    VectorXd level = VectorXd::Zero(width);
    VectorXd slope = VectorXd::Zero(width);
    MatrixXd season = MatrixXd::Zero(width, static_cast<Index>(season_));
    Index column = 1;
    level[column++] = 1;
    if (trend_) slope[column++] = 1;
    // Seasonal terms sum to zero: the last follows from the others.
    for (Index j = 0; j + 1 < static_cast<Index>(season_); ++j, ++column) {
      season(column, j) = 1;
      season(column, static_cast<Index>(season_) - 1) = -1;
    }
    MatrixXd products = MatrixXd::Zero(width, width);
    VectorXd e(width);
    for (std::size_t i = 0; i < y_.size(); ++i) {
      const auto phase = static_cast<Index>(i % season_);
      e = -(level + s.phi * slope + season.col(phase));
      e[0] += y_[i] - origin;
      products.selfadjointView<Eigen::Lower>().rankUpdate(e);
      level += s.phi * slope + s.alpha * e;
      slope = s.phi * slope + s.beta * e;
      season.col(phase) += s.gamma * e;
    }
    const MatrixXd full = products.selfadjointView<Eigen::Lower>();
    const double result =
        least(full.bottomRightCorner(width - 1, width - 1), full.col(0).tail(width - 1), full(0, 0), initial);
    if (initial != nullptr) (*initial)[0] += origin;
    return result;
  }

  std::span<const double> y_;
  bool trend_;
  std::size_t season_;
  std::size_t states_ = 1;
  std::size_t width_ = 2;
};

struct Run {
  double squares = 0;
  double log_scale = 0;  // sum of log|yhat| for multiplicative errors
};

// Runs the model from its first states to the last observation, leaving the last states in `fit`.
Run run(std::span<const double> y, EtsFit& fit) {
  const bool relative = fit.model.error == EtsError::multiplicative;
  const auto season = static_cast<std::size_t>(fit.model.season);
  Run result;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double ahead = fit.level + fit.phi * fit.slope;
    const double seasonal = season > 1 ? fit.seasonal[i % season] : 0;
    const double predicted = ahead + seasonal;
    if (relative && !(predicted > 0)) return {std::numeric_limits<double>::infinity(), 0};
    const double error = y[i] - predicted;
    const double scored = relative ? error / predicted : error;
    result.squares += scored * scored;
    if (relative) result.log_scale += std::log(predicted);
    fit.level = ahead + fit.alpha * error;
    fit.slope = fit.phi * fit.slope + fit.beta * error;
    if (season > 1) fit.seasonal[i % season] = seasonal + fit.gamma * error;
  }
  if (season > 1)
    std::ranges::rotate(fit.seasonal, fit.seasonal.begin() + static_cast<std::ptrdiff_t>(y.size() % season));
  return result;
}

void set_smoothing(const Smoothing& s, EtsFit& fit) {
  fit.alpha = s.alpha;
  fit.beta = s.beta;
  fit.phi = s.phi;
  fit.gamma = s.gamma;
}

void set_states(const VectorXd& initial, EtsFit& fit) {
  Index next = 0;
  fit.level = initial[next++];
  fit.slope = fit.model.trend == EtsTrend::none ? 0 : initial[next++];
  fit.seasonal.clear();
  if (fit.model.season > 1) {
    double sum = 0;
    for (; next < initial.size(); ++next) {
      fit.seasonal.push_back(initial[next]);
      sum += initial[next];
    }
    fit.seasonal.push_back(-sum);
  }
}

void score(std::span<const double> y, Run result, std::size_t smoothing, std::size_t states, EtsFit& fit) {
  const auto n = static_cast<double>(y.size());
  // The variance is a parameter as well.
  const double parameters = static_cast<double>(smoothing + states + 1);
  // A perfect fit would send the likelihood to infinity: errors below a part in 1e12 of the values count as
  // that.
  double scale = 0;
  for (const double v : y) scale += v * v;
  if (fit.model.error == EtsError::multiplicative) scale = n;
  const double squares = std::max({result.squares, 1e-24 * scale, std::numeric_limits<double>::min()});
  fit.variance = squares / std::max(1.0, n - parameters + 1);
  fit.minus_twice_log_likelihood = n * std::log(squares) + 2 * result.log_scale;
  fit.aic = fit.minus_twice_log_likelihood + 2 * parameters;
  fit.aicc = fit.aic + 2 * parameters * (parameters + 1) / std::max(1e-3, n - parameters - 1);
}

Smoothing search_additive(const LinearFilter& filter, const Parameterisation& space, const EtsFit* near) {
  const auto cost = [&](const Point& x) { return std::log(filter.squares(space.smoothing(x)) + 1e-300); };
  if (near != nullptr) {
    return space.smoothing(nelder_mead(cost, space.point(*near), space.box, space.count, 0.02, 1e-7, 5e-3));
  }
  // Several starts: prices are like a level that follows at once, with a slope that hardly moves or one that
  // does; calmer series are like a level that hardly moves.
  struct Start {
    double alpha;
    double beta_share;
    double phi;
  };
  Point best{};
  double lowest = std::numeric_limits<double>::infinity();
  for (const Start& s : {Start{0.9, 0.01, 0.97}, Start{0.9, 0.05, 0.85}, Start{0.2, 0.1, 0.95}}) {
    if (space.model.trend == EtsTrend::none && s.beta_share == 0.05) continue;
    Point start = space.first;
    start[0] = s.alpha;
    if (space.model.trend != EtsTrend::none) start[1] = s.beta_share;
    if (space.model.trend == EtsTrend::damped) start[2] = s.phi;
    const Point found = nelder_mead(cost, start, space.box, space.count, 0.1, 1e-10);
    if (const double value = cost(found); value < lowest) {
      lowest = value;
      best = found;
    }
  }
  return space.smoothing(best);
}

// Relative errors are not linear in the first states; they are searched for together with the smoothing,
// starting from the optimum under additive errors.
EtsFit search_multiplicative(std::span<const double> y, const Parameterisation& space, const EtsFit& additive,
                             const VectorXd& initial) {
  Point start = space.point(additive);
  Box<kMaxParameters> box = space.box;
  std::size_t count = space.count;
  const double level = std::max(initial[0], 1e-6 * y.front());
  start[count] = level;
  box.low[count] = 0.2 * level;
  box.high[count++] = 5 * level;
  if (space.model.trend != EtsTrend::none) {
    start[count] = initial[1];
    box.low[count] = initial[1] - 0.5 * level;
    box.high[count++] = initial[1] + 0.5 * level;
  }
  const auto fit_at = [&](const Point& x) {
    EtsFit fit;
    fit.model = space.model;
    set_smoothing(space.smoothing(x), fit);
    fit.level = x[space.count];
    if (space.model.trend != EtsTrend::none) fit.slope = x[space.count + 1];
    return fit;
  };
  const auto n = static_cast<double>(y.size());
  const auto cost = [&](const Point& x) {
    EtsFit fit = fit_at(x);
    const Run result = run(y, fit);
    return n * std::log(result.squares + 1e-300) + 2 * result.log_scale;
  };
  Point best = nelder_mead(cost, start, box, count, 0.05, 1e-10);
  if (space.model.trend != EtsTrend::none) {
    start[1] = 0.03;
    if (space.model.trend == EtsTrend::damped) start[2] = 0.97;
    const Point other = nelder_mead(cost, start, box, count, 0.05, 1e-10);
    if (cost(other) < cost(best)) best = other;
  }
  best = nelder_mead(cost, best, box, count, 0.02, 1e-11);
  return fit_at(best);
}

}  // namespace

std::string name(const EtsModel& model) {
  return fmt::format("{}{}{}", model.error == EtsError::additive ? "A" : "M",
                     model.trend == EtsTrend::none       ? "N"
                     : model.trend == EtsTrend::additive ? "A"
                                                         : "Ad",
                     model.season > 1 ? "A" : "N");
}

Result<EtsFit> fit_ets(std::span<const double> y, const EtsModel& model, const EtsFit* near) {
  if (model.season < 1 || (model.season > 1 && model.error == EtsError::multiplicative)) {
    return fail(ErrorCode::usage, fmt::format("the smoothing model {} has no such season", name(model)));
  }
  const Parameterisation space(model);
  const LinearFilter filter(model, y);
  if (y.size() < space.count + filter.states() + 3) {
    return fail(ErrorCode::invalid_data,
                fmt::format("{} observations are too few for {}", y.size(), name(model)));
  }
  if (model.error == EtsError::multiplicative && !std::ranges::all_of(y, [](double v) { return v > 0; })) {
    return fail(ErrorCode::invalid_data, "relative errors need positive values");
  }
  EtsFit fit;
  fit.model = model;
  VectorXd initial;
  set_smoothing(search_additive(filter, space, near), fit);
  filter.squares({fit.alpha, fit.beta, fit.phi, fit.gamma}, &initial);
  if (model.error == EtsError::multiplicative) {
    fit = search_multiplicative(y, space, fit, initial);
  } else {
    set_states(initial, fit);
  }
  const Run result = run(y, fit);
  if (!std::isfinite(result.squares))
    return fail(ErrorCode::invalid_data, "relative errors do not fit this series");
  score(y, result, space.count, filter.states(), fit);
  return fit;
}

Result<EtsFit> select_ets(std::span<const double> y, std::span<const EtsModel> candidates,
                          std::vector<EtsFit>* near) {
  std::vector<EtsFit> fits;
  const EtsFit* best = nullptr;
  Error last{ErrorCode::usage, "no smoothing model to choose from", {}, {}};
  fits.reserve(candidates.size());
  for (const EtsModel& candidate : candidates) {
    const EtsFit* start = nullptr;
    if (near != nullptr) {
      const auto found =
          std::ranges::find(*near, name(candidate), [](const EtsFit& f) { return name(f.model); });
      if (found != near->end()) start = &*found;
    }
    auto fit = fit_ets(y, candidate, start);
    if (!fit) {
      last = std::move(fit).error();
      continue;
    }
    fits.push_back(std::move(*fit));
    if (best == nullptr || fits.back().aicc < best->aicc) best = &fits.back();
  }
  if (best == nullptr) return std::unexpected(std::move(last));
  EtsFit chosen = *best;
  if (near != nullptr) *near = std::move(fits);
  return chosen;
}

PointForecast forecast_ets(const EtsFit& fit, int horizon) {
  PointForecast forecast;
  const bool relative = fit.model.error == EtsError::multiplicative;
  const auto season = static_cast<std::size_t>(fit.model.season);
  std::vector<double> response;  // c_j: how a unit error now moves the forecast j steps on
  std::vector<double> second;    // theta_h of the book's section 6.3, for relative errors
  double sum = 0;
  double damping = 0;
  double power = 1;
  for (int h = 1; h <= horizon; ++h) {
    const auto index = static_cast<std::size_t>(h - 1);
    power *= fit.phi;
    damping += power;
    const double mean = fit.level + damping * fit.slope + (season > 1 ? fit.seasonal[index % season] : 0);
    forecast.mean.push_back(mean);
    if (relative) {
      double theta = mean * mean;
      for (std::size_t j = 1; j <= index; ++j)
        theta += fit.variance * response[j - 1] * response[j - 1] * second[index - j];
      second.push_back(theta);
      forecast.deviation.push_back(std::sqrt(std::max(0.0, (1 + fit.variance) * theta - mean * mean)));
    } else {
      forecast.deviation.push_back(std::sqrt(fit.variance * (1 + sum)));
    }
    const double c = fit.alpha + fit.beta * damping +
                     (season > 1 && static_cast<std::size_t>(h) % season == 0 ? fit.gamma : 0);
    response.push_back(c);
    sum += c * c;
  }
  return forecast;
}

}  // namespace chandler::forecast
