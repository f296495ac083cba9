// The scaled columns that the posterior is evaluated on. Inside the module only: Eigen does not leave it.
#pragma once

#include <Eigen/Core>
#include <span>
#include <string>
#include <vector>

#include "forecast/prophet.hpp"

namespace chandler::forecast {

// An indicator feature: 1 in a few rows, 0 elsewhere.
struct SparseFeature {
  Eigen::Index feature = 0;
  std::vector<Eigen::Index> rows;  // ascending
};

struct FeatureMatrix {
  Eigen::MatrixXd dense;                    // rows × dense features
  std::vector<Eigen::Index> dense_feature;  // which feature each dense column is
  std::vector<SparseFeature> sparse;
};

struct ProphetDesign {
  Growth growth = Growth::linear;
  Eigen::VectorXd t;                          // 0..1
  Eigen::VectorXd y;                          // scaled
  Eigen::VectorXd cap;                        // scaled; empty unless logistic
  Eigen::VectorXd changepoint;                // ascending, scaled
  std::vector<Eigen::Index> changepoint_row;  // first row with t >= changepoint
  FeatureMatrix x;
  Eigen::VectorXd prior_scale;       // of each feature
  std::vector<bool> multiplicative;  // each feature

  Eigen::Index rows() const { return t.size(); }
  Eigen::Index features() const { return prior_scale.size(); }
};

// Everything of the fit but its parameters: scales, changepoints, seasonalities, features.
Result<ProphetFit> prepare_fit(const ProphetSpec& spec, const ProphetData& data);

// `prepared` comes from prepare_fit on the same data.
ProphetDesign make_design(const ProphetFit& prepared, const ProphetData& data);

// The features of any days; regressors are given raw and standardised here.
FeatureMatrix make_features(const ProphetFit& fit, std::span<const std::int32_t> day,
                            const std::vector<std::span<const double>>& regressors);

Eigen::VectorXd scaled_time(const ProphetFit& fit, std::span<const std::int32_t> day);

// Lengths of the regressor and cap columns against the number of rows.
Status check_columns(const ProphetSpec& spec, std::size_t rows,
                     const std::vector<std::span<const double>>& regressors, std::span<const double> cap);

}  // namespace chandler::forecast
