// Work that may bring more work: a queue of tasks, taken in order by several threads.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace chandler {

template <class Task>
class WorkQueue {
 public:
  explicit WorkQueue(std::vector<Task> tasks)
      : tasks_(std::make_move_iterator(tasks.begin()), std::make_move_iterator(tasks.end())) {}

  // More work, to be done before what is still waiting. From inside run() only.
  void add_next(std::vector<Task> tasks) {
    const std::lock_guard lock(mutex_);
    tasks_.insert(tasks_.begin(), std::make_move_iterator(tasks.begin()),
                  std::make_move_iterator(tasks.end()));
    wake_.notify_all();
  }

  // Calls work(task) -> Status for every task, on up to `threads` threads (the calling one included), until
  // none is left and none that runs can add any. After a failure no task is begun; the first failure is
  // returned.
  template <class Work>
  Status run(std::size_t threads, Work&& work) {
    const auto serve = [&] {
      while (std::optional<Task> task = take()) finish(work(*task));
    };
    {
      std::vector<std::jthread> pool;
      for (std::size_t t = 1; t < threads; ++t) pool.emplace_back(serve);
      serve();
    }
    if (failure_) return std::unexpected(std::move(*failure_));
    return {};
  }

 private:
  std::optional<Task> take() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return failure_ || !tasks_.empty() || running_ == 0; });
    if (failure_ || tasks_.empty()) return std::nullopt;
    std::optional<Task> task(std::move(tasks_.front()));
    tasks_.pop_front();
    ++running_;
    return task;
  }

  void finish(Status status) {
    const std::lock_guard lock(mutex_);
    --running_;
    if (!status && !failure_) failure_ = std::move(status).error();
    if (running_ == 0 || failure_) wake_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  std::size_t running_ = 0;
  std::optional<Error> failure_;
};

}  // namespace chandler
