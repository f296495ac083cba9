// Independent pieces of work on all cores.
#pragma once

#include <cstddef>
#include <functional>

#include "base/error.hpp"

namespace chandler {

// The number of hardware threads, at least 1; CHANDLER_THREADS overrides it (results never depend on it).
std::size_t core_count();

// Calls work(i) for every i in [0, count) on up to `threads` threads (the calling one included), in no
// particular order. After a failure no new piece is started; the failure with the smallest index is returned,
// so that the same input gives the same error.
Status parallel_for(std::size_t count, std::size_t threads, const std::function<Status(std::size_t)>& work);

}  // namespace chandler
