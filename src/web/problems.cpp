#include <fmt/format.h>

#include <algorithm>

#include "base/number_text.hpp"
#include "web/overview.hpp"

namespace chandler::web {
namespace {

// A symbol that is this far behind the newest one is told as lagging; a symbol that only has days, after this
// many.
constexpr Millis kLag = 2 * std::chrono::hours(1);
constexpr Millis kDailyLag = 2 * kDay;
// Live minutes of so many days wait for the merge.
constexpr std::size_t kUnmerged = 3 * 1440;

void check(const SymbolOverview& o, std::vector<Problem>& problems) {
  using enum Problem::Severity;
  const batch::SymbolStatus& s = o.status;
  const auto add = [&](Problem::Severity severity, std::string what, std::string remedy) {
    problems.push_back({severity, o.symbol, std::move(what), std::move(remedy)});
  };
  if (o.error) {
    add(error, o.error->where.empty() ? o.error->what : fmt::format("{} ({})", o.error->what, o.error->where),
        "chandler verify");
  }
  if (s.not_asked_minutes > 0) {
    add(warning,
        fmt::format("{} inside the history were never asked for",
                    counted(s.not_asked_minutes, "missing minute", "missing minutes")),
        fmt::format("chandler backfill {}", o.symbol));
  }
  const bool has_minutes = s.minutes > 0 || s.speed_minutes > 0;
  if (s.lag > (has_minutes ? kLag : kDailyLag)) {
    add(warning, fmt::format("{} behind the newest symbol", format_duration(s.lag)),
        fmt::format("chandler backfill {}", o.symbol));
  }
  if (s.days == 0 && !o.error && (s.minutes >= 1440 || s.exchange_days > 0)) {
    add(warning, "has candles but no daily table", fmt::format("chandler build {}", o.symbol));
  }
  if (s.speed_minutes > kUnmerged) {
    add(info,
        fmt::format("{} from the live stream wait to be merged",
                    counted(s.speed_minutes, "minute", "minutes")),
        "chandler merge");
  }
}

}  // namespace

std::vector<Problem> find_problems(const Overview& overview) {
  std::vector<Problem> problems;
  if (overview.error) {
    problems.push_back({Problem::Severity::error,
                        {},
                        fmt::format("the lake cannot be read: {}", overview.error->what),
                        overview.error->remedy});
  }
  for (const auto& symbol : overview.symbols) check(*symbol, problems);
  std::ranges::stable_sort(problems, std::ranges::greater{}, &Problem::severity);
  return problems;
}

std::vector<Problem> problems_at(Timestamp now, const Overview& overview,
                                 const std::vector<lake::SpeedStatus>& processes) {
  std::vector<Problem> problems;
  for (const lake::SpeedStatus& p : processes) {
    const auto follows = [&](const lake::SpeedStatus& other) {
      return other.command == p.command && other.is_fresh(now) && other.started_at >= p.updated_at;
    };
    if (p.is_fresh(now) || std::ranges::any_of(processes, follows)) continue;
    problems.push_back(
        {Problem::Severity::error,
         {},
         fmt::format("chandler {} ({}) has shown no sign of life for {}: it was killed, or its "
                     "machine sleeps",
                     p.command, p.process, format_duration(now - p.updated_at)),
         fmt::format("chandler {}", p.command)});
  }
  problems.insert(problems.end(), overview.problems.begin(), overview.problems.end());
  std::ranges::stable_sort(problems, std::ranges::greater{}, &Problem::severity);
  return problems;
}

}  // namespace chandler::web
