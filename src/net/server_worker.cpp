#include "net/server_worker.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <array>
#include <boost/asio/post.hpp>
#include <vector>

#include "base/clock.hpp"

namespace chandler::net {
namespace {

constexpr std::chrono::milliseconds kTick{250};

// IMF-fixdate, RFC 9110 §5.6.7.
std::string http_date(Timestamp t) {
  static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const Day day = day_of(t);
  const std::chrono::year_month_day ymd{day};
  const auto seconds = (t - begin_of(day)).count() / 1000;
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     kDays[std::chrono::weekday{day}.c_encoding()], static_cast<unsigned>(ymd.day()),
                     kMonths[static_cast<unsigned>(ymd.month()) - 1], static_cast<int>(ymd.year()),
                     seconds / 3600, seconds / 60 % 60, seconds % 60);
}

}  // namespace

Worker::Worker(std::shared_ptr<ServerState> state) : state_(std::move(state)) {
  tick();
}

void Worker::keep(std::shared_ptr<Resident> resident) {
  Resident* key = resident.get();
  if (stopping_) {
    residents_.emplace(key, std::move(resident));
    key->shut();
    return;
  }
  residents_.emplace(key, std::move(resident));
}

void Worker::forget(Resident* resident) {
  residents_.erase(resident);
}

void Worker::run() {
  thread_ = std::thread([this] {
    // sendfile to a client that has left raises it, and knows no MSG_NOSIGNAL.
    sigset_t broken_pipe;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
    io_.run();
  });
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  boost::asio::post(io_, [this] {
    stopping_ = true;
    ticker_.cancel();
    std::vector<std::shared_ptr<Resident>> ending;
    for (const auto& [key, resident] : residents_) ending.push_back(resident);
    for (const auto& resident : ending) resident->shut();
    guard_.reset();
  });
  thread_.join();
  // What was posted while the thread ended holds residents, and they hold this worker: run it so that they
  // let go.
  io_.restart();
  io_.poll();
}

void Worker::tick() {
  now_ = std::chrono::steady_clock::now();
  const Timestamp wall = SystemClock{}.now();
  if (const auto second = to_ms(wall) / 1000; second != date_second_) {
    date_second_ = second;
    date_header_ = "Date: " + http_date(wall) + "\r\nServer: " + state_->options.server_name + "\r\n";
  }
  std::vector<std::shared_ptr<Resident>> present;
  present.reserve(residents_.size());
  for (const auto& [key, resident] : residents_) present.push_back(resident);
  for (const auto& resident : present) resident->check_deadline(now_);
  if (stopping_) return;
  ticker_.expires_after(kTick);
  ticker_.async_wait([this](const boost::system::error_code& ec) {
    if (!ec) tick();
  });
}

}  // namespace chandler::net
