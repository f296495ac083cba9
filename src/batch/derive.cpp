#include "batch/derive.hpp"

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/parallel.hpp"

namespace chandler::batch {
namespace {

using candles::Bars;
using candles::Carry;
using candles::DailyRows;
using lake::PendingFile;
using lake::Provenance;
using lake::Storage;

// How many symbols are planned, computed and committed together: enough that the cores stay busy and that one
// sync serves many files, few enough that memory stays small.
constexpr std::size_t kGroup = 32;

// One symbol on its way from plan to files.
struct Work {
  DerivePlan plan;
  std::vector<std::optional<Bars>> bars;  // by month, where they have been read
  std::vector<PendingFile> files;
  Derived result;
};

Provenance provenance_of(const PlannedMonth& month, const Carry& carry) {
  return {month.inputs, lake::digest_of(carry)};
}

bool is_current(const PlannedMonth& month, const Carry& carry) {
  return month.stored && month.stored->provenance == provenance_of(month, carry);
}

bool inputs_changed(const PlannedMonth& month) {
  return !month.stored || month.stored->provenance.inputs != month.inputs;
}

DerivedMonth compute(const PlannedMonth& month, const Bars& bars, Carry& carry) {
  DerivedMonth derived;
  derived.partition = month.partition;
  derived.provenance = provenance_of(month, carry);
  derived.rows = candles::fill_days(bars, month.from, month.until, carry);
  derived.carry_out = carry;
  return derived;
}

// Where it is known what is stored, a file is only read when its size does not tell it from the new one.
bool same_bytes(const Storage& storage, const DerivePlan& plan, const PendingFile& file) {
  if (file.path.starts_with(lake::name(lake::Table::daily_filled))) {
    const auto known = plan.daily_files.find(file.path);
    if (known == plan.daily_files.end() || known->second != file.bytes->size()) return false;
  }
  const auto stored = storage.open(file.path);
  if (!stored) return false;
  const auto size = (*stored)->GetSize();
  if (!size.ok() || *size != file.bytes->size()) return false;
  const auto bytes = (*stored)->ReadAt(0, *size);
  return bytes.ok() && (*bytes)->Equals(*file.bytes);
}

std::vector<Provenance> stored_provenances(const DerivePlan& plan) {
  std::vector<Provenance> provenances;
  for (const PlannedMonth& month : plan.months) {
    if (month.stored) provenances.push_back(month.stored->provenance);
  }
  return provenances;
}

// Appends the rows of `from` whose days lie in the month.
void append_days(lake::ProphetRows& to, const lake::ProphetRows& from, const PlannedMonth& month) {
  const auto first = std::ranges::lower_bound(from.ds, to_day_number(month.from));
  const auto last = std::ranges::lower_bound(from.ds, to_day_number(month.until));
  const auto y = [&](auto at) { return from.y.begin() + (at - from.ds.begin()); };
  to.ds.insert(to.ds.end(), first, last);
  to.y.insert(to.y.end(), y(first), y(last));
}

// ds and y of all months: the fresh ones as computed, the others as prophet_input has them if it belongs to
// the files that are stored, else from these files.
Result<lake::ProphetRows> prophet_rows(const Storage& storage, const DerivePlan& plan,
                                       const std::vector<std::optional<lake::ProphetRows>>& fresh) {
  lake::ProphetRows before, rows;
  const bool all_fresh = std::ranges::all_of(fresh, [](const auto& month) { return month.has_value(); });
  const bool usable =
      !all_fresh && plan.superfluous.empty() &&
      lake::read_prophet_inputs(storage, plan.symbol) == prophet_inputs(stored_provenances(plan));
  if (usable) {
    if (auto stored = lake::read_prophet(storage, plan.symbol)) before = std::move(*stored);
  }
  for (std::size_t i = 0; i < plan.months.size(); ++i) {
    const PlannedMonth& month = plan.months[i];
    if (fresh[i]) {
      append_days(rows, *fresh[i], month);
    } else if (!before.ds.empty()) {
      append_days(rows, before, month);
    } else {
      CHANDLER_ASSIGN(const DailyRows daily, lake::read_daily(storage, month.partition));
      append_days(rows, {daily.date, daily.close}, month);
    }
  }
  return rows;
}

// Asked between two pieces of work; may be empty.
using Stopped = std::function<bool()>;

Status interrupted(const Stopped& stopped) {
  if (!stopped || !stopped()) return {};
  return fail(ErrorCode::interrupted,
              "interrupted; the days that are still to be derived follow with the next run");
}

// From here on the months of one symbol follow each other; the costly reading of minutes has been done.
Status fill_symbol(Storage& storage, Work& work, Extent extent, DaysFrom from, const Stopped& stopped) {
  Carry carry;
  std::vector<Provenance> provenances;
  Derived& result = work.result;
  std::vector<std::optional<lake::ProphetRows>> fresh(work.plan.months.size());

  for (std::size_t i = 0; i < work.plan.months.size(); ++i) {
    const PlannedMonth& month = work.plan.months[i];
    CHANDLER_TRY(interrupted(stopped));
    provenances.push_back(provenance_of(month, carry));
    if (extent == Extent::what_changed && is_current(month, carry)) {
      carry = month.stored->carry_out;
      result.days += month.stored->rows;
      result.filled += month.stored->filled;
      continue;
    }
    if (!work.bars[i]) {
      CHANDLER_ASSIGN(work.bars[i], month_bars(storage, month, from));
    }
    DerivedMonth derived = compute(month, *work.bars[i], carry);
    work.bars[i].reset();
    ++result.months_computed;
    result.minutes_read += month.minute_rows;
    result.days += derived.rows.size();
    result.filled += static_cast<std::size_t>(std::ranges::count(derived.rows.filled, std::uint8_t{1}));
    CHANDLER_ASSIGN(auto file,
                    lake::daily_file(derived.partition, derived.rows, derived.provenance, derived.carry_out));
    work.files.push_back(std::move(file));
    fresh[i] = lake::ProphetRows{std::move(derived.rows.date), std::move(derived.rows.close)};
  }
  if (work.plan.months.empty()) {
    work.plan.superfluous.push_back(lake::prophet_partition(work.plan.symbol));
    return {};
  }
  result.first = work.plan.months.front().from;
  result.last = work.plan.months.back().until - std::chrono::days{1};

  const std::string inputs = prophet_inputs(provenances);
  if (result.months_computed == 0 && lake::read_prophet_inputs(storage, work.plan.symbol) == inputs)
    return {};
  CHANDLER_ASSIGN(const auto prophet, prophet_rows(storage, work.plan, fresh));
  CHANDLER_ASSIGN(auto file, lake::prophet_file(work.plan.symbol, prophet, inputs));
  work.files.push_back(std::move(file));
  return {};
}

// The months whose minutes are certain to be needed, read and rolled up on all cores.
Status read_minutes(const Storage& storage, std::vector<Work>& group, Extent extent, DaysFrom from,
                    Progress& progress, const Stopped& stopped) {
  std::vector<std::pair<Work*, std::size_t>> tasks;
  for (Work& work : group) {
    work.bars.resize(work.plan.months.size());
    for (std::size_t i = 0; i < work.plan.months.size(); ++i) {
      if (extent == Extent::everything || inputs_changed(work.plan.months[i])) tasks.emplace_back(&work, i);
    }
  }
  return parallel_for(tasks.size(), storage.concurrency(), [&](std::size_t t) -> Status {
    CHANDLER_TRY(interrupted(stopped));
    auto [work, i] = tasks[t];
    CHANDLER_ASSIGN(work->bars[i], month_bars(storage, work->plan.months[i], from));
    progress.advance(work->plan.months[i].minute_rows);
    return {};
  });
}

// The days of `all` in the month, if they are made of just the minutes that the lake has.
Result<Bars> days_of_month(const Bars& all, const PlannedMonth& month) {
  const year_month m = month.partition.ym();
  const std::size_t first = candles::lower_bound(all.rows, begin_of(first_day(m)));
  const std::size_t last = candles::lower_bound(all.rows, begin_of(first_day(m + std::chrono::months{1})));
  Bars days;
  days.rows.append(all.rows, first, last);
  days.count.assign(all.count.begin() + static_cast<std::ptrdiff_t>(first),
                    all.count.begin() + static_cast<std::ptrdiff_t>(last));
  const auto minutes = std::accumulate(days.count.begin(), days.count.end(), std::size_t{0});
  if (minutes == month.minute_rows) return days;
  return fail(ErrorCode::incomplete,
              fmt::format("the days of {} are made of {} minutes, of which the lake has {}",
                          month.partition.symbol, minutes, month.minute_rows),
              lake::path_of(lake::minutes_partition(month.partition.symbol, m)),
              "let nobody else write the lake, and run it again");
}

// The files that are not stored as they should be, and how many these are of each symbol.
Result<std::vector<PendingFile>> changed_files(const Storage& storage, std::span<Work> group) {
  std::vector<std::pair<Work*, PendingFile*>> all;
  for (Work& work : group) {
    for (PendingFile& file : work.files) all.emplace_back(&work, &file);
  }
  std::vector<std::uint8_t> same(all.size());
  CHANDLER_TRY(parallel_for(all.size(), storage.concurrency(), [&](std::size_t i) -> Status {
    same[i] = same_bytes(storage, all[i].first->plan, *all[i].second) ? 1 : 0;
    return {};
  }));
  std::vector<PendingFile> files;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (same[i] != 0) continue;
    ++all[i].first->result.files_written;
    files.push_back(std::move(*all[i].second));
  }
  return files;
}

// What has been computed, made visible.
Status commit(Storage& storage, std::span<Work> group) {
  CHANDLER_ASSIGN(const auto files, changed_files(storage, group));
  CHANDLER_TRY(storage.replace(files));
  for (Work& work : group) {
    for (const lake::Partition& partition : work.plan.superfluous) {
      CHANDLER_TRY(storage.remove(lake::path_of(partition)));
    }
    work.result.files_removed = work.plan.superfluous.size();
  }
  return {};
}

Status derive_group(Storage& storage, std::vector<Work>& group, Extent extent, DaysFrom from,
                    Progress& progress, const Stopped& stopped) {
  CHANDLER_TRY(parallel_for(group.size(), storage.concurrency(), [&](std::size_t i) -> Status {
    if (Status going_on = interrupted(stopped); !going_on) return going_on;
    CHANDLER_ASSIGN(group[i].plan, plan_derivation(storage, std::string(group[i].result.symbol), extent));
    return {};
  }));
  CHANDLER_TRY(read_minutes(storage, group, extent, from, progress, stopped));
  CHANDLER_TRY(parallel_for(group.size(), storage.concurrency(), [&](std::size_t i) {
    return fill_symbol(storage, group[i], extent, from, stopped);
  }));
  return commit(storage, group);
}

}  // namespace

