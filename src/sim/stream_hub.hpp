// The stream side of the look-alike exchange: connections, who listens to what, and a thread that says it.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "net/http_server.hpp"
#include "sim/market.hpp"
#include "sim/sim_clock.hpp"
#include "sim/statistics.hpp"
#include "sim/stream_events.hpp"
#include "sim/stream_faults.hpp"

namespace chandler::sim {

// Market time runs at the clock's speed, wall time does not.
struct StreamOptions {
  StreamCadence cadence;                // market time
  Millis life = kDay;                   // market time after which a connection is cut
  Millis ping_every{20'000};            // wall time
  Millis pong_within{60'000};           // wall time after an unanswered ping
  int connects_per_five_minutes = 300;  // of one address, wall time; more are answered 429
  int requests_per_second = 5;          // of one connection, wall time; more end it
  Millis tick{20};                      // wall time between two looks at the clock
  StreamFaultOptions faults;
};

class StreamHub {
 public:
  // `clock` outlives the hub.
  StreamHub(std::shared_ptr<const Market> market, StreamOptions options, const SimClock& clock);
  ~StreamHub();

  // A request whose path is_stream_path. From any I/O thread.
  void connect(const net::HttpRequest& request, net::Responder responder);
  StreamStatistics statistics() const;
  void reset_statistics();
  void stop();

 private:
  struct Connection;
  using ConnectionPtr = std::shared_ptr<Connection>;
  // One stream that somebody listens to.
  struct Channel {
    StreamName name;
    Timestamp told;         // everything up to here has been said
    Timestamp quiet_until;  // and there is nothing to say before this
    std::vector<ConnectionPtr> listeners;
  };

  net::WebSocketEvents events_of(const ConnectionPtr& connection);
  bool admit(const std::string& peer, Timestamp wall, std::int64_t& retry_after);
  void opened(const ConnectionPtr& connection);
  void asked(const ConnectionPtr& connection, std::string_view text);
  void left(const ConnectionPtr& connection);
  void listen(const ConnectionPtr& connection, const std::string& name);
  void unlisten(const ConnectionPtr& connection, const std::string& name);
  bool within_rate(Connection& connection, Timestamp wall) const;
  void run(const std::stop_token& stop);
  void tick();
  void say(Channel& channel, const std::string& name, Timestamp now, Timestamp wall);
  void keep_alive(Connection& connection, const Instant& at);
  void send(Connection& connection, const StreamFaultPlan::Text& text);

  std::shared_ptr<const Market> market_;
  StreamOptions options_;
  const SimClock& clock_;
  mutable std::mutex mutex_;  // guards what follows
  std::map<std::string, Channel, std::less<>> channels_;
  std::map<std::uint64_t, ConnectionPtr> connections_;
  std::map<std::string, std::deque<Timestamp>, std::less<>> attempts_;
  std::uint64_t next_number_ = 0;
  StreamStatistics statistics_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace chandler::sim
