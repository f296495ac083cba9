#include "exchange/stream_client.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "base/log.hpp"
#include "net/web_socket.hpp"

namespace chandler::exchange {
namespace {

constexpr std::chrono::milliseconds kLook{20};
constexpr std::chrono::seconds kPing{15};
// The exchange takes five messages a second from a client.
constexpr std::chrono::milliseconds kBetweenRequests{250};
constexpr std::chrono::seconds kAnswerDeadline{15};

std::string subscribe_request(std::span<const std::string> streams, std::size_t id) {
  std::string text = R"({"method":"SUBSCRIBE","params":[)";
  for (std::size_t i = 0; i < streams.size(); ++i) {
    if (i > 0) text += ',';
    text += '"';
    text += streams[i];
    text += '"';
  }
  return text + fmt::format(R"(],"id":{}}})", id);
}

// An answer to a request, as opposed to an event, which begins with its stream or its kind.
bool is_answer(std::string_view message) {
  return !message.starts_with(R"({"stream")") && !message.starts_with(R"({"e")") &&
         message.find(R"("id")") != std::string_view::npos;
}

// {"result":null,"id":1}; anything else is a refusal.
bool is_consent(std::string_view answer) {
  simdjson::dom::parser parser;
  simdjson::dom::element result;
  return !parser.parse(answer.data(), answer.size())["result"].get(result) && result.is_null();
}

// One WebSocket and what has been heard on it.
class Link {
 public:
  static Result<std::unique_ptr<Link>> open(const StreamOptions& options, const StreamCallbacks& callbacks,
                                            std::stop_token stop) {
    auto link = std::unique_ptr<Link>(new Link);
    net::WebSocketClientOptions socket;
    socket.url = options.base_url + "/stream";
    socket.silence_limit = options.silence_limit;
    socket.ca_file = options.ca_file;
    net::WebSocketEvents events;
    events.on_message = [state = link->state_, &callbacks](const net::WebSocketPtr&, std::string_view text) {
      if (is_answer(text)) {
        if (!is_consent(text)) state->refused = true;
        state->answers.fetch_add(1);
      } else {
        callbacks.on_message(text);
      }
    };
    events.on_close = [state = link->state_](const net::WebSocketPtr&, const net::WebSocketClose& how) {
      spdlog::info("stream connection closed: {} {}", how.code, how.reason);
      state->closed = true;
    };
    CHANDLER_ASSIGN(link->client_, net::WebSocketClient::connect(std::move(socket), std::move(events), stop));
    return link;
  }

  Status subscribe(const StreamOptions& options, std::span<const std::string> streams, Clock& clock,
                   std::stop_token stop) {
    std::size_t requests = 0;
    for (std::size_t first = 0; first < streams.size(); first += options.streams_per_request) {
      if (requests > 0 && !clock.sleep(kBetweenRequests, stop)) break;
      const auto part = streams.subspan(first, std::min(options.streams_per_request, streams.size() - first));
      client_->session()->send(subscribe_request(part, ++requests));
    }
    const auto deadline = clock.steady() + kAnswerDeadline;
    while (state_->answers < requests) {
      if (stop.stop_requested()) return fail(ErrorCode::interrupted, "interrupted");
      if (state_->closed || clock.steady() > deadline) {
        return fail(ErrorCode::unreachable, "the exchange did not answer the subscription", options.base_url);
      }
      clock.sleep(kLook, stop);
    }
    if (state_->refused) {
      return fail(ErrorCode::usage, "the exchange refuses the subscription", options.base_url,
                  "check the symbols: `chandler backfill` names the ones it lists");
    }
    return {};
  }

  bool closed() const { return state_->closed; }
  void ping() { client_->session()->ping("chandler"); }
  void close() { client_->session()->close(1000, "bye"); }

