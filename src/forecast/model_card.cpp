#include "forecast/model_card.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/time.hpp"

namespace chandler::forecast {
namespace {

std::string day_text(std::int32_t day) {
  return format_day(from_day_number(day));
}

std::string share(double value) {
  return std::isfinite(value) ? fmt::format("{:.1f}%", 100 * value) : "–";
}
std::string figure(double value) {
  return std::isfinite(value) ? fmt::format("{:.3f}", value) : "–";
}

std::string data_section(const SymbolForecast& f) {
  const RollingOrigins& rolling = f.evaluation.rolling;
  std::string out = "\n## Data\n\n";
  fmt::format_to(std::back_inserter(out), "- {} observed daily closes, {} to {}", f.data.close.size(),
                 day_text(f.data.day.front()), day_text(f.data.day.back()));
  if (f.data.filled > 0)
    fmt::format_to(std::back_inserter(out), "; {} filled days are not training data", f.data.filled);
  fmt::format_to(std::back_inserter(out), "\n- training part to {}, untouched part from the next day on\n",
                 day_text(rolling.last_training_day));
  for (const Holiday& holiday : f.data.holidays) {
    fmt::format_to(std::back_inserter(out), "- holiday `{}` on {} days, window {} to +{}\n", holiday.name,
                   holiday.days.size(), holiday.lower_window, holiday.upper_window);
  }
  for (const std::string& regressor : f.data.regressor_names) {
    fmt::format_to(
        std::back_inserter(out), "- regressor `{}`, {}\n", regressor,
        f.options.same_day_regressors
            ? "of the same day, which is known only after that day's close"
            : fmt::format("of {} days before, so that it is known at the origin", f.options.horizon));
  }
  return out;
}

std::string choice_section(const SymbolForecast& f) {
  const RollingOrigins& rolling = f.evaluation.rolling;
  std::string out = "\n## Choice\n\n";
  fmt::format_to(
      std::back_inserter(out),
      "- {} candidates from {} training origins ({} to {}), every {} days, {} days ahead\n"
      "- in each family the least mean scaled error; between families naive, unless another was better by "
      "more than chance (Diebold–Mariano, one-sided 5%)\n",
      f.candidates.size(), rolling.training, day_text(rolling.origins.front().day),
      day_text(rolling.origins[rolling.training - 1].day), f.rolling_options.period, rolling.horizon);
  if (f.choice.rival != 0) {
    fmt::format_to(
        std::back_inserter(out),
        "- nearest to naive on the training part: {} (MASE {} against {}, t = {:.2f}); on the untouched part "
        "t = {:.2f}\n",
        label(f.candidates[f.choice.rival].candidate), figure(f.candidates[f.choice.rival].training.mase),
        figure(f.candidates.front().training.mase), f.choice.training.t, f.choice.test.t);
  }
  fmt::format_to(std::back_inserter(out),
                 "- the untouched part was looked at once, after the choice; it can only send the "
                 "choice back to naive\n");
  return out;
}

std::string figures_section(const SymbolForecast& f) {
  const RollingOrigins& rolling = f.evaluation.rolling;
  std::string out =
      fmt::format("\n## Measured on the untouched part\n\n{} origins, {} to {}.\n\n", rolling.test(),
                  day_text(rolling.origins[rolling.training].day), day_text(rolling.origins.back().day));
  if (f.options.same_day_regressors) {
    out += "**These are not forecast errors**: the regressors of a day contain its close.\n\n";
  }
  out +=
      "| model | MASE | MAPE % | RMSE | skill | 80% covered | 95% covered | own 80% covered | MASE in "
      "training |\n"
      "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
  for (const CandidateResult& r : f.candidates) {
    if (!r.finalist) continue;
    fmt::format_to(std::back_inserter(out), "| {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
                   label(r.candidate), figure(r.test.mase), figure(r.test.mape), figure(r.test.rmse),
                   share(r.test.skill), share(r.test.coverage80), share(r.test.coverage95),
                   share(r.own_coverage80), figure(r.training.mase));
  }
  out +=
      "\nMASE divides absolute errors by the mean absolute daily change before the origin. Skill is one "
      "minus the ratio of "
      "mean absolute errors to naive's. Intervals are conformal: the share of scaled errors, known on the "
      "day of the "
      "origin, that the interval would have covered; `own` is what the model's own theory gave.\n";
  return out;
}

std::string prophet_section(const SymbolForecast& f) {
  if (!f.prophet) return {};
  const ProphetFit& fit = f.prophet->fit;
  std::string out = fmt::format(
      "\n## Prophet's model\n\n- {}, fitted to {} to {}: log posterior {:.3f} after {} steps, {}\n- {} "
      "changepoints, prior {}; "
      "noise {:.4g} of the scale {:.6g}\n",
      label(f.prophet->candidate), day_text(fit.first_day), day_text(fit.last_day), fit.log_posterior,
      fit.iterations, fit.converged ? "converged" : "not converged", fit.delta.size(),
      fit.spec.changepoint_prior_scale, fit.sigma, fit.y_scale);
  for (const Seasonality& s : fit.seasonalities) {
    fmt::format_to(std::back_inserter(out), "- {} seasonality: period {} days, order {}, {}\n", s.name,
                   s.period_days, s.order, name(s.mode));
  }
  return out;
}

}  // namespace

std::string model_card(const SymbolForecast& f) {
  std::string out = f.verdict() + "\n";
  out += fmt::format("\n# {}: forecast of {} to {}\n", f.data.symbol, day_text(f.best.day.front()),
                     day_text(f.best.day.back()));
  out += fmt::format("\n- saved model: {}\n- seed {}; the same input gives the same bytes\n",
                     label(f.saved()), f.options.seed);
  out += data_section(f) + choice_section(f) + figures_section(f) + prophet_section(f);
  out +=
      "\n## What this does not say\n\nThe figures are averages over the origins named above. Coverage holds "
      "as long as "
      "errors stay like those measured, relative to the volatility of the last weeks; a market that changes "
      "at once is "
      "not covered. No forecast here knows news.\n";
  return out;
}

}  // namespace chandler::forecast
