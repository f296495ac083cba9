#include "plot/ticks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/number_text.hpp"
#include "base/time.hpp"

namespace chandler::plot {
namespace {

std::string number_label(double value, double step) {
  if (std::abs(value) >= 1e15 || step < 1e-9) return fmt::format("{:.3g}", value);
  const int decimals = step >= 1 ? 0 : static_cast<int>(std::ceil(-std::log10(step) - 1e-9));
  return group_digits(fmt::format("{:.{}f}", value == 0 ? 0.0 : value, decimals));
}

Tick day_tick(std::int32_t day, const char* kind) {
  const std::chrono::year_month_day date{from_day_number(day)};
  static constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const char* month = kMonths[static_cast<unsigned>(date.month()) - 1];
  const int year = static_cast<int>(date.year());
  const bool new_year = date.month() == std::chrono::January && date.day() == std::chrono::day{1};
  if (*kind == 'y' || new_year) return {static_cast<double>(day), fmt::format("{}", year)};
  if (*kind == 'm') return {static_cast<double>(day), month};
  return {static_cast<double>(day), fmt::format("{} {}", static_cast<unsigned>(date.day()), month)};
}

}  // namespace

std::vector<Tick> number_ticks(double low, double high, int wanted) {
  const double rough = (high - low) / std::max(1, wanted);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * power >= rough * 0.999) step = factor * power;
  }
  std::vector<Tick> ticks;
  const double first = std::ceil(low / step - 1e-9);
  for (double i = first; i * step <= high + 1e-9 * step && ticks.size() < 1000; ++i) {
    ticks.push_back({i * step, number_label(i * step, step)});
  }
  return ticks;
}

std::vector<Tick> log_ticks(double low, double high, int wanted) {
  const double decades = std::log10(high / low);
  std::vector<Tick> ticks;
  // One decade in `skip`, so that a series over many powers of ten stays readable.
  const int skip = std::max(1, static_cast<int>(std::ceil(decades / std::max(1, wanted))));
  for (int e = static_cast<int>(std::floor(std::log10(low)));
       e <= static_cast<int>(std::ceil(std::log10(high))); ++e) {
    if (e % skip != 0) continue;
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (factor != 1 && decades > wanted / 2.0) continue;
      const double value = factor * std::pow(10, e);
      if (value >= low * (1 - 1e-12) && value <= high * (1 + 1e-12)) {
        ticks.push_back({value, number_label(value, std::pow(10, e))});
      }
    }
  }
  return ticks.size() >= 2 ? ticks : number_ticks(low, high, wanted);
}

std::vector<Tick> day_ticks(std::int32_t low, std::int32_t high, int wanted) {
  using namespace std::chrono;
  const double per_tick = static_cast<double>(high - low) / std::max(1, wanted);
  std::vector<Tick> ticks;
  if (per_tick <= 20) {
    int step = 1;
    for (const int days : {14, 7, 2, 1}) {
      if (days >= per_tick) step = days;
    }
    if (per_tick > 14) step = 14;
    // Steps of a week start on Mondays; day 4 was one.
    for (std::int32_t day = low; day <= high; ++day) {
      if ((day - 4) % step == 0) ticks.push_back(day_tick(day, "d"));
    }
    return ticks;
  }
  int months = 12;
  for (const int count : {6, 3, 1}) {
    if (count * 30.5 >= per_tick * 0.9) months = count;
  }
  const int years = std::max(1, static_cast<int>(std::ceil(per_tick / 365.25 * 0.9)));
  year_month month = month_of(from_day_number(low));
  for (month = month.year() / January; first_day(month) <= from_day_number(high);
       month += std::chrono::months{months}) {
    const std::int32_t day = to_day_number(first_day(month));
    if (day < low || (months == 12 && year_number(month) % years != 0)) continue;
    ticks.push_back(day_tick(day, months == 12 ? "y" : "m"));
  }
  return ticks;
}

}  // namespace chandler::plot
