#include "batch/page_fetch.hpp"

#include <fmt/format.h>

#include "batch/backfill_plan.hpp"

namespace chandler::batch {
namespace {

// How often the same range may be answered with less than the exchange then says it has.
constexpr int kContradictions = 3;

Error nothing_there(const exchange::RestClient& rest, const FetchTarget& target, TimeRange range) {
  return {ErrorCode::incomplete,
          fmt::format("the exchange answered with no candles for {} in {}, and has none after it",
                      target.symbol, format_range(range)),
          rest.base_url(), "run the same command again later; what was stored before is kept"};
}

Error contradicts_itself(const exchange::RestClient& rest, const FetchTarget& target, TimeRange range) {
  return {ErrorCode::incomplete,
          fmt::format("the exchange keeps answering with no candles for {} in {}, and names some there when "
                      "asked for the next",
                      target.symbol, format_range(range)),
          rest.base_url(), "run the same command again later; what was stored before is kept"};
}

}  // namespace

void KnownSilence::learn(TimeRange silent) {
  const std::lock_guard lock(mutex_);
  silent_.add(silent);
}

bool KnownSilence::covers(TimeRange range) const {
  const std::lock_guard lock(mutex_);
  return silent_.contains(range);
}

void KnownSilence::learn_end(Timestamp t) {
  const std::lock_guard lock(mutex_);
  end_ = std::min(end_.value_or(t), t);
}

bool KnownSilence::is_after_end(Timestamp t) const {
  const std::lock_guard lock(mutex_);
  return end_ && t >= *end_;
}

std::optional<Timestamp> KnownSilence::end() const {
  const std::lock_guard lock(mutex_);
  return end_;
}

Fetched fetch_by_rest(exchange::RestClient& rest, const FetchTarget& target, TimeRange range,
                      KnownSilence& silence, const std::function<bool()>& trades) {
  Fetched fetched;
  TimeRange left = range;
  int contradictions = 0;
  while (!left.empty() && !silence.is_after_end(left.begin)) {
    if (silence.covers(left)) {
      fetched.answered.add(left);
      return fetched;
    }
    auto page = rest.klines(target.symbol, target.interval, left, exchange::kMaxKlinesPerPage, target.call);
    if (!page) {
      fetched.unanswered.push_back({left, std::move(page).error()});
      return fetched;
    }
    if (!page->rows.empty()) {
      const Timestamp covered = from_ms(page->rows.open_time.back() + grid_of(target.interval));
      fetched.truncated_close_times += exchange::count_truncated(*page, target.interval);
      fetched.rows.append(page->rows);
      fetched.answered.add({left.begin, covered});
      left.begin = covered;
      continue;
    }
    const auto next = rest.first_kline_at_or_after(target.symbol, target.interval, left.begin, target.call);
    if (!next) {
      fetched.unanswered.push_back({left, next.error()});
      return fetched;
    }
    if (*next && **next >= left.end) {
      silence.learn({left.begin, **next});
      fetched.answered.add(left);
      return fetched;
    }
    if (*next && **next > left.begin) {
      silence.learn({left.begin, **next});
      fetched.answered.add({left.begin, **next});
      left.begin = **next;
    }
    if (!*next && !trades()) {
      silence.learn_end(left.begin);
      return fetched;
    }
    if (++contradictions >= kContradictions) {
      fetched.unanswered.push_back(
          {left, *next ? contradicts_itself(rest, target, left) : nothing_there(rest, target, left)});
      return fetched;
    }
  }
  return fetched;
}

candles::Klines rows_within(const candles::Klines& rows, const RangeSet& wanted) {
  candles::Klines within;
  std::size_t begin = 0;  // of the run of wanted rows that is being gathered
  for (std::size_t i = 0; i <= rows.size(); ++i) {
    if (i < rows.size() && wanted.contains(from_ms(rows.open_time[i]))) continue;
    within.append(rows, begin, i);
    begin = i + 1;
  }
  return within;
}

}  // namespace chandler::batch
