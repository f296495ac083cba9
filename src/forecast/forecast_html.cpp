#include "forecast/forecast_html.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/time.hpp"
#include "forecast/forecast_html_page.hpp"
#include "forecast/forecast_tables.hpp"

namespace chandler::forecast {
namespace {

using Json = nlohmann::ordered_json;

// Six digits are more than a screen shows; NaN becomes null.
Json numbers(std::span<const double> values) {
  Json array = Json::array();
  for (const double v : values) {
    if (!std::isfinite(v)) {
      array.push_back(nullptr);
    } else {
      const double unit = v == 0 ? 1 : std::pow(10, std::floor(std::log10(std::abs(v))) - 6);
      array.push_back(std::round(v / unit) * unit);
    }
  }
  return array;
}

Json metrics_of(const SymbolForecast& forecast) {
  Json rows = Json::array();
  for (const CandidateResult& r : forecast.candidates) {
    if (!r.finalist) continue;
    const double values[] = {r.test.mase,       r.test.mape,       r.test.rmse,      r.test.skill,
                             r.test.coverage80, r.test.coverage95, r.own_coverage80, r.training.mase};
    rows.push_back({{"model", label(r.candidate)}, {"values", numbers(values)}});
  }
  return rows;
}

Json tests_of(const SymbolForecast& forecast) {
  Json tests = Json::array();
  const RollingOrigins& rolling = forecast.evaluation.rolling;
  const auto piece = [&](const std::vector<double>& column, std::size_t o) {
    return numbers(std::span(column).subspan(o * rolling.steps(), rolling.steps()));
  };
  for (std::size_t o = rolling.training; o < rolling.origins.size(); ++o) {
    tests.push_back({{"origin", rolling.origins[o].day},
                     {"yhat", piece(forecast.evaluation.forecasts[forecast.choice.saved].point, o)},
                     {"lower", piece(forecast.best_intervals.lower80, o)},
                     {"upper", piece(forecast.best_intervals.upper80, o)}});
  }
  return tests;
}

Json prophet_of(const SymbolForecast& forecast) {
  if (!forecast.prophet) return nullptr;
  const ProphetView& view = *forecast.prophet;
  Json components = Json::array();
  for (const ProphetComponent& c : view.prediction.components) {
    components.push_back({{"name", c.name}, {"mode", name(c.mode)}, {"effect", numbers(c.effect)}});
  }
  return {{"model", label(view.candidate)},
          {"day", view.day},
          {"yhat", numbers(view.prediction.yhat)},
          {"trend", numbers(view.prediction.trend)},
          {"components", std::move(components)}};
}

std::string for_script(const Json& json) {
  std::string text = json.dump(-1, ' ', true, Json::error_handler_t::replace);
  // Inside a script element only "</" and "<!--" end it: no "<" is left.
  std::string out;
  for (const char c : text) c == '<' ? out += "\\u003c" : out += c;
  return out;
}

}  // namespace

std::string forecast_html(const SymbolForecast& forecast) {
  const Published& best = forecast.best;
  const Json data{{"symbol", forecast.data.symbol},
                  {"verdict", forecast.verdict()},
                  {"kind", kind(forecast)},
                  {"model", label(forecast.saved())},
                  {"day", forecast.data.day},
                  {"close", numbers(forecast.data.close)},
                  {"untouched", forecast.evaluation.rolling.last_training_day},
                  {"best",
                   {{"day", best.day},
                    {"yhat", numbers(best.yhat)},
                    {"lower80", numbers(best.lower80)},
                    {"upper80", numbers(best.upper80)},
                    {"lower95", numbers(best.lower95)},
                    {"upper95", numbers(best.upper95)}}},
                  {"tests", tests_of(forecast)},
                  {"metrics", metrics_of(forecast)},
                  {"prophet", prophet_of(forecast)}};
  std::string page(kForecastPage);
  static constexpr std::string_view kMarker = "/*DATA*/null";
  return page.replace(page.find(kMarker), kMarker.size(), for_script(data));
}

}  // namespace chandler::forecast