Result<std::vector<Derived>> derive(Storage& storage, const std::vector<std::string>& symbols, Extent extent,
                                    Progress& progress, DaysFrom from, const Stopped& stopped) {
  std::vector<Derived> results;
  progress.begin("deriving days", 0, "minutes");
  for (std::size_t first = 0; first < symbols.size(); first += kGroup) {
    std::vector<Work> group(std::min(kGroup, symbols.size() - first));
    for (std::size_t i = 0; i < group.size(); ++i) group[i].result.symbol = symbols[first + i];
    CHANDLER_TRY(derive_group(storage, group, extent, from, progress, stopped));
    for (Work& work : group) results.push_back(std::move(work.result));
  }
  progress.end();
  return results;
}

Result<Derived> derive_from_days(Storage& storage, const std::string& symbol, const Bars& minute_days) {
  Work work;
  work.result.symbol = symbol;
  CHANDLER_ASSIGN(work.plan, plan_derivation(storage, symbol, Extent::everything));
  for (const PlannedMonth& month : work.plan.months) {
    CHANDLER_ASSIGN(Bars days, days_of_month(minute_days, month));
    work.bars.emplace_back(month_bars(month, std::move(days)));
  }
  CHANDLER_TRY(fill_symbol(storage, work, Extent::everything, DaysFrom::minutes, {}));
  CHANDLER_TRY(commit(storage, std::span(&work, 1)));
  return std::move(work.result);
}

std::string prophet_inputs(std::span<const Provenance> months) {
  lake::Digest digest;
  for (const Provenance& p : months) {
    digest.add(p.inputs);
    digest.add(p.carry_in);
  }
  return digest.hex();
}

Result<std::vector<DerivedMonth>> derive_in_memory(const Storage& storage, const std::string& symbol) {
  CHANDLER_ASSIGN(const auto plan, plan_derivation(storage, symbol, Extent::everything));
  std::vector<DerivedMonth> months;
  Carry carry;
  for (const PlannedMonth& month : plan.months) {
    CHANDLER_ASSIGN(const Bars bars, month_bars(storage, month, DaysFrom::minutes));
    months.push_back(compute(month, bars, carry));
  }
  return months;
}

}  // namespace chandler::batch
