#include "base/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace chandler {

std::size_t core_count() {
  if (const char* text = std::getenv("CHANDLER_THREADS")) {
    std::size_t threads = 0;
    std::from_chars(text, text + std::strlen(text), threads);
    if (threads > 0 && threads <= 1024) return threads;
  }
  return std::max(1U, std::thread::hardware_concurrency());
}

Status parallel_for(std::size_t count, std::size_t threads, const std::function<Status(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::optional<std::pair<std::size_t, Error>> first;

  const auto run = [&] {
    while (!failed.load(std::memory_order_relaxed)) {
      const std::size_t i = next.fetch_add(1, std::memory_order_relaxed);
      if (i >= count) return;
      if (Status status = work(i); !status) {
        const std::lock_guard lock(mutex);
        if (!first || i < first->first) first.emplace(i, std::move(status).error());
        failed.store(true, std::memory_order_relaxed);
      }
    }
  };
  {
    std::vector<std::jthread> pool;
    for (std::size_t t = 1; t < std::min(threads, count); ++t) pool.emplace_back(run);
    run();
  }
  if (first) return std::unexpected(std::move(first->second));
  return {};
}

}  // namespace chandler
