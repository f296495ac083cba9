#include "sim/stream_hub.hpp"

#include <algorithm>

#include "sim/stream_requests.hpp"

namespace chandler::sim {
namespace {

constexpr Millis kAttemptsWindow{300'000};

std::shared_ptr<const std::string> in_envelope(std::string_view stream, std::string_view data) {
  std::string text;
  text.reserve(stream.size() + data.size() + 32);
  text.append(R"({"stream":")").append(stream).append(R"(","data":)").append(data).append("}");
  return std::make_shared<const std::string>(std::move(text));
}

}  // namespace

struct StreamHub::Connection {
  Connection(const StreamFaultOptions& options, std::uint64_t n) : number(n), faults(options, n) {}

  std::uint64_t number;
  Subscriptions subscriptions;
  net::WebSocketPtr session;  // set while open
  Instant opened{};
  Timestamp pinged{}, ponged{};
  std::deque<Timestamp> requests;  // of the last second
  StreamFaultPlan faults;
};

StreamHub::StreamHub(std::shared_ptr<const Market> market, StreamOptions options, const SimClock& clock)
    : market_(std::move(market)),
      options_(options),
      clock_(clock),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

StreamHub::~StreamHub() {
  stop();
}

void StreamHub::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void StreamHub::connect(const net::HttpRequest& request, net::Responder responder) {
  const Instant at = clock_.read();
  ConnectionPtr connection;
  std::int64_t retry_after = 0;
  {
    const std::lock_guard lock(mutex_);
    if (admit(request.peer, at.wall, retry_after)) {
      connection = std::make_shared<Connection>(options_.faults, next_number_++);
    } else {
      ++statistics_.refused;
    }
  }
  if (!connection) {
    auto refusal = net::HttpResponse::json(
        429,
        R"({"code":-1034,"msg":"Too many connection attempts from IP; current limit is 300 per '5 MINUTES'."})");
    refusal.add_header("Retry-After", std::to_string(retry_after));
    return responder.send(std::move(refusal));
  }
  connection->subscriptions = initial_subscriptions(request);
  responder.upgrade(events_of(connection));
}

net::WebSocketEvents StreamHub::events_of(const ConnectionPtr& connection) {
  net::WebSocketEvents events;
  events.on_open = [this, connection](const net::WebSocketPtr& session) {
    const std::lock_guard lock(mutex_);
    connection->session = session;
    opened(connection);
  };
  events.on_message = [this, connection](const net::WebSocketPtr&, std::string_view text) {
    const std::lock_guard lock(mutex_);
    asked(connection, text);
  };
  events.on_ping = [this, connection](const net::WebSocketPtr& session, std::string_view) {
    const std::lock_guard lock(mutex_);
    if (!within_rate(*connection, clock_.read().wall)) session->close(1008, "Too many requests");
  };
  events.on_pong = [this, connection](const net::WebSocketPtr&, std::string_view) {
    const std::lock_guard lock(mutex_);
    connection->ponged = clock_.read().wall;
  };
  events.on_close = [this, connection](const net::WebSocketPtr&, const net::WebSocketClose&) {
    const std::lock_guard lock(mutex_);
    left(connection);
  };
  return events;
}

bool StreamHub::admit(const std::string& peer, Timestamp wall, std::int64_t& retry_after) {
  auto& attempts = attempts_[peer];
  while (!attempts.empty() && attempts.front() <= wall - kAttemptsWindow) attempts.pop_front();
  if (static_cast<int>(attempts.size()) >= options_.connects_per_five_minutes) {
    const Millis left = attempts.front() + kAttemptsWindow - wall;
    retry_after = std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(left).count());
    return false;
  }
  attempts.push_back(wall);
  return true;
}

void StreamHub::opened(const ConnectionPtr& connection) {
  connection->opened = clock_.read();
  connection->pinged = connection->ponged = connection->opened.wall;
  connections_[connection->number] = connection;
  ++statistics_.connections;
  ++statistics_.open;
  if (connection->subscriptions.names.size() > kMostStreams) {
    return connection->session->close(1008, "Too many streams");
  }
  for (const std::string& name : connection->subscriptions.names) listen(connection, name);
}

void StreamHub::left(const ConnectionPtr& connection) {
  connection->session.reset();
  if (connections_.erase(connection->number) == 0) return;
  --statistics_.open;
  for (const std::string& name : connection->subscriptions.names) unlisten(connection, name);
}

bool StreamHub::within_rate(Connection& connection, Timestamp wall) const {
  auto& requests = connection.requests;
  while (!requests.empty() && requests.front() <= wall - std::chrono::seconds(1)) requests.pop_front();
  requests.push_back(wall);
  return static_cast<int>(requests.size()) <= options_.requests_per_second;
}

void StreamHub::asked(const ConnectionPtr& connection, std::string_view text) {
  if (!connection->session) return;
  if (!within_rate(*connection, clock_.read().wall))
    return connection->session->close(1008, "Too many requests");
  const std::set<std::string, std::less<>> before = connection->subscriptions.names;
  std::string answer = answer_stream_request(connection->subscriptions, text);
  const auto& after = connection->subscriptions.names;
  if (after.size() > kMostStreams) {
    connection->subscriptions.names = before;
    return connection->session->close(1008, "Too many streams");
  }
  for (const std::string& name : after) {
    if (!before.contains(name)) listen(connection, name);
  }
  for (const std::string& name : before) {
    if (!after.contains(name)) unlisten(connection, name);
  }
  connection->session->send(std::move(answer));  // last: who reads it may rely on it
}

void StreamHub::listen(const ConnectionPtr& connection, const std::string& name) {
  auto found = channels_.find(name);
  if (found == channels_.end()) {
    const auto parsed = parse_stream_name(name);
    if (!parsed) return;
    found = channels_.emplace(name, Channel{*parsed, clock_.now(), {}, {}}).first;
  }
  found->second.listeners.push_back(connection);
}

void StreamHub::unlisten(const ConnectionPtr& connection, const std::string& name) {
  const auto found = channels_.find(name);
  if (found == channels_.end()) return;
  std::erase(found->second.listeners, connection);
  if (found->second.listeners.empty()) channels_.erase(found);
}

void StreamHub::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    tick();
    wake_.wait_for(lock, stop, options_.tick, [] { return false; });
  }
}

