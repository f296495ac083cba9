#include "base/work_queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>

namespace chandler {
namespace {

TEST(WorkQueue, DoesEveryTaskOnceIncludingTheAddedOnes) {
  std::vector<int> tasks(50, 6);
  WorkQueue<int> queue(tasks);
  std::atomic<int> done{0};
  // A task of size n brings two of size n - 1: 2^(n+1) - 1 tasks each.
  const Status status = queue.run(4, [&](int n) -> Status {
    ++done;
    if (n > 0) queue.add_next({n - 1, n - 1});
    return {};
  });
  EXPECT_TRUE(status);
  EXPECT_EQ(done, 50 * 127);
}

TEST(WorkQueue, OneThreadTakesAddedTasksBeforeTheWaitingOnes) {
  WorkQueue<int> queue({1, 2, 3});
  std::vector<int> order;
  ASSERT_TRUE(queue.run(1, [&](int n) -> Status {
    order.push_back(n);
    if (n == 1) queue.add_next({11, 12});
    return {};
  }));
  EXPECT_EQ(order, (std::vector{1, 11, 12, 2, 3}));
}

TEST(WorkQueue, BeginsNothingAfterAFailure) {
  std::vector<int> tasks(1000);
  std::iota(tasks.begin(), tasks.end(), 0);
  WorkQueue<int> queue(tasks);
  std::atomic<int> begun{0};
  const Status status = queue.run(3, [&](int n) -> Status {
    ++begun;
    if (n == 10) return fail(ErrorCode::internal, "ten");
    return {};
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().what, "ten");
  EXPECT_LT(begun, 1000);
}

TEST(WorkQueue, AnEmptyQueueIsDone) {
  WorkQueue<int> queue({});
  EXPECT_TRUE(queue.run(4, [](int) -> Status { return {}; }));
}

}  // namespace
}  // namespace chandler
