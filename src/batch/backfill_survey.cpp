#include "batch/backfill_survey.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/log.hpp"
#include "base/number_text.hpp"
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
// What is stored has ended so long ago that the market may have closed.
constexpr Millis kLongSilence = 3 * kDay;
// Of more symbols the sum is told, and each with -v.
constexpr std::size_t kFewSymbols = 10;
constexpr std::size_t kNamedLeftOut = 5;

struct SymbolList {
  std::vector<std::string> symbols;              // sorted, unique
  std::optional<exchange::ExchangeInfo> listed;  // where the exchange had to be asked
  std::set<std::string, std::less<>> in_lake;
  std::vector<std::string> left_out;
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
      const bool take = info.trading() || list.in_lake.contains(info.symbol);
      if (take && lake::is_symbol(info.symbol))
        wanted.insert(info.symbol);
      else if (!wanted.contains(info.symbol))
        list.left_out.push_back(info.symbol);
    }
    if (!found) {
      return fail(ErrorCode::not_found,
                  fmt::format("the exchange has no pair quoted in {}", options.all_of_quote),
                  environment.rest.base_url(), "common ones are USDT, USDC, BTC, ETH");
    }
  }
  list.symbols.assign(wanted.begin(), wanted.end());
  std::ranges::sort(list.left_out);
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

// Where the history begins that is asked for, and whether it has ended: the exchange's first candle at or
// after `since`, if nothing is known that early. The silence before it counts as answered.
Status find_beginning(const BackfillEnvironment& environment, const BackfillOptions& options,
                      const Known& known, Timestamp until, RangeSet& missing, Survey& survey) {
  if (missing.empty()) return {};
  const TimeRange first = *missing.begin();
  const bool known_before =
      std::ranges::any_of(known.present, [&](const TimeRange& r) { return r.begin < first.begin; });
  const bool short_enough = first.length().count() <= grid_of(options.interval) * exchange::kMaxKlinesPerPage;
  if (known_before) {
    // A market that closed: one question instead of one for each file and page since.
    const TimeRange last = missing.ranges().back();
    if (last.end < until || last.length() < kLongSilence) return {};
    const auto next = environment.rest.first_kline_at_or_after(
        survey.report.symbol, options.interval, last.begin, {options.deadline, environment.stop});
    if (next && !*next) survey.nothing_from = last.begin;
    return {};
  }
  if (short_enough) return {};
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

std::size_t candles_in(const RangeSet& ranges, candles::Interval interval) {
  return static_cast<std::size_t>(ranges.length().count() / grid_of(interval));
}

std::string describe(const Survey& survey, candles::Interval interval) {
  const SymbolBackfill& r = survey.report;
  const std::size_t missing = candles_in(r.missing, interval);
  const std::string stored =
      fmt::format("{}: {} {} stored", r.symbol, group_digits(r.stored_before), unit_of(interval));
  if (missing == 0) return stored + ", nothing is missing";
  const TimeRange whole{r.missing.begin()->begin, r.missing.ranges().back().end};
  return fmt::format("{}, {} missing in {} ({})", stored, group_digits(missing),
                     counted(r.missing.ranges().size(), "range", "ranges"), format_range(whole));
}

// What a person should know before the fetching begins, which may take hours.
void tell(const Surveys& surveys, const BackfillOptions& options, Progress& progress) {
  std::size_t stored = 0, missing = 0, symbols = 0, incomplete = 0;
  for (const Survey& one : surveys.symbols) {
    if (one.report.error) continue;
    const std::string line = describe(one, options.interval);
    if (surveys.symbols.size() > kFewSymbols)
      spdlog::info("{}", line);
    else
      progress.note(line);
    ++symbols;
    stored += one.report.stored_before;
    missing += candles_in(one.report.missing, options.interval);
    if (!one.report.missing.empty()) ++incomplete;
  }
  if (surveys.symbols.size() > kFewSymbols) {
    progress.note(fmt::format("{} symbols: {} {} stored, {} missing of {}", group_digits(symbols),
                              group_digits(stored), unit_of(options.interval), group_digits(missing),
                              counted(incomplete, "symbol", "symbols")));
  }
  if (surveys.left_out.empty()) return;
  std::vector<std::string> named = surveys.left_out;
  const bool more = named.size() > kNamedLeftOut;
  if (more) named.resize(kNamedLeftOut);
  progress.note(fmt::format("{} of {} not traded now and left out ({}{}): name what you want of them",
                            counted(surveys.left_out.size(), "pair", "pairs"), options.all_of_quote,
                            fmt::join(named, ", "), more ? ", …" : ""));
}

}  // namespace

Result<Surveys> survey(const BackfillEnvironment& environment, const BackfillOptions& options,
                       Timestamp now) {
  CHANDLER_ASSIGN(const SymbolList list, list_symbols(environment, options));
  Surveys all{std::vector<Survey>(list.symbols.size()), list.left_out};
  std::vector<Survey>& surveys = all.symbols;
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
  }
  if (pages >= kManyPages && !list.listed) {
    // Only for the weight limit: without it the cautious default is kept.
    (void)environment.rest.exchange_info({options.deadline, environment.stop});
  }
  tell(all, options, environment.progress);
  return all;
}

}  // namespace chandler::batch
