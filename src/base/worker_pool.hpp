// Threads that work off a queue, for pipelines whose pieces are not known beforehand (where they are,
// parallel_for is simpler).
#pragma once

#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <queue>
#include <thread>
#include <vector>

namespace chandler {

class WorkerPool {
 public:
  explicit WorkerPool(std::size_t threads) {
    for (std::size_t t = 0; t < threads; ++t)
      threads_.emplace_back([this](std::stop_token stop) { run(stop); });
  }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  // Work that has not been begun is dropped; what has been is finished.
  ~WorkerPool() {
    for (auto& thread : threads_) thread.request_stop();
    ready_.notify_all();
  }

  // Begun in order of submission. The work must not throw, and must not wait for other work of this pool.
  template <class F>
  auto submit(F work) -> std::future<decltype(work())> {
    auto task = std::make_shared<std::packaged_task<decltype(work())()>>(std::move(work));
    auto future = task->get_future();
    {
      const std::lock_guard lock(mutex_);
      queue_.emplace([task] { (*task)(); });
    }
    ready_.notify_one();
    return future;
  }

 private:
  void run(const std::stop_token& stop) {
    while (true) {
      std::function<void()> work;
      {
        std::unique_lock lock(mutex_);
        if (!ready_.wait(lock, stop, [this] { return !queue_.empty(); }) || stop.stop_requested()) return;
        work = std::move(queue_.front());
        queue_.pop();
      }
      work();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any ready_;
  std::queue<std::function<void()>> queue_;
  std::vector<std::jthread> threads_;  // last: joined before the rest goes
};

}  // namespace chandler
