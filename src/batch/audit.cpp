#include "batch/audit.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>

#include "base/parallel.hpp"
#include "candles/clean.hpp"
#include "candles/roll_up.hpp"
#include "lake/catalog.hpp"

namespace chandler::batch {
namespace {

using candles::Bars;
using candles::Kline;
using candles::Klines;

constexpr double kVolumeTolerance = 1e-9;  // relative
constexpr Millis kPage = kDay * exchange::kMaxKlinesPerPage;

struct OurDays {
  Bars bars;
  std::set<std::int64_t> imported;  // open times of days with minutes from files
};

Result<OurDays> roll_up_days(const lake::Storage& storage, const lake::SymbolCatalog& catalog) {
  OurDays ours;
  const Timestamp closed_until = begin_of(day_of(*catalog.minutes_horizon()));
  for (const lake::KlineFooter& footer : catalog.minutes) {
    if (footer.rows == 0) continue;
    CHANDLER_ASSIGN(const auto rows, lake::read_klines(storage, footer.partition));
    const std::size_t closed = candles::lower_bound(rows, closed_until);
    const Bars bars = candles::roll_up(candles::spans_of(rows).subspan(0, closed), candles::Interval::d1);
    ours.bars.rows.append(bars.rows);
    ours.bars.count.insert(ours.bars.count.end(), bars.count.begin(), bars.count.end());
    for (std::size_t i = 0; i < closed; ++i) {
      if (rows.source[i] == candles::Source::import)
        ours.imported.insert(to_ms(begin_of(day_of(from_ms(rows.open_time[i])))));
    }
  }
  return ours;
}

bool same_volume(double ours, double theirs) {
  return std::abs(ours - theirs) <= kVolumeTolerance * std::max(std::abs(ours), std::abs(theirs));
}

void compare_day(const Kline& ours, std::int32_t minutes, const Kline& theirs, AuditedSymbol& audited) {
  const Day day = day_of(from_ms(ours.open_time));
  const auto differs = [&](const char* field, double a, double b) {
    audited.differences.push_back({day, field, a, b, minutes});
  };
  if (ours.open != theirs.open) differs("open", ours.open, theirs.open);
  if (ours.high != theirs.high) differs("high", ours.high, theirs.high);
  if (ours.low != theirs.low) differs("low", ours.low, theirs.low);
  if (ours.close != theirs.close) differs("close", ours.close, theirs.close);
  if (!same_volume(ours.volume, theirs.volume)) differs("volume", ours.volume, theirs.volume);
  const bool both_know_trades =
      ours.trades != candles::kUnknownTrades && theirs.trades != candles::kUnknownTrades;
  if (both_know_trades && ours.trades != theirs.trades) {
    differs("trades", static_cast<double>(ours.trades), static_cast<double>(theirs.trades));
  }
}

void compare_days(const OurDays& ours, const OwnDays& theirs, AuditedSymbol& audited) {
  const Klines& rows = ours.bars.rows;
  std::size_t t = 0;
  const auto only_theirs = [&](std::int64_t until) {
    for (; t < theirs.rows.size() && theirs.rows.open_time[t] < until; ++t) {
      audited.differences.push_back(
          {day_of(from_ms(theirs.rows.open_time[t])), "day", candles::kUnknown, theirs.rows.close[t], 0});
    }
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int64_t open_time = rows.open_time[i];
    only_theirs(open_time);
    const bool is_theirs = t < theirs.rows.size() && theirs.rows.open_time[t] == open_time;
    if (ours.imported.contains(open_time)) {
      ++audited.imported_days;
    } else if (is_theirs) {
      ++audited.days;
      compare_day(rows.at(i), ours.bars.count[i], theirs.rows.at(t), audited);
    } else if (theirs.covered.contains(from_ms(open_time))) {
      ++audited.days;
      audited.differences.push_back(
          {day_of(from_ms(open_time)), "day", rows.close[i], candles::kUnknown, ours.bars.count[i]});
    } else {
      ++audited.unknown_days;
    }
    if (is_theirs) ++t;
  }
}

Result<AuditedSymbol> audit_symbol(const lake::Storage& storage, const lake::SymbolCatalog& catalog,
                                   const DaysOf& days_of, std::optional<Timestamp> now) {
  AuditedSymbol audited;
  audited.symbol = catalog.symbol;
  CHANDLER_ASSIGN(const OurDays ours, roll_up_days(storage, catalog));
  if (const auto last = catalog.last_minute(); now && last && *last + kMinute > *now) {
    audited.differences.push_back({day_of(*last), "closed"});
  }
  if (ours.bars.size() == 0) return audited;
  const TimeRange range{from_ms(ours.bars.rows.open_time.front()),
                        from_ms(ours.bars.rows.open_time.back()) + kDay};
  auto theirs = days_of(catalog.symbol, range);
  if (theirs) {
    compare_days(ours, *theirs, audited);
  } else if (theirs.error().code == ErrorCode::interrupted) {
    return std::unexpected(theirs.error());
  } else {
    audited.error = std::move(theirs).error();
  }
  return audited;
}

}  // namespace

DaysOf days_of_exchange(exchange::RestClient& rest, const exchange::Call& call) {
  return [&rest, call](const std::string& symbol, TimeRange range) -> Result<OwnDays> {
    OwnDays days;
    days.covered = range;
    for (Timestamp at = range.begin; at < range.end; at += kPage) {
      const TimeRange page{at, std::min(at + kPage, range.end)};
      CHANDLER_ASSIGN(const auto answer,
                      rest.klines(symbol, candles::Interval::d1, page, exchange::kMaxKlinesPerPage, call));
      days.rows.append(answer.rows);
    }
    days.rows = candles::clean(std::move(days.rows), kDayMs).rows;
    return days;
  };
}

DaysOf days_of_lake(const lake::Storage& storage) {
  return [&storage](const std::string& symbol, TimeRange range) -> Result<OwnDays> {
    OwnDays days;
    CHANDLER_ASSIGN(const auto catalog, lake::read_catalog(storage, symbol));
    for (const lake::KlineFooter& footer : catalog.days) {
      CHANDLER_ASSIGN(const auto rows, lake::read_klines(storage, footer.partition));
      days.rows.append(candles::slice(rows, range));
    }
    return days;
  };
}

Result<std::vector<AuditedSymbol>> audit(const lake::Storage& storage,
                                         const std::vector<std::string>& symbols, const DaysOf& days_of,
                                         std::optional<Timestamp> now, std::size_t in_flight,
                                         Progress& progress, std::stop_token stop) {
  std::vector<std::optional<AuditedSymbol>> audited(symbols.size());
  std::atomic<std::size_t> failures{0};  // in a row
  std::mutex mutex;
  std::optional<Error> given_up;
  const auto days_or_not = [&](const std::string& symbol, TimeRange range) -> Result<OwnDays> {
    {
      const std::lock_guard lock(mutex);
      if (given_up) return std::unexpected(*given_up);
    }
    auto days = days_of(symbol, range);
    const bool out_of_reach = !days && days.error().code == ErrorCode::unreachable;
    if (!out_of_reach) {
      failures = 0;
    } else if (++failures >= kAuditFailures) {
      const std::lock_guard lock(mutex);
      if (!given_up) given_up = days.error();
    }
    return days;
  };
  progress.begin("comparing days", symbols.size(), "symbols");
  CHANDLER_TRY(parallel_for(symbols.size(), in_flight, [&](std::size_t i) -> Status {
    if (stop.stop_requested()) return fail(ErrorCode::interrupted, "interrupted");
    CHANDLER_ASSIGN(const auto catalog, lake::read_catalog(storage, symbols[i]));
    if (catalog.last_minute()) {
      CHANDLER_ASSIGN(audited[i], audit_symbol(storage, catalog, days_or_not, now));
    }
    progress.advance(1);
    return {};
  }));
  progress.end();
  std::vector<AuditedSymbol> with_minutes;
  for (auto& one : audited) {
    if (one) with_minutes.push_back(std::move(*one));
  }
  return with_minutes;
}

}  // namespace chandler::batch
