// The lock of a lake in an object store: an object that only one writer can create (a conditional PUT), with
// a lease. Its holder writes it again before the lease runs out; one that was killed stops doing so, and
// after the lease the lock can be taken by whoever replaces exactly the object that was seen to be old. The
// age is measured by the store's clock. A process of this machine that is gone is known at once.
//
// A holder that could not renew in time must not write any more: it could be writing beside the next one.
// Held leases are therefore looked up before, and bound the time of, every write.
#pragma once

#include <array>
#include <atomic>
#include <limits>
#include <memory>
#include <stop_token>

#include "base/clock.hpp"
#include "lake/storage.hpp"
#include "s3/client.hpp"

namespace chandler::lake {

// Until when this program may write each group of tables (steady time). Thread safe.
class Leases {
 public:
  // Without a lock there is no limit: who writes without one is not kept from it here.
  static constexpr std::chrono::nanoseconds kNone = std::chrono::nanoseconds::max();

  std::chrono::nanoseconds until(TableGroup group) const {
    return std::chrono::nanoseconds(until_[static_cast<std::size_t>(group)].load());
  }
  void set(TableGroup group, std::chrono::nanoseconds until) {
    until_[static_cast<std::size_t>(group)].store(until.count());
  }

 private:
  std::array<std::atomic<std::int64_t>, 2> until_{kNone.count(), kNone.count()};
};

struct LockTerms {
  std::string key;
  TableGroup group = TableGroup::batch;
  std::chrono::milliseconds lease{30'000};
  std::chrono::milliseconds patience{0};
  std::string purpose;
};

// `locked` if another writer has it when the patience ends, with the time after which a dead one's lock is
// free; `unreachable` if the store ignores conditions (only looked at if `try_conditions`).
Result<std::unique_ptr<WriterLock>> take_s3_lock(const std::shared_ptr<s3::Client>& client, Clock& clock,
                                                 const std::shared_ptr<Leases>& leases,
                                                 const LockTerms& terms, bool try_conditions,
                                                 std::stop_token stop);

Error lease_lost(std::string where);

}  // namespace chandler::lake
