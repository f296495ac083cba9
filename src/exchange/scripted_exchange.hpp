// For tests only: a Transport whose answers are computed, that sees to it that clients keep the rules, and a
// few answers in the shapes of the real exchange.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <fstream>
#include <functional>
#include <iterator>
#include <mutex>

#include "base/clock.hpp"
#include "http/transport.hpp"

namespace chandler::exchange::testing {

struct Sent {
  std::string url;
  std::chrono::nanoseconds at;
};

// Answers come from the script, one per request, then from `otherwise`. Everything about one request happens
// under one lock, so "sent while told to wait" has one meaning whatever the threads do.
class ScriptedExchange final : public http::Transport {
 public:
  using Answer = std::expected<http::Reply, http::Failure>;
  using Compute = std::function<Answer(const http::Request&)>;

  ScriptedExchange(Clock& clock, Compute otherwise) : clock_(clock), otherwise_(std::move(otherwise)) {}

  void then(Compute answer) { script_.push_back(std::move(answer)); }
  void then(Answer answer) {
    script_.push_back([answer](const http::Request&) { return answer; });
  }

  Answer send(const http::Request& request) override {
    const std::lock_guard lock(mutex_);
    if (before_send) before_send();
    if (request.stop.stop_requested())
      return std::unexpected(http::Failure{http::Failure::Kind::cancelled, "cancelled"});
    if (request.may_send && !request.may_send())
      return std::unexpected(http::Failure{http::Failure::Kind::held_back, "held back"});
    const auto now = clock_.steady();
    if (now < quiet_until_) ++sent_while_told_to_wait;
    sent.push_back({request.url, now});
    Compute answer = otherwise_;
    if (!script_.empty()) {
      answer = std::move(script_.front());
      script_.pop_front();
    }
    Answer reply = answer(request);
    const auto answered = clock_.steady();  // before the client hears of it: other threads move the clock
    if (reply && request.on_head) request.on_head(*reply);
    if (reply && (reply->status == 429 || reply->status == 418)) {
      if (const auto wait = reply->header("retry-after"); !wait.empty())
        quiet_until_ = std::max(quiet_until_, answered + std::chrono::seconds(std::stoi(std::string(wait))));
    }
    return reply;
  }

  std::vector<Sent> sent;
  int sent_while_told_to_wait = 0;
  std::function<void()> before_send;  // between the client's decision to send and its last look

 private:
  Clock& clock_;
  Compute otherwise_;
  std::deque<Compute> script_;
  std::mutex mutex_;
  std::chrono::nanoseconds quiet_until_{std::chrono::nanoseconds::min()};
};

inline http::Reply reply(int status, std::string body,
                         std::vector<std::pair<std::string, std::string>> headers = {}) {
  http::Reply r;
  r.status = status;
  r.headers = std::move(headers);
  r.body = std::move(body);
  return r;
}

inline std::unexpected<http::Failure> failure(http::Failure::Kind kind) {
  return std::unexpected(http::Failure{kind, "scripted"});
}

inline std::string recorded(const std::string& name) {
  std::ifstream file(std::string(CHANDLER_SOURCE_DIR) + "/tests/data/exchange/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// One kline as the exchange writes it, all values derived from its open time.
inline std::string kline_json(std::int64_t open_time, std::int64_t length = kMinuteMs) {
  const double price = 100 + static_cast<double>(open_time / kMinuteMs % 1000) / 8;
  return fmt::format(
      R"([{},"{:.8f}","{:.8f}","{:.8f}","{:.8f}","1.50000000",{},"150.00000000",7,"0.50000000","50.00000000","0"])",
      open_time, price, price + 2, price - 2, price + 1, open_time + length - 1);
}

// The value of a query parameter, or empty.
inline std::string parameter(const std::string& url, const std::string& name) {
  for (const char separator : {'?', '&'}) {
    const std::string key = separator + name + "=";
    if (const auto at = url.find(key); at != std::string::npos)
      return url.substr(at + key.size(), url.find('&', at + key.size()) - at - key.size());
  }
  return {};
}

// What an honest exchange with every minute answers to a klines request.
inline http::Reply minutes_for(const http::Request& request) {
  const auto start = std::stoll(parameter(request.url, "startTime"));
  const std::string end_text = parameter(request.url, "endTime");
  const auto end = end_text.empty() ? start + 1000 * kMinuteMs : std::stoll(end_text);
  const auto limit = std::stoll(parameter(request.url, "limit"));
  std::string body = "[";
  std::int64_t rows = 0;
  for (std::int64_t t = (start + kMinuteMs - 1) / kMinuteMs * kMinuteMs; t <= end && rows < limit;
       t += kMinuteMs) {
    body += (rows++ == 0 ? "" : ",") + kline_json(t);
  }
  return reply(200, body + "]");
}

}  // namespace chandler::exchange::testing