 private:
  struct State {
    std::atomic<std::size_t> answers{0};
    std::atomic<bool> refused{false}, closed{false};
  };
  Link() = default;
  std::shared_ptr<State> state_ = std::make_shared<State>();
  std::unique_ptr<net::WebSocketClient> client_;
};

}  // namespace

std::string stream_name(std::string_view symbol, std::string_view channel) {
  std::string name(symbol);
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return fmt::format("{}@{}", name, channel);
}

bool AttemptLimit::wait(std::stop_token stop) {
  for (;;) {
    std::chrono::nanoseconds wait{0};
    {
      const std::lock_guard lock(mutex_);
      const auto now = clock_.steady();
      while (!attempts_.empty() && attempts_.front() <= now - window_) attempts_.pop_front();
      if (attempts_.size() < limit_) {
        attempts_.push_back(now);
        return !stop.stop_requested();
      }
      wait = attempts_.front() + window_ - now;
    }
    if (!clock_.sleep(wait, stop)) return false;
  }
}

struct StreamClient::Connection {
  std::vector<std::string> streams;
  std::chrono::milliseconds lifetime{0};
  bool ever = false;
};

StreamClient::StreamClient(StreamOptions options, StreamCallbacks callbacks, Clock& clock, Random random)
    : options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      clock_(clock),
      backoff_(options_.retry, random.split()),
      attempts_(clock) {
  for (std::size_t first = 0; first < options_.streams.size(); first += options_.streams_per_connection) {
    const std::size_t count = std::min(options_.streams_per_connection, options_.streams.size() - first);
    auto connection = std::make_unique<Connection>();
    const auto begin = options_.streams.begin() + static_cast<std::ptrdiff_t>(first);
    connection->streams.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
    // Up to a fortieth less, so that not all are replaced at once.
    connection->lifetime = std::chrono::milliseconds(static_cast<std::int64_t>(
        static_cast<double>(options_.lifetime.count()) * (1 - random.uniform() / 40)));
    connections_.push_back(std::move(connection));
  }
  waiting_ = connections_.size();
  for (auto& connection : connections_) {
    threads_.emplace_back([this, c = connection.get()](std::stop_token stop) { run(*c, stop); });
  }
}

StreamClient::~StreamClient() {
  for (auto& thread : threads_) thread.request_stop();
}

void StreamClient::run(Connection& connection, std::stop_token stop) {
  std::unique_ptr<Link> old;
  int failures = 0;
  const auto count = [this](auto member, std::ptrdiff_t open = 0) {
    const std::lock_guard lock(mutex_);
    ++(counters_.*member);
    counters_.open += static_cast<std::size_t>(open);
  };
  while (attempts_.wait(stop)) {
    auto link = Link::open(options_, callbacks_, stop);
    Status subscribed = link ? (*link)->subscribe(options_, connection.streams, clock_, stop)
                             : Status(std::unexpected(link.error()));
    if (!subscribed) {
      count(&StreamCounters::failures);
      {
        const std::lock_guard lock(mutex_);
        last_failure_ = subscribed.error();
      }
      if (!stop.stop_requested()) spdlog::info("stream connection failed: {}", to_text(subscribed.error()));
      if (old && old->closed()) {
        old.reset();
        count(&StreamCounters::disconnects, -1);
      }
      if (!clock_.sleep(backoff_.delay(failures++), stop)) break;
      continue;
    }
    failures = 0;
    const bool seamless = old && !old->closed();
    count(&StreamCounters::connects, old ? 0 : 1);
    callbacks_.on_subscribed(connection.streams, !seamless);
    if (!std::exchange(connection.ever, true)) {
      const std::lock_guard lock(mutex_);
      --waiting_;
      changed_.notify_all();
    }
    if (seamless) clock_.sleep(options_.overlap, stop);
    if (old) old->close();
    old = std::move(*link);

    const auto renew_at = clock_.steady() + connection.lifetime;
    auto ping_at = clock_.steady() + kPing;
    while (!old->closed() && clock_.steady() < renew_at && clock_.sleep(kLook, stop)) {
      if (clock_.steady() >= ping_at) {
        old->ping();
        ping_at = clock_.steady() + kPing;
      }
    }
    if (stop.stop_requested()) break;
    if (old->closed()) {
      old.reset();
      count(&StreamCounters::disconnects, -1);
      if (!clock_.sleep(backoff_.delay(0), stop)) break;
    } else {
      count(&StreamCounters::renewals);
    }
  }
}

Status StreamClient::wait_subscribed(std::chrono::milliseconds patience, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  if (changed_.wait_for(lock, stop, patience, [this] { return waiting_ == 0; })) return {};
  if (stop.stop_requested()) return fail(ErrorCode::interrupted, "interrupted");
  Error error = last_failure_;
  if (error.what.empty())
    error = {ErrorCode::unreachable, "the exchange's streams do not answer", options_.base_url, {}};
  if (error.remedy.empty()) error.remedy = "check the network, or name another exchange with --stream-url";
  return std::unexpected(std::move(error));
}

StreamCounters StreamClient::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

}  // namespace chandler::exchange
