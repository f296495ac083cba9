// A few threads for what may block, so that the threads that talk to clients never do.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace chandler::web {

class WorkPool {
 public:
  WorkPool(std::size_t threads, std::size_t max_waiting);
  ~WorkPool() { stop(); }
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;

  // False, and the work is dropped, where too much waits already.
  bool submit(std::function<void()> work);
  std::size_t waiting() const;
  // Work that has begun is finished, work that waits is dropped. Idempotent.
  void stop();

 private:
  void run();

  std::size_t max_waiting_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace chandler::web
