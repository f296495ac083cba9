// The floor under `build`: decodes the columns it reads, of every partition of klines_1m in a lake, on all
// cores, and does nothing with them. Prints rows and seconds.
#include <fmt/format.h>
#include <malloc.h>

#include <atomic>

#include "base/clock.hpp"
#include "base/parallel.hpp"
#include "lake/catalog.hpp"

namespace chandler {
namespace {

Status scan(const lake::Storage& storage, const lake::Partition& partition, std::atomic<std::size_t>& rows) {
  CHANDLER_ASSIGN(auto file, lake::open_partition(storage, partition));
  std::vector<std::int64_t> whole;
  std::vector<double> number;
  for (const auto* column : {"open_time", "trades"}) CHANDLER_TRY(file.read(column, whole));
  for (const auto* column : {"open", "high", "low", "close", "volume", "quote_volume"}) {
    CHANDLER_TRY(file.read(column, number));
  }
  rows += number.size();
  return {};
}

Result<std::size_t> scan_lake(const std::string& uri) {
  CHANDLER_ASSIGN(const auto storage, lake::open_storage(uri));
  const lake::Table tables[] = {lake::Table::klines_1m};
  CHANDLER_ASSIGN(const auto symbols, lake::symbols_of(*storage, tables));
  std::vector<lake::Partition> all;
  for (const std::string& symbol : symbols) {
    CHANDLER_ASSIGN(const auto partitions, lake::partitions_of(*storage, lake::Table::klines_1m, symbol));
    all.insert(all.end(), partitions.begin(), partitions.end());
  }
  std::atomic<std::size_t> rows{0};
  CHANDLER_TRY(
      parallel_for(all.size(), core_count(), [&](std::size_t i) { return scan(*storage, all[i], rows); }));
  return rows.load();
}

}  // namespace
}  // namespace chandler

int main(int argc, char** argv) {
#ifdef __GLIBC__
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);  // as chandler does
  ::mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
  if (argc != 2) {
    fmt::print(stderr, "usage: column_scan LAKE\n");
    return 2;
  }
  const chandler::SystemClock clock;
  const auto start = clock.steady();
  const auto rows = chandler::scan_lake(argv[1]);
  if (!rows) {
    fmt::print(stderr, "{}\n", chandler::to_text(rows.error()));
    return chandler::exit_code(rows.error().code);
  }
  fmt::print("{} rows in {:.3f} s\n", *rows, std::chrono::duration<double>(clock.steady() - start).count());
}
