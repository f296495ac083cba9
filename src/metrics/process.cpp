#include "metrics/process.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>

namespace chandler::metrics {
namespace {

std::string content_of(const char* path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

double seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
}

std::optional<double> resident_bytes() {
  std::istringstream fields(content_of("/proc/self/statm"));
  double total = 0, resident = 0;  // pages
  if (!(fields >> total >> resident)) return std::nullopt;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

std::optional<double> open_descriptors() {
  std::error_code error;
  std::filesystem::directory_iterator it("/proc/self/fd", error);
  if (error) return std::nullopt;
  return static_cast<double>(std::distance(begin(it), end(it)) - 1);  // one of them reads this folder
}

// proc(5): field 22 of stat is the start in clock ticks since the boot, whose time is `btime`.
std::optional<double> start_time() {
  const std::string stat = content_of("/proc/self/stat");
  const auto name_end = stat.rfind(')');  // the program's name may contain anything
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(stat.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) fields >> skipped;
  double ticks = 0;
  const std::string boot = content_of("/proc/stat");
  const auto at = boot.find("\nbtime ");
  if (!(fields >> ticks) || at == std::string::npos) return std::nullopt;
  return std::stod(boot.substr(at + 7)) + ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

void add_process(Families& families) {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    families.counter("process_cpu_seconds_total", "Processor time, of the user and the system",
                     seconds(usage.ru_utime) + seconds(usage.ru_stime));
  }
  const auto gauge = [&](const char* name, const char* help, std::optional<double> value) {
    if (value) families.gauge(name, help, *value);
  };
  gauge("process_resident_memory_bytes", "Memory that is in use", resident_bytes());
  gauge("process_open_fds", "Open file descriptors", open_descriptors());
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    families.gauge("process_max_fds", "How many there may be", static_cast<double>(files.rlim_cur));
  }
  gauge("process_start_time_seconds", "When the process began, in Unix time", start_time());
}

}  // namespace chandler::metrics
