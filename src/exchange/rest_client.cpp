#include "exchange/rest_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/percent_code.hpp"
#include "exchange/http_error.hpp"
#include "exchange/retry_after.hpp"

namespace chandler::exchange {
namespace {

using std::chrono::nanoseconds;

// Request weights of Binance's spot REST documentation.
constexpr int kTimeWeight = 1;
constexpr int kExchangeInfoWeight = 20;
constexpr int kKlinesWeight = 2;

constexpr int kInvalidSymbol = -1121;
constexpr int kIllegalCharacters = -1100;
constexpr int kTooManyRequests = -1003;
// "General server or network issues" of Binance's error list: the same request may succeed later.
constexpr std::array kPassing = {-1000, -1001, -1006, -1007, -1008, -1016, -1034};

constexpr Service kService{"the exchange", "--rest-url"};

}  // namespace

struct RestClient::Question {
  std::string url;
  int weight = 1;
  std::string about;   // what was asked for, for errors
  std::string symbol;  // empty where there is none
};

RestClient::RestClient(RestOptions options, http::Transport& transport, WeightBudget& budget, Clock& clock,
                       Random random)
    : options_(std::move(options)),
      transport_(transport),
      budget_(budget),
      clock_(clock),
      backoff_(options_.retry, random),
      exchange_clock_(clock) {
  while (options_.base_url.ends_with('/')) options_.base_url.pop_back();
}

// As soon as the headers are in, so that other threads learn of it before the body is.
void RestClient::heed(const http::Head& head) {
  const auto used = parse_count(head.header("x-mbx-used-weight-1m"));
  if (used) budget_.observe(*used);
  if (const auto wait = wait_told_by(head, options_.retry, clock_.now())) {
    budget_.told_to_wait(*wait);
    ++told_to_wait_;
  }
}

namespace {

Error from_api(const ApiError& api, const std::string& symbol) {
  const bool about_symbol = api.code == kInvalidSymbol ||
                            (api.code == kIllegalCharacters && api.msg.find("symbol") != std::string::npos);
  if (about_symbol && !symbol.empty()) {
    return {ErrorCode::not_found,
            fmt::format("the exchange does not list the symbol '{}'", symbol),
            {},
            "check the spelling, e.g. BTCUSDT"};
  }
  return {ErrorCode::usage,
          fmt::format("the exchange refuses the request: {} ({})", api.msg, api.code),
          {},
          "this address may speak another version of the API; check --rest-url"};
}

}  // namespace

// Sends one request within the budget. A request that is held back has not been sent, and queues again.
std::expected<http::Reply, Tried<std::string>> RestClient::send(const Question& question, const Call& call) {
  while (true) {
    auto permit = budget_.acquire(question.weight, call);
    if (!permit) return std::unexpected(Tried<std::string>{std::unexpected(std::move(permit).error())});
    http::Request request;
    request.url = question.url;
    request.timeout = std::min<nanoseconds>(options_.retry.request_timeout, call.deadline - clock_.steady());
    request.stop = call.stop;
    request.may_send = [&] {
      const bool may = permit->may_send();
      if (may) ++requests_;
      return may;
    };
    request.on_head = [this](const http::Head& head) { heed(head); };
    auto reply = transport_.send(request);
    if (reply) return std::move(*reply);
    const http::Failure& failure = reply.error();
    if (failure.kind == http::Failure::Kind::held_back) continue;
    return std::unexpected(
        Tried<std::string>{std::unexpected(error_of(failure, kService)), may_pass(failure.kind)});
  }
}

// The body of a 200, or why there is none.
Tried<std::string> RestClient::attempt(const Question& question, const Call& call) {
  auto reply = send(question, call);
  if (!reply) return std::move(reply).error();
  bytes_ += static_cast<std::int64_t>(reply->body.size());
  const int status = reply->status;
  if (status == 200) return {std::move(reply->body)};
  const auto error = [](Error e, bool again) {
    return Tried<std::string>{std::unexpected(std::move(e)), again};
  };
  const bool limited = status == 429 || status == 418;
  if (status >= 400 && status < 500 && !limited) {
    if (const auto api = parse_error(reply->body)) {
      if (api->code == kTooManyRequests) budget_.told_to_wait(options_.retry.wait_after_429);
      const bool passing =
          api->code == kTooManyRequests || std::ranges::find(kPassing, api->code) != kPassing.end();
      return error(from_api(*api, question.symbol), passing);
    }
    if (status == 404) {
      return error({ErrorCode::unreachable,
                    "there is no exchange API at this address (HTTP 404)",
                    {},
                    "check --rest-url"},
                   false);
    }
  }
  return error(error_of_status(status, kService), status != 451);
}

// Asks until the parsed answer is accepted, a failure is final, or attempts or time are used up.
template <class T, class Parse>
Result<T> RestClient::ask(const Question& question, const Call& call, Parse&& parse) {
  bool first = true;
  auto answer = try_again<T>(options_.retry, backoff_, clock_, call, [&]() -> Tried<T> {
    if (!std::exchange(first, false)) ++retries_;
    Tried<std::string> body = attempt(question, call);
    if (!body.result) return {std::unexpected(std::move(body.result).error()), body.again};
    Result<T> parsed = parse(std::string_view(*body.result));
    if (parsed) return {std::move(parsed)};
    Error& error = parsed.error();
    if (!error.where.empty()) error.what += " at " + error.where;
    error.remedy = kLaterRemedy;
    return {std::move(parsed), true};
  });
  if (!answer) answer.error().where = fmt::format("{} ({})", question.url, question.about);
  return answer;
}

Result<Timestamp> RestClient::server_time(const Call& call) {
  const Question question{options_.base_url + "/api/v3/time", kTimeWeight, "the exchange's clock", {}};
  CHANDLER_ASSIGN(const Timestamp time, ask<Timestamp>(question, call, parse_server_time));
  exchange_clock_.learn(time, clock_.steady());
  return time;
}

Result<ExchangeInfo> RestClient::exchange_info(const Call& call) {
  const Question question{
      options_.base_url + "/api/v3/exchangeInfo", kExchangeInfoWeight, "the exchange's symbols", {}};
  CHANDLER_ASSIGN(ExchangeInfo info, ask<ExchangeInfo>(question, call, parse_exchange_info));
  budget_.set_limit(info.weight_per_minute);
  return info;
}

namespace {

// What cannot be an answer to the question is no answer, whatever its shape.
Status check_page(const KlinePage& page, TimeRange range, int limit) {
  const auto& open_time = page.rows.open_time;
  if (open_time.size() > static_cast<std::size_t>(limit)) {
    return fail(
        ErrorCode::invalid_data,
        fmt::format("the exchange sent {} klines where at most {} were asked for", open_time.size(), limit));
  }
  for (const std::int64_t t : open_time) {
    if (!range.contains(from_ms(t))) {
      return fail(ErrorCode::invalid_data,
                  "the exchange sent a kline outside what was asked for: " + format_instant(from_ms(t)));
    }
  }
  if (!candles::is_sorted_unique(open_time))
    return fail(ErrorCode::invalid_data, "the exchange sent klines out of order");
  return {};
}

constexpr Timestamp kEndOfTime = from_ms(253'402'300'800'000);  // the year 10000

}  // namespace

Result<KlinePage> RestClient::kline_page(std::string_view symbol, candles::Interval interval, TimeRange range,
                                         int limit, const Call& call) {
  Question question;
  question.url = fmt::format("{}/api/v3/klines?symbol={}&interval={}&startTime={}", options_.base_url,
                             percent_encode(symbol), candles::name(interval), to_ms(range.begin));
  // endTime is inclusive.
  if (range.end < kEndOfTime) question.url += fmt::format("&endTime={}", to_ms(range.end) - 1);
  question.url += fmt::format("&limit={}", limit);
  question.weight = kKlinesWeight;
  question.about =
      range.end < kEndOfTime
          ? fmt::format("{} {}, {}", symbol, candles::name(interval), format_range(range))
          : fmt::format("{} {} from {}", symbol, candles::name(interval), format_minute(range.begin));
  question.symbol = symbol;
  return ask<KlinePage>(question, call, [&](std::string_view body) -> Result<KlinePage> {
    CHANDLER_ASSIGN(KlinePage page, parse_klines(body));
    CHANDLER_TRY(check_page(page, range, limit));
    return page;
  });
}

Result<KlinePage> RestClient::klines(std::string_view symbol, candles::Interval interval, TimeRange range,
                                     int limit, const Call& call) {
  if (range.empty()) return KlinePage{};
  if (limit < 1 || limit > kMaxKlinesPerPage) {
    return fail(ErrorCode::internal, fmt::format("a page of {} klines was asked for", limit));
  }
  return kline_page(symbol, interval, range, limit, call);
}

Result<std::optional<Timestamp>> RestClient::first_kline_at_or_after(std::string_view symbol,
                                                                     candles::Interval interval, Timestamp t,
                                                                     const Call& call) {
  CHANDLER_ASSIGN(const KlinePage page, kline_page(symbol, interval, {t, kEndOfTime}, 1, call));
  if (page.rows.empty()) return std::nullopt;
  return from_ms(page.rows.open_time.front());
}

RestCounters RestClient::counters() const {
  return {requests_.load(), retries_.load(), told_to_wait_.load(), bytes_.load()};
}

}  // namespace chandler::exchange
