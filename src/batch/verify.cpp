#include "batch/verify.hpp"

#include <arrow/buffer.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/parallel.hpp"
#include "batch/derive.hpp"
#include "batch/status.hpp"
#include "lake/derived_file.hpp"
#include "lake/speed_snapshot.hpp"

namespace chandler::batch {
namespace {

using lake::Partition;
using lake::Storage;
using lake::Table;

// Folders of the design that hold no partitions.
constexpr std::string_view kOtherFolders[] = {"forecasts/", "reports/", "speed_1m/_", "_quarantine/"};

struct Listing {
  std::vector<std::pair<Partition, std::int64_t>> partitions;  // and their bytes
  std::vector<Violation> strays;
  std::vector<std::string> snapshots;  // of the speed layer's streams
};

Listing sort_out(const std::vector<lake::StoredFile>& files) {
  Listing listing;
  for (const lake::StoredFile& file : files) {
    if (auto partition = lake::parse_path(file.path)) {
      listing.partitions.emplace_back(std::move(*partition), file.bytes);
    } else if (lake::is_snapshot(file.path)) {
      listing.snapshots.push_back(file.path);
    } else if (std::ranges::none_of(kOtherFolders,
                                    [&](auto folder) { return file.path.starts_with(folder); })) {
      listing.strays.push_back({file.path, "it belongs to no table", "move it out of the lake"});
    }
  }
  return listing;
}

Result<Listing> list_lake(const Storage& storage, const std::vector<std::string>& symbols) {
  std::vector<lake::StoredFile> files;
  if (symbols.empty()) {
    CHANDLER_ASSIGN(files, storage.list(""));
  }
  for (const std::string& symbol : symbols) {
    for (const Table table :
         {Table::klines_1m, Table::klines_1d, Table::speed_1m, Table::daily_filled, Table::prophet_input}) {
      CHANDLER_ASSIGN(auto more, storage.list(lake::directory_of(table, symbol)));
      std::ranges::move(more, std::back_inserter(files));
    }
  }
  return sort_out(files);
}

Status check_snapshots(const Storage& storage, const std::vector<std::string>& paths,
                       std::vector<Violation>& violations) {
  for (const std::string& path : paths) {
    const auto text = lake::read_text(storage, path);
    if (!text && text.error().code == ErrorCode::not_found) continue;
    if (!text) return std::unexpected(text.error());
    const auto snapshot = lake::parse_snapshot(*text);
    if (snapshot) continue;
    violations.push_back(
        {path, snapshot.error().what,
         "stop what writes speed_1m and remove the file: what it said is told by the files of "
         "speed_1m, or comes again"});
  }
  return {};
}

// A derived file as it should be now.
struct Expected {
  lake::PendingFile file;
  std::string provenance;
};

std::string text_of(const lake::Provenance& provenance) {
  return provenance.inputs + ' ' + provenance.carry_in;
}

Result<std::map<Partition, Expected>> expected_files(const Storage& storage, const std::string& symbol) {
  std::map<Partition, Expected> expected;
  CHANDLER_ASSIGN(const auto months, derive_in_memory(storage, symbol));
  lake::ProphetRows prophet;
  std::vector<lake::Provenance> provenances;
  for (const DerivedMonth& month : months) {
    CHANDLER_ASSIGN(auto file,
                    lake::daily_file(month.partition, month.rows, month.provenance, month.carry_out));
    expected[month.partition] = {std::move(file), text_of(month.provenance)};
    provenances.push_back(month.provenance);
    prophet.ds.insert(prophet.ds.end(), month.rows.date.begin(), month.rows.date.end());
    prophet.y.insert(prophet.y.end(), month.rows.close.begin(), month.rows.close.end());
  }
  if (months.empty()) return expected;
  const std::string inputs = prophet_inputs(provenances);
  CHANDLER_ASSIGN(auto file, lake::prophet_file(symbol, prophet, inputs));
  expected[lake::prophet_partition(symbol)] = {std::move(file), inputs};
  return expected;
}

// What a stored derived file says it was derived from; empty if it does not say.
std::string stored_provenance(const Storage& storage, const Partition& partition) {
  if (partition.table == Table::prophet_input) return lake::read_prophet_inputs(storage, partition.symbol);
  const auto footer = lake::read_daily_footer(storage, partition);
  return footer ? text_of(footer->provenance) : std::string{};
}

enum class Comparison { equal, pending, different };

Comparison compare(const Storage& storage, const Partition& partition, const Expected& expected) {
  if (stored_provenance(storage, partition) != expected.provenance) return Comparison::pending;
  const auto stored = encode_again(storage, partition);
  if (!stored) return Comparison::pending;  // what is wrong with the file itself has been said already
  return stored->bytes->Equals(*expected.file.bytes) ? Comparison::equal : Comparison::different;
}

bool is_derived(const Partition& partition) {
  return partition.table == Table::daily_filled || partition.table == Table::prophet_input;
}

bool is_named(const std::vector<Violation>& violations, const std::string& file) {
  return std::ranges::any_of(violations, [&](const Violation& v) { return v.file == file; });
}

// Compares a symbol's derived files with what its klines give.
void check_derived(const Storage& storage, std::vector<Partition> stored, VerifiedSymbol& symbol) {
  auto expected = expected_files(storage, symbol.symbol);
  if (!expected) expected = expected_files(storage, symbol.symbol);  // a writer may have been at work
  if (!expected) {
    // Most likely a damaged kline file, which has been named.
    const std::string folder = lake::directory_of(Table::klines_1m, symbol.symbol);
    const auto of_klines = [&](const Violation& v) { return v.file.starts_with("klines_"); };
    if (std::ranges::none_of(symbol.violations, of_klines)) {
      symbol.violations.push_back(
          {folder, "derived tables cannot be computed: " + expected.error().what, {}});
    }
    return;
  }
  std::optional<std::map<Partition, Expected>> again;
  for (const auto& [partition, wanted] : *expected) {
    const std::string path = lake::path_of(partition);
    std::erase(stored, partition);
    if (is_named(symbol.violations, path)) continue;
    Comparison comparison = compare(storage, partition, wanted);
    if (comparison == Comparison::different) {
      if (!again) again = expected_files(storage, symbol.symbol).value_or(std::map<Partition, Expected>{});
      const auto it = again->find(partition);
      comparison = it == again->end() ? Comparison::pending : compare(storage, partition, it->second);
    }
    if (comparison == Comparison::pending) symbol.pending.push_back(path);
    if (comparison == Comparison::different) {
      symbol.violations.push_back({path, "it is not what its klines give", remedy_for(partition)});
    }
  }
  // Left over: files for which there are no klines any more. They go with the next derivation.
  for (const Partition& partition : stored) symbol.pending.push_back(lake::path_of(partition));
}

template <class Count>
std::size_t total(const std::vector<VerifiedSymbol>& symbols, Count count) {
  std::size_t sum = 0;
  for (const VerifiedSymbol& symbol : symbols) sum += count(symbol);
  return sum;
}

}  // namespace

std::size_t VerifyReport::files() const {
  return total(symbols, [](const auto& s) { return s.files; });
}
std::size_t VerifyReport::rows() const {
  return total(symbols, [](const auto& s) { return s.rows; });
}
std::size_t VerifyReport::bytes() const {
  return total(symbols, [](const auto& s) { return s.bytes; });
}
std::size_t VerifyReport::pending() const {
  return total(symbols, [](const auto& s) { return s.pending.size(); });
}

std::vector<Violation> VerifyReport::violations() const {
  std::vector<Violation> all;
  for (const VerifiedSymbol& symbol : symbols) std::ranges::copy(symbol.violations, std::back_inserter(all));
  std::ranges::copy(strays, std::back_inserter(all));
  return all;
}

Result<VerifyReport> verify(const Storage& storage, const std::vector<std::string>& wanted,
                            Progress& progress, std::stop_token stop) {
  if (!wanted.empty()) CHANDLER_TRY(select_symbols(storage, wanted));
  CHANDLER_ASSIGN(Listing listing, list_lake(storage, wanted));
  const auto interrupted = [&]() -> Status {
    return stop.stop_requested() ? Status(fail(ErrorCode::interrupted, "interrupted")) : Status{};
  };

  std::uint64_t bytes = 0;
  std::map<std::string, std::vector<Partition>> derived_of;
  for (const auto& [partition, size] : listing.partitions) {
    bytes += static_cast<std::uint64_t>(size);
    auto& derived = derived_of[partition.symbol];
    if (is_derived(partition)) derived.push_back(partition);
  }

  progress.begin("checking files", bytes, "bytes");
  std::vector<CheckedFile> checked(listing.partitions.size());
  CHANDLER_TRY(parallel_for(checked.size(), storage.concurrency(), [&](std::size_t i) -> Status {
    if (Status stopped = interrupted(); !stopped) return stopped;
    checked[i] = check_file(storage, listing.partitions[i].first);
    progress.advance(static_cast<std::uint64_t>(listing.partitions[i].second));
    return {};
  }));
  progress.end();

  VerifyReport report;
  report.strays = std::move(listing.strays);
  CHANDLER_TRY(check_snapshots(storage, listing.snapshots, report.strays));
  std::map<std::string, VerifiedSymbol> symbols;
  for (std::size_t i = 0; i < checked.size(); ++i) {
    VerifiedSymbol& symbol = symbols[listing.partitions[i].first.symbol];
    ++symbol.files;
    symbol.rows += checked[i].rows;
    symbol.bytes += checked[i].bytes;
    report.of_another_encoder += checked[i].of_another_encoder ? 1 : 0;
    report.rewritten += checked[i].rewritten ? 1 : 0;
    std::ranges::move(checked[i].violations, std::back_inserter(symbol.violations));
  }
  for (auto& [name, symbol] : symbols) {
    symbol.symbol = name;
    report.symbols.push_back(std::move(symbol));
  }

  progress.begin("deriving again", report.symbols.size(), "symbols");
  CHANDLER_TRY(parallel_for(report.symbols.size(), core_count(), [&](std::size_t i) -> Status {
    if (Status stopped = interrupted(); !stopped) return stopped;
    VerifiedSymbol& symbol = report.symbols[i];
    check_derived(storage, derived_of.at(symbol.symbol), symbol);
    std::ranges::stable_sort(symbol.violations, {}, &Violation::file);
    progress.advance(1);
    return {};
  }));
  progress.end();
  return report;
}

}  // namespace chandler::batch
