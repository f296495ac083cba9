#include "forecast/evaluation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace chandler::forecast {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
// Origins of one Prophet block: enough for starts from the neighbour to pay, few enough to share among
// threads.
constexpr std::size_t kBlock = 20;

void add_blocks(const std::vector<std::size_t>& candidates, std::size_t first, std::size_t last,
                std::size_t length, std::vector<Block>& blocks) {
  if (candidates.empty()) return;
  for (; first < last; first += length) blocks.push_back({candidates, first, std::min(last, first + length)});
}

}  // namespace

Slice training_slice(const Evaluation& evaluation) {
  return {0, evaluation.rolling.training, 1, evaluation.rolling.horizon};
}

Slice test_slice(const Evaluation& evaluation) {
  return {evaluation.rolling.training, evaluation.rolling.origins.size(), 1, evaluation.rolling.horizon};
}

Result<Evaluation> plan_evaluation(const SymbolInput& input, const RollingOriginOptions& rolling,
                                   std::vector<Candidate> candidates) {
  Evaluation evaluation;
  CHANDLER_ASSIGN(evaluation.rolling, roll_origins(input.series, rolling));
  evaluation.candidates = std::move(candidates);
  evaluation.relative = positive(input.series);
  const std::vector<double> empty(evaluation.rolling.actual.size(), kNothing);
  evaluation.forecasts.assign(evaluation.candidates.size(), {empty, empty, empty});
  return evaluation;
}

std::vector<Block> blocks_of(const Evaluation& evaluation) {
  std::vector<std::size_t> univariate;
  std::vector<std::size_t> by_mode[2];
  for (std::size_t c = 0; c < evaluation.candidates.size(); ++c) {
    const Candidate& candidate = evaluation.candidates[c];
    (is_prophet(candidate.family) ? by_mode[candidate.mode == Mode::additive ? 0 : 1] : univariate)
        .push_back(c);
  }
  const std::size_t training = evaluation.rolling.training;
  const std::size_t all = evaluation.rolling.origins.size();
  std::vector<Block> blocks;
  // The longest first, so that no thread is left alone with one at the end.
  for (const std::size_t mode : {1U, 0U}) {
    add_blocks(by_mode[mode], training, all, kBlock, blocks);
    add_blocks(by_mode[mode], 0, training, kBlock, blocks);
  }
  add_blocks(univariate, 0, all, 2 * kBlock, blocks);
  return blocks;
}

void run_block(const SymbolInput& input, const ForecastOptions& options, const Block& block,
               Evaluation& evaluation) {
  std::vector<Candidate> candidates;
  for (const std::size_t c : block.candidates) candidates.push_back(evaluation.candidates[c]);
  const std::size_t steps = evaluation.rolling.steps();
  ChainState state;
  for (std::size_t o = block.first; o < block.last; ++o) {
    const bool test = o >= evaluation.rolling.training;
    const auto forecasts =
        forecast_from(input, options, candidates, evaluation.rolling.origins[o].day, test, state);
    for (std::size_t c = 0; c < forecasts.size(); ++c) {
      CandidateForecast& target = evaluation.forecasts[block.candidates[c]];
      const auto at = static_cast<std::ptrdiff_t>(o * steps);
      std::ranges::copy(forecasts[c].point, target.point.begin() + at);
      std::ranges::copy(forecasts[c].lower, target.lower.begin() + at);
      std::ranges::copy(forecasts[c].upper, target.upper.begin() + at);
    }
  }
}

Choice make_choice(const Evaluation& evaluation, int period) {
  std::vector<std::vector<double>> losses;
  for (const CandidateForecast& forecast : evaluation.forecasts) {
    losses.push_back(origin_losses(evaluation.rolling, forecast.point, training_slice(evaluation)));
  }
  Choice choice;
  for (const Family family : kFamilies) {
    std::vector<std::size_t> rows;
    for (std::size_t c = 0; c < evaluation.candidates.size(); ++c) {
      if (evaluation.candidates[c].family == family) rows.push_back(c);
    }
    if (!rows.empty()) choice.finalists.push_back(least_loss(losses, rows));
  }
  std::vector<std::vector<double>> final_losses;
  for (const std::size_t row : choice.finalists) final_losses.push_back(losses[row]);
  const auto overlap =
      static_cast<std::size_t>(std::max(0, (evaluation.rolling.horizon + period - 1) / period - 1));
  choice.chosen = choice.finalists[choose(final_losses, 0, overlap)];

  choice.rival = choice.chosen;
  if (choice.chosen == 0) {
    double largest = -std::numeric_limits<double>::infinity();
    for (const std::size_t row : choice.finalists) {
      if (row == 0) continue;
      const Comparison against = compare(losses[0], losses[row], overlap);
      if (against.origins > 0 && against.advantage > largest) {
        largest = against.advantage;
        choice.rival = row;
      }
    }
  }
  choice.training = compare(losses[0], losses[choice.rival], overlap);

  const Slice test = test_slice(evaluation);
  choice.test =
      compare(origin_losses(evaluation.rolling, evaluation.forecasts[0].point, test),
              origin_losses(evaluation.rolling, evaluation.forecasts[choice.rival].point, test), overlap);
  choice.naive_wins = choice.chosen == 0 || !(choice.test.advantage > 0);
  choice.saved = choice.naive_wins ? 0 : choice.chosen;
  return choice;
}

Published publish(const SymbolInput& input, const ForecastOptions& options, const Evaluation& evaluation,
                  std::size_t candidate) {
  ChainState state;
  const std::int32_t last = input.series.day.back();
  const auto forecast =
      forecast_from(input, options, {&evaluation.candidates[candidate], 1}, last, false, state).front();
  const Conformal conformal(evaluation.rolling, evaluation.forecasts[candidate].point, evaluation.relative);
  const double deviation = recent_deviation(input.series, evaluation.relative);
  constexpr double kLevels[] = {0.8, 0.95};
  Published published;
  for (int h = 1; h <= options.horizon; ++h) {
    const double yhat = forecast.point[static_cast<std::size_t>(h - 1)];
    const auto scores = conformal.scores(h, kLevels, last);
    const auto narrow = conformal.interval(yhat, scores[0], deviation);
    const auto wide = conformal.interval(yhat, scores[1], deviation);
    published.day.push_back(last + h);
    published.yhat.push_back(yhat);
    published.lower80.push_back(narrow ? narrow->lower : kNothing);
    published.upper80.push_back(narrow ? narrow->upper : kNothing);
    published.lower95.push_back(wide ? wide->lower : kNothing);
    published.upper95.push_back(wide ? wide->upper : kNothing);
  }
  return published;
}

}  // namespace chandler::forecast
