#include "exchange/rest_client.hpp"

#include <fmt/format.h>

#include <array>

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

constexpr const char* kNetworkRemedy =
    "check the network and the proxy settings (http_proxy, https_proxy), or name another address with "
    "--rest-url";
constexpr const char* kLaterRemedy = "try again later; what was fetched is kept and is not fetched again";

}  // namespace

struct RestClient::Question {
  std::string url;
  int weight = 1;
  std::string about;   // what was asked for, for errors
  std::string symbol;  // empty where there is none
};

struct RestClient::Outcome {
  enum class Kind { answered, again, failed };
  Kind kind = Kind::answered;
  Error error;
};

RestClient::RestClient(RestOptions options, Transport& transport, WeightBudget& budget, Clock& clock,
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
void RestClient::heed(const HttpHead& head) {
  const auto used = parse_count(head.header("x-mbx-used-weight-1m"));
  if (used) budget_.observe(*used);
  if (const auto wait = wait_told_by(head, options_.retry, clock_.now())) {
    budget_.told_to_wait(*wait);
    ++told_to_wait_;
  }
}

namespace {

Error from_failure(const HttpFailure& failure) {
  using Kind = HttpFailure::Kind;
  switch (failure.kind) {
    case Kind::cancelled:
      return {ErrorCode::interrupted, "the request was cancelled", {}, {}};
    case Kind::too_large:
      return {ErrorCode::invalid_data, failure.text, {}, kLaterRemedy};
    case Kind::refused:
      return {ErrorCode::unreachable,
              "the exchange cannot be reached: " + failure.text,
              {},
              "check the address (--rest-url), and SSL_CERT_FILE where a proxy re-signs the traffic"};
    default:
      return {ErrorCode::unreachable, "the exchange cannot be reached: " + failure.text, {}, kNetworkRemedy};
  }
}

bool is_passing(HttpFailure::Kind kind) {
  using Kind = HttpFailure::Kind;
  return kind == Kind::timeout || kind == Kind::unreachable || kind == Kind::broken ||
         kind == Kind::too_large;
}

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

RestClient::Outcome RestClient::attempt(const Question& question, const Call& call, std::string& body) {
  using Kind = Outcome::Kind;
  std::expected<HttpReply, HttpFailure> reply;
  do {
    auto permit = budget_.acquire(question.weight, call);
    if (!permit) return {Kind::failed, std::move(permit).error()};
    HttpRequest request;
    request.url = question.url;
    request.timeout = std::min<nanoseconds>(options_.retry.request_timeout, call.deadline - clock_.steady());
    request.stop = call.stop;
    request.may_send = [&] {
      const bool may = permit->may_send();
      if (may) ++requests_;
      return may;
    };
    request.on_head = [this](const HttpHead& head) { heed(head); };
    reply = transport_.get(request);
  } while (!reply && reply.error().kind == HttpFailure::Kind::held_back);

  if (!reply)
    return {is_passing(reply.error().kind) ? Kind::again : Kind::failed, from_failure(reply.error())};
  bytes_ += static_cast<std::int64_t>(reply->body.size());
  body = std::move(reply->body);
  const int status = reply->status;
  if (status == 200) return {};
  if (status == 429 || status == 418) {
    return {Kind::again,
            {ErrorCode::unreachable,
             fmt::format("the exchange's request limit is spent (HTTP {})", status),
             {},
             "wait, or stop other programs that use the exchange from this address"}};
  }
  if (status == 451) {
    return {Kind::failed,
            {ErrorCode::unreachable,
             "the exchange does not serve this location (HTTP 451)",
             {},
             "name another address, e.g. --rest-url https://data-api.binance.vision, or use a proxy"}};
  }
  if (status >= 400 && status < 500) {
    if (const auto api = parse_error(body)) {
      if (api->code == kTooManyRequests) budget_.told_to_wait(options_.retry.wait_after_429);
      const bool passing =
          api->code == kTooManyRequests || std::ranges::find(kPassing, api->code) != kPassing.end();
      return {passing ? Kind::again : Kind::failed, from_api(*api, question.symbol)};
    }
    if (status == 404) {
      return {Kind::failed,
              {ErrorCode::unreachable,
               "there is no exchange API at this address (HTTP 404)",
               {},
               "check --rest-url"}};
    }
  }
  return {Kind::again,
          {ErrorCode::unreachable, fmt::format("the exchange answers HTTP {}", status), {}, kLaterRemedy}};
}

// Asks until the parsed answer is accepted, a failure is final, or attempts or time are used up.
template <class T, class Parse>
Result<T> RestClient::ask(const Question& question, const Call& call, Parse&& parse) {
  const auto located = [&](Error error) {
    error.where =
        question.about.empty() ? question.url : fmt::format("{} ({})", question.url, question.about);
    return std::unexpected(std::move(error));
  };
  Error last;
  for (int failures = 0; failures < options_.retry.attempts; ++failures) {
    if (failures > 0) {
      const nanoseconds delay = backoff_.delay(failures - 1);
      if (delay >= call.deadline - clock_.steady()) {
        last.what += ", and the deadline leaves no time to try again";
        return located(std::move(last));
      }
      if (!clock_.sleep(delay, call.stop))
        return located({ErrorCode::interrupted, "the request was cancelled", {}, {}});
      ++retries_;
    }
    std::string body;
    Outcome outcome = attempt(question, call, body);
    if (outcome.kind == Outcome::Kind::failed) return located(std::move(outcome.error));
    if (outcome.kind == Outcome::Kind::again) {
      last = std::move(outcome.error);
      continue;
    }
    Result<T> answer = parse(std::string_view(body));
    if (answer) return answer;
    last = std::move(answer).error();
    if (!last.where.empty()) last.what += " at " + last.where;
    last.remedy = kLaterRemedy;
  }
  last.what += fmt::format(", {} times in a row", options_.retry.attempts);
  return located(std::move(last));
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
