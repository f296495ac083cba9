// Binance's public REST API. Every call keeps the weight budget, is tried again when that can help, and ends:
// with a value, or with an error that names the URL, what was asked for and what to do.
//
// Errors: unreachable (no connection, server errors, told to wait beyond the deadline), invalid_data (answers
// that are not what they should be, attempt after attempt), not_found (the symbol does not exist), usage (the
// exchange refuses the request), interrupted (stop token).
#pragma once

#include <atomic>
#include <optional>

#include "exchange/backoff.hpp"
#include "exchange/exchange_clock.hpp"
#include "exchange/payload.hpp"
#include "exchange/weight_budget.hpp"
#include "http/transport.hpp"

namespace chandler::exchange {

inline constexpr std::string_view kDefaultRestUrl = "https://api.binance.com";
inline constexpr int kMaxKlinesPerPage = 1000;

struct RestOptions {
  std::string base_url{kDefaultRestUrl};
  RetryPolicy retry{};
};

// What the client did, for summaries.
struct RestCounters {
  std::int64_t requests = 0;      // sent, repeats included
  std::int64_t retries = 0;       // sent because the one before failed
  std::int64_t told_to_wait = 0;  // 429 and 418
  std::int64_t bytes = 0;         // of bodies
};

// Thread safe; holds references only, all of which must outlive it.
class RestClient {
 public:
  RestClient(RestOptions options, http::Transport& transport, WeightBudget& budget, Clock& clock,
             Random random);

  // Also teaches exchange_clock().
  Result<Timestamp> server_time(const Call& call = {});
  // Also sets the budget's limit.
  Result<ExchangeInfo> exchange_info(const Call& call = {});

  // The candles whose open time lies in the half-open range, the oldest `limit` (1…1000) of them. All rows
  // are inside the range, in order and unique. An empty page means that the exchange has none there; a page
  // of exactly `limit` rows may be followed by more. The candle that is still open is included if the range
  // reaches it.
  Result<KlinePage> klines(std::string_view symbol, candles::Interval interval, TimeRange range,
                           int limit = kMaxKlinesPerPage, const Call& call = {});

  // Open time of the first candle at or after t; nullopt if there is none.
  Result<std::optional<Timestamp>> first_kline_at_or_after(std::string_view symbol,
                                                           candles::Interval interval, Timestamp t,
                                                           const Call& call = {});

  const ExchangeClock& exchange_clock() const { return exchange_clock_; }
  WeightBudget& budget() { return budget_; }
  RestCounters counters() const;
  const std::string& base_url() const { return options_.base_url; }

 private:
  struct Question;
  template <class T, class Parse>
  Result<T> ask(const Question& question, const Call& call, Parse&& parse);
  std::expected<http::Reply, Tried<std::string>> send(const Question& question, const Call& call);
  Tried<std::string> attempt(const Question& question, const Call& call);
  void heed(const http::Head& head);
  Result<KlinePage> kline_page(std::string_view symbol, candles::Interval interval, TimeRange range,
                               int limit, const Call& call);

  RestOptions options_;
  http::Transport& transport_;
  WeightBudget& budget_;
  Clock& clock_;
  Backoff backoff_;
  ExchangeClock exchange_clock_;
  std::atomic<std::int64_t> requests_{0}, retries_{0}, told_to_wait_{0}, bytes_{0};
};

}  // namespace chandler::exchange