void StreamHub::tick() {
  const Instant at = clock_.read();
  for (auto& [name, channel] : channels_) say(channel, name, at.now, at.wall);
  for (const auto& [number, connection] : connections_) keep_alive(*connection, at);
}

void StreamHub::say(Channel& channel, const std::string& name, Timestamp now, Timestamp wall) {
  if (now < channel.told) {  // the clock was set back
    channel.told = now;
  } else if (now < channel.quiet_until) {
    return;
  }
  for (const StreamEvent& event :
       stream_events(*market_, channel.name, options_.cadence, channel.told, now)) {
    StreamFaultPlan::Text raw, combined;
    for (const ConnectionPtr& connection : channel.listeners) {
      if (!connection->session) continue;
      auto& text = connection->subscriptions.combined ? combined : raw;
      if (!text) {
        text = connection->subscriptions.combined ? in_envelope(name, event.json)
                                                  : std::make_shared<const std::string>(event.json);
      }
      bool drop = false;
      for (const auto& leaving : connection->faults.pass(text, wall, statistics_, drop))
        send(*connection, leaving);
      if (drop) connection->session->drop();
    }
  }
  channel.told = now;
  channel.quiet_until = next_stream_event(channel.name, options_.cadence, now);
}

void StreamHub::keep_alive(Connection& connection, const Instant& at) {
  if (!connection.session) return;
  for (const auto& text : connection.faults.due(at.wall)) send(connection, text);
  if (at.now - connection.opened.now >= options_.life) {
    ++statistics_.closed_by_age;
    connection.opened.now = Timestamp::max() - options_.life;  // once is enough
    return connection.session->close(1001, "");
  }
  if (connection.pinged > connection.ponged && at.wall - connection.pinged >= options_.pong_within) {
    return connection.session->drop();
  }
  const bool answered = connection.ponged >= connection.pinged;
  if (answered && at.wall - connection.pinged >= options_.ping_every) {
    connection.pinged = at.wall;
    connection.session->ping(std::to_string(to_ms(at.wall)));
  }
}

void StreamHub::send(Connection& connection, const StreamFaultPlan::Text& text) {
  ++statistics_.messages;
  connection.session->send(text);
}

StreamStatistics StreamHub::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

void StreamHub::reset_statistics() {
  const std::lock_guard lock(mutex_);
  const auto open = statistics_.open;
  statistics_ = {};
  statistics_.open = open;
}

}  // namespace chandler::sim
