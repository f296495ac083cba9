// What every Prometheus client tells of its own process, under the names that they all use.
#pragma once

#include "metrics/families.hpp"

namespace chandler::metrics {

// process_cpu_seconds_total, process_resident_memory_bytes, process_open_fds, process_max_fds and
// process_start_time_seconds, as the kernel tells them; what it does not tell is left out.
void add_process(Families& families);

}  // namespace chandler::metrics
