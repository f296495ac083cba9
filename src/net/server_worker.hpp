// Private to net/: one I/O thread of the HTTP server and what lives on it.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>

#include "net/http_server.hpp"

namespace chandler::net {

// Shared by all workers.
struct ServerState {
  HttpServerOptions options;
  HttpHandler handler;
  std::atomic<std::size_t> open{0};
  std::atomic<std::uint64_t> numbered{0};
  std::atomic<std::uint64_t> accepted{0}, refused{0}, requests{0}, malformed{0};
};

// Something on a worker's thread that must end when the server stops or its time is up.
class Resident {
 public:
  virtual ~Resident() = default;
  // On the worker's thread, a few times a second; `now` is steady time.
  virtual void check_deadline(std::chrono::steady_clock::time_point now) = 0;
  // On the worker's thread: end now. Must call Worker::forget.
  virtual void shut() = 0;
};

// Kept alive by its residents, so that a late answer never meets a dead io_context.
class Worker : public std::enable_shared_from_this<Worker> {
 public:
  explicit Worker(std::shared_ptr<ServerState> state);

  boost::asio::io_context& io() { return io_; }
  ServerState& state() { return *state_; }
  // "Date: …\r\nServer: …\r\n", at most a tick old. On the worker's thread only.
  const std::string& date_header() const { return date_header_; }
  std::chrono::steady_clock::time_point now() const { return now_; }

  // On the worker's thread only.
  void keep(std::shared_ptr<Resident> resident);
  void forget(Resident* resident);

  void run();
  // From any other thread: ends every resident and joins.
  void stop();

 private:
  void tick();

  std::shared_ptr<ServerState> state_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{io_.get_executor()};
  boost::asio::steady_timer ticker_{io_};
  std::unordered_map<Resident*, std::shared_ptr<Resident>> residents_;
  std::string date_header_;
  std::chrono::steady_clock::time_point now_;
  std::int64_t date_second_ = -1;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace chandler::net
