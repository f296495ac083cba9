// One thread for what takes too long for an I/O thread; first in, first out.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace chandler::sim {

class Background {
 public:
  Background() : thread_([this](const std::stop_token& stop) { run(stop); }) {}

  // Thread safe. What has not begun when it is stopped is dropped.
  void post(std::move_only_function<void()> task) {
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    changed_.notify_one();
  }

  // Waits for the task at hand. Idempotent; not to be called from a task.
  void stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
    const std::lock_guard lock(mutex_);
    tasks_.clear();
  }

 private:
  void run(const std::stop_token& stop) {
    while (true) {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return !tasks_.empty(); })) return;
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      if (stop.stop_requested()) return;
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::move_only_function<void()>> tasks_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace chandler::sim
