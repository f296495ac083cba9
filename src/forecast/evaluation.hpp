// Every candidate from every origin, the choice among them, and what the choice was worth on days it never
// saw.
#pragma once

#include <string>
#include <vector>

#include "forecast/forecaster.hpp"
#include "forecast/metrics.hpp"
#include "forecast/selection.hpp"

namespace chandler::forecast {

struct Evaluation {
  RollingOrigins rolling;
  std::vector<Candidate> candidates;         // the first is naive
  std::vector<CandidateForecast> forecasts;  // of each candidate, columns laid out as rolling.actual
  bool relative = true;                      // errors are ratios: the series is positive
};

// Origins and empty columns. Errors as roll_origins().
Result<Evaluation> plan_evaluation(const SymbolInput& input, const RollingOriginOptions& rolling,
                                   std::vector<Candidate> candidates);

// A piece of the work: some candidates from some origins, in order, each fit starting from the one before.
// Where the work is cut depends on the origins alone, so that the results do not depend on how many threads
// do it.
struct Block {
  std::vector<std::size_t> candidates;
  std::size_t first = 0, last = 0;  // origins
};
std::vector<Block> blocks_of(const Evaluation& evaluation);

// Fills the block's rows. Different blocks of one evaluation may run at the same time.
void run_block(const SymbolInput& input, const ForecastOptions& options, const Block& block,
               Evaluation& evaluation);

struct Choice {
  // For each family that took part: its best row on the training origins.
  std::vector<std::size_t> finalists;
  std::size_t chosen = 0;  // on the training origins, by choose(); 0 is naive
  Comparison training;     // naive against the best finalist that is not naive, or against the chosen one
  std::size_t rival = 0;   // that finalist; 0 where there is none
  Comparison test;         // naive against `rival`, on the untouched origins
  // Naive was chosen, or was better than the chosen one on the untouched origins.
  bool naive_wins = true;
  std::size_t saved = 0;  // what is published: naive where it wins, else the chosen one
};
// The choice looks at training origins only. The untouched ones are looked at once, afterwards: they can only
// send the choice back to naive.
Choice make_choice(const Evaluation& evaluation, int period);

// What is published: forecasts from the last day, with intervals calibrated on all errors measured before.
struct Published {
  std::vector<std::int32_t> day;
  std::vector<double> yhat, lower80, upper80, lower95, upper95;
};
Published publish(const SymbolInput& input, const ForecastOptions& options, const Evaluation& evaluation,
                  std::size_t candidate);

Slice training_slice(const Evaluation& evaluation);
Slice test_slice(const Evaluation& evaluation);

}  // namespace chandler::forecast
