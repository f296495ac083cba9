#include "batch/backfill_survey.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/parallel.hpp"
#include "batch/status.hpp"
#include "exchange/symbols.hpp"
#include "lake/catalog.hpp"

namespace chandler::batch {
namespace {

using lake::Table;

constexpr Table kKlineTables[] = {Table::klines_1m, Table::klines_1d};
// From this many pages on it is worth asking what the exchange's weight limit is.
constexpr std::size_t kManyPages = 100;

struct SymbolList {
  std::vector<std::string> symbols;              // sorted, unique
  std::optional<exchange::ExchangeInfo> listed;  // where the exchange had to be asked
  std::set<std::string, std::less<>> in_lake;
};

Result<SymbolList> list_symbols(const BackfillEnvironment& environment, const BackfillOptions& options) {
  SymbolList list;
  CHANDLER_ASSIGN(auto stored, lake::symbols_of(environment.storage, kKlineTables));
  list.in_lake.insert(stored.begin(), stored.end());
  std::set<std::string> wanted(options.symbols.begin(), options.symbols.end());
  if (wanted.empty() && options.all_of_quote.empty()) wanted.insert(stored.begin(), stored.end());
  if (wanted.empty() && options.all_of_quote.empty()) {
    return fail(ErrorCode::usage, "the lake is empty and no symbol was given", environment.storage.uri(),
                "name what to fetch, e.g. `chandler backfill BTCUSDT ETHUSDT`");
  }
  const bool has_new = std::ranges::any_of(wanted, [&](const auto& s) { return !list.in_lake.contains(s); });
  if (has_new || !options.all_of_quote.empty()) {
    CHANDLER_ASSIGN(list.listed, environment.rest.exchange_info({options.deadline, environment.stop}));
    bool found = options.all_of_quote.empty();
    for (const exchange::SymbolInfo& info : list.listed->symbols) {
      if (info.quote != options.all_of_quote || options.all_of_quote.empty()) continue;
      found = true;
      if (info.trading() && lake::is_symbol(info.symbol)) wanted.insert(info.symbol);
    }
    if (!found) {
      return fail(ErrorCode::not_found,
                  fmt::format("the exchange has no pair quoted in {}", options.all_of_quote),
                  environment.rest.base_url(), "common ones are USDT, USDC, BTC, ETH");
    }
  }
  list.symbols.assign(wanted.begin(), wanted.end());
  return list;
}

std::optional<Error> unknown_symbol(const SymbolList& list, const std::string& symbol,
                                    const std::string& url) {
  if (!list.listed || list.in_lake.contains(symbol)) return std::nullopt;
  std::vector<std::string> names;
  for (const exchange::SymbolInfo& info : list.listed->symbols) names.push_back(info.symbol);
  if (std::ranges::find(names, symbol) != names.end()) return std::nullopt;
  return Error{ErrorCode::not_found,
               fmt::format("unknown symbol {}{}", symbol, exchange::did_you_mean_question(symbol, names)),
               url,
               {}};
}

std::string_view unit_of(candles::Interval interval) {
  return interval == candles::Interval::d1 ? "days" : "minutes";
}

// Where the history begins that is asked for: the exchange's first candle at or after `since`, if nothing is
// known that early. The silence before it counts as answered.
Status find_beginning(const BackfillEnvironment& environment, const BackfillOptions& options,
                      const Known& known, Timestamp until, RangeSet& missing, Survey& survey) {
  if (missing.empty()) return {};
  const TimeRange first = *missing.begin();
  const bool known_before =
      std::ranges::any_of(known.present, [&](const TimeRange& r) { return r.begin < first.begin; });
  const bool short_enough = first.length().count() <= grid_of(options.interval) * exchange::kMaxKlinesPerPage;
  if (known_before || short_enough) return {};
  CHANDLER_ASSIGN(const auto next, environment.rest.first_kline_at_or_after(
                                       survey.report.symbol, options.interval, first.begin,
                                       {options.deadline, environment.stop}));
  if (!next || *next >= until) {
    return fail(ErrorCode::incomplete,
                fmt::format("the exchange has no candles of {} in {}", survey.report.symbol,
                            format_range({first.begin, until})),
                environment.rest.base_url(), "is the symbol listed, and are the dates right?");
  }
  if (*next > first.begin) {
    survey.silent_before = {first.begin, *next};
    missing.subtract(survey.silent_before);
  }
  return {};
}

Status survey_symbol(const BackfillEnvironment& environment, const BackfillOptions& options, Timestamp now,
                     Survey& survey) {
  SymbolBackfill& report = survey.report;
  CHANDLER_ASSIGN(const auto catalog, lake::read_catalog(environment.storage, report.symbol));
  const auto& footers = options.interval == candles::Interval::d1 ? catalog.days : catalog.minutes;
  Known known;
  CHANDLER_ASSIGN(known.present, lake::present_in(environment.storage, footers));
  for (const auto& footer : footers) {
    known.asked.add(footer.asked);
    report.stored_before += footer.rows;
  }

  // The candle of this instant is open; the archive has whole days only.
  const Timestamp closed = options.source == KlineSource::archive ? begin_of(day_of(now))
                                                                  : candles::begin_of(options.interval, now);
  Wanted wanted{options.since, std::min(options.until.value_or(closed), closed), options.refetch};
  const auto also = options.also.find(report.symbol);
  const RangeSet more = also == options.also.end() ? RangeSet{} : also->second;
  std::optional<RangeSet> missing;
  if (options.only_also) {
    missing.emplace();
  } else {
    if (!wanted.since && !more.empty()) {  // the history began there, or where what is left of it begins
      wanted.since = more.begin()->begin;
      for (const RangeSet* set : {&known.present, &known.asked}) {
        if (!set->empty()) wanted.since = std::min(*wanted.since, set->begin()->begin);
      }
    }
    missing = missing_ranges(known, wanted);
    if (!missing) {
      wanted.since = from_ms(0);
      missing = missing_ranges(known, wanted);
    }
  }
  for (const TimeRange& range : more) {
    RangeSet lost{TimeRange{range.begin, std::max(range.begin, std::min(range.end, closed))}};
    lost.subtract(known.asked);
    lost.subtract(known.present);
    missing->add(lost);
  }
  CHANDLER_TRY(find_beginning(environment, options, known, wanted.until, *missing, survey));
  report.missing = *missing;
  const KlineSource source = environment.archive == nullptr ? KlineSource::rest : options.source;
  survey.partitions = plan_pieces(*missing, report.symbol, options.interval, source, now);
  return {};
}

std::string describe(const Survey& survey, candles::Interval interval) {
  const SymbolBackfill& r = survey.report;
  const auto missing = static_cast<std::size_t>(r.missing.length().count() / grid_of(interval));
  if (missing == 0)
    return fmt::format("{}: {} {} stored, nothing is missing", r.symbol, r.stored_before, unit_of(interval));
  const TimeRange whole{r.missing.begin()->begin, r.missing.ranges().back().end};
  return fmt::format("{}: {} {} stored, {} missing in {} {} ({})", r.symbol, r.stored_before,
                     unit_of(interval), missing, r.missing.ranges().size(),
                     r.missing.ranges().size() == 1 ? "range" : "ranges", format_range(whole));
}

}  // namespace

Result<std::vector<Survey>> survey(const BackfillEnvironment& environment, const BackfillOptions& options,
                                   Timestamp now) {
  CHANDLER_ASSIGN(const SymbolList list, list_symbols(environment, options));
  std::vector<Survey> surveys(list.symbols.size());
  environment.progress.begin("looking at what is stored", surveys.size(), "symbols");
  CHANDLER_TRY(parallel_for(surveys.size(), options.in_flight, [&](std::size_t i) -> Status {
    Survey& one = surveys[i];
    one.report.symbol = list.symbols[i];
    one.report.error = unknown_symbol(list, one.report.symbol, environment.rest.base_url());
    if (!one.report.error) {
      if (Status status = survey_symbol(environment, options, now, one); !status) {
        // A lake that cannot be written or read stops the job; anything else is this symbol's own trouble.
        if (status.error().code == ErrorCode::interrupted) return status;
        one.report.error = std::move(status).error();
      }
    }
    environment.progress.advance(1);
    return {};
  }));
  environment.progress.end();

  std::size_t pages = 0;
  for (const Survey& one : surveys) {
    for (const PlannedPartition& partition : one.partitions) {
      pages +=
          static_cast<std::size_t>(std::ranges::count(partition.pieces, Piece::Origin::rest, &Piece::origin));
    }
    if (!one.report.error) environment.progress.note(describe(one, options.interval));
  }
  if (pages >= kManyPages && !list.listed) {
    // Only for the weight limit: without it the cautious default is kept.
    (void)environment.rest.exchange_info({options.deadline, environment.stop});
  }
  return surveys;
}

}  // namespace chandler::batch
