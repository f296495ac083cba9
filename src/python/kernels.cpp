// The pure functions of candles/ over Arrow data. Each reads its input once, batch by batch, without the GIL.
#include <arrow/api.h>
#include <fmt/format.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>

#include "candles/clean.hpp"
#include "candles/daily.hpp"
#include "candles/gaps.hpp"
#include "lake/derived_file.hpp"
#include "lake/kline_file.hpp"
#include "python/arrow_border.hpp"
#include "python/batch_output.hpp"
#include "python/candle_columns.hpp"
#include "python/errors.hpp"
#include "python/kline_input.hpp"
#include "python/modules.hpp"
#include "python/table.hpp"
#include "serving/fill.hpp"

namespace nb = nanobind;

namespace chandler::python {
namespace {

using candles::Interval;
using candles::Klines;
using serving::Candles;

Batches candle_table(Candles rows) {
  return Batches(owning_batch(std::move(rows), candle_columns));
}

// The grid of intervals that divide a day; longer ones lie on no multiple of anything.
Result<std::int64_t> grid_of(Interval interval) {
  if (interval > Interval::d1)
    return fail(ErrorCode::usage, "only intervals up to 1d lie on a fixed grid", {}, "use 1m to 1d");
  const Timestamp epoch{};
  return (candles::end_of(interval, epoch) - epoch).count();
}

struct RejectedRows {
  std::vector<std::int64_t> row, open_time;
  std::vector<std::string> reason;
};

Batches rejected_table(const std::vector<candles::Rejected>& rejected) {
  RejectedRows rows;
  for (const auto& r : rejected) {
    rows.row.push_back(static_cast<std::int64_t>(r.row));
    rows.open_time.push_back(r.kline.open_time);
    rows.reason.emplace_back(candles::describe(r.reason));
  }
  const auto reasons = text_array(rows.reason);
  const auto numbers = owning_batch(std::move(rows), [](const RejectedRows& r) {
    return std::vector<lake::Column>{
        {"row", lake::ColumnType::int64, false, std::span(r.row)},
        {"open_time", lake::ColumnType::timestamp, false, std::span(r.open_time)}};
  });
  return Batches(*numbers->AddColumn(2, arrow::field("reason", arrow::utf8(), false), reasons));
}

Batches kline_table(Klines rows, bool with_source) {
  return Batches(owning_batch(std::move(rows), [&](const Klines& r) {
    auto columns = lake::kline_columns(r);
    if (!with_source) std::erase_if(columns, [](const auto& c) { return c.name == "source"; });
    return columns;
  }));
}

nb::tuple clean(nb::handle data, const std::string& interval_name) {
  const Interval interval = value_or_raise(interval_named(interval_name));
  const std::int64_t grid = value_or_raise(grid_of(interval));
  const auto reader = batches_of(data);
  const bool with_source = reader->schema()->GetFieldIndex("source") >= 0;
  auto cleaned = without_gil([&]() -> Result<candles::Cleaned> {
    Klines rows;
    for (;;) {
      CHANDLER_ASSIGN(const auto batch, next_batch(*reader));
      if (batch == nullptr) return candles::clean(std::move(rows), grid);
      CHANDLER_ASSIGN(const KlineView view, klines_in(*batch));
      append(rows, view);
    }
  });
  Klines conflicting;
  for (const auto& k : cleaned.conflicting) conflicting.push_back(k);
  return nb::make_tuple(kline_table(std::move(cleaned.rows), with_source), rejected_table(cleaned.rejected),
                        cleaned.exact_repeats, kline_table(std::move(conflicting), with_source));
}

Result<Candles> rolled_up(arrow::RecordBatchReader& reader, Interval interval) {
  RollUp roll_up(interval);
  CHANDLER_TRY(for_each_klines(reader, [&](const KlineView& view) -> Status {
    roll_up.add(view);
    return {};
  }));
  return roll_up.finish();
}

Batches roll_up(nb::handle data, const std::string& interval_name) {
  const Interval interval = value_or_raise(interval_named(interval_name));
  const auto reader = batches_of(data);
  return candle_table(without_gil([&] { return rolled_up(*reader, interval); }));
}

Result<Candles> filled(arrow::RecordBatchReader& reader, Interval interval, std::optional<Timestamp> until) {
  const bool with_minutes = reader.schema()->GetFieldIndex("minutes") >= 0;
  std::optional<serving::Filler> filler;
  Candles out;
  CHANDLER_TRY(for_each_klines(reader, [&](const KlineView& view) -> Status {
    for (const std::int64_t t : view.open_time.values) {
      if (to_ms(candles::begin_of(interval, from_ms(t))) == t) continue;
      return fail(ErrorCode::invalid_data,
                  fmt::format("{} is not where a candle of {} opens", format_instant(from_ms(t)),
                              candles::name(interval)),
                  {}, "name the rows' own interval, or run `roll_up` first");
    }
    Candles piece;
    append(piece.rows, view);
    piece.minutes.assign(view.size(), 1);
    std::ranges::transform(view.minutes.values, piece.minutes.begin(),
                           [](std::int64_t n) { return static_cast<std::int32_t>(n); });
    piece.filled.assign(view.size(), 0);
    piece.provisional.assign(view.size(), 0);
    if (!filler) filler.emplace(interval, from_ms(piece.rows.open_time.front()), std::nullopt);
    out.append(filler->fill(piece));
    return {};
  }));
  if (filler && until) out.append(filler->fill_until(*until));
  out.provisional.clear();
  if (!with_minutes) out.minutes.clear();
  return out;
}

Batches fill(nb::handle data, const std::string& interval_name, std::optional<std::int64_t> until) {
  const Interval interval = value_or_raise(interval_named(interval_name));
  if (until && *until > candles::kLatestOpenTime)
    raise({ErrorCode::usage, "the end of the fill is after 2100", {}, {}});
  const auto reader = batches_of(data);
  const auto end = until ? std::optional(from_ms(*until)) : std::nullopt;
  return candle_table(without_gil([&] { return filled(*reader, interval, end); }));
}

// The one column there is, or the one of the name; `close` and `daily_close` need not be named.
Result<std::shared_ptr<arrow::Array>> value_column(const arrow::RecordBatch& batch, const std::string& name) {
  if (!name.empty()) {
    if (auto column = find_column(batch, name)) return column;
    return fail(ErrorCode::invalid_data, fmt::format("column '{}' is missing", name));
  }
  if (batch.num_columns() == 1) return batch.column(0);
  for (const char* usual : {"close", "daily_close"}) {
    if (auto column = find_column(batch, usual)) return column;
  }
  return fail(ErrorCode::usage, "which column is to be averaged is not clear", {}, "name it: column=…");
}

struct Averages {
  std::vector<std::string> names;
  std::vector<std::vector<double>> values;
};

Batches moving_average(nb::handle data, const std::vector<std::int64_t>& windows, const std::string& column) {
  for (const std::int64_t window : windows) {
    if (window < 1)
      raise({ErrorCode::usage, fmt::format("a window of {} rows averages nothing", window), {}, {}});
  }
  const auto reader = batches_of(data);
  Averages averages = without_gil([&]() -> Result<Averages> {
    std::vector<double> values;
    for (;;) {
      CHANDLER_ASSIGN(const auto batch, next_batch(*reader));
      if (batch == nullptr) break;
      CHANDLER_ASSIGN(const auto array, value_column(*batch, column));
      CHANDLER_ASSIGN(const auto view, numbers(*array, column.empty() ? "values" : column));
      values.insert(values.end(), view.values.begin(), view.values.end());
    }
    Averages result;
    for (const std::int64_t window : windows) {
      result.names.push_back(fmt::format("ma{}", window));
      result.values.push_back(candles::moving_average({}, values, static_cast<std::size_t>(window)));
    }
    return result;
  });
  return Batches(owning_batch(std::move(averages), [](const Averages& a) {
    std::vector<lake::Column> columns;
    for (std::size_t i = 0; i < a.names.size(); ++i)
      columns.push_back({a.names[i], lake::ColumnType::float64, true, std::span(a.values[i])});
    return columns;
  }));
}

struct GapRows {
  std::vector<std::int64_t> start, end, missing;
};

Batches gaps(nb::handle data, const std::string& interval_name, std::optional<std::int64_t> start,
             std::optional<std::int64_t> end) {
  const Interval interval = value_or_raise(interval_named(interval_name));
  const std::int64_t grid = value_or_raise(grid_of(interval));
  const auto reader = batches_of(data);
  GapRows rows = without_gil([&]() -> Result<GapRows> {
    RangeSet present;
    std::int64_t last = std::numeric_limits<std::int64_t>::min();
    for (;;) {
      CHANDLER_ASSIGN(const auto batch, next_batch(*reader));
      if (batch == nullptr) break;
      const auto column = batch->num_columns() == 1 ? batch->column(0) : find_column(*batch, "open_time");
      if (column == nullptr) return fail(ErrorCode::invalid_data, "column 'open_time' is missing");
      CHANDLER_ASSIGN(const auto times, instants(*column, "open_time"));
      for (const std::int64_t t : times.values) {
        if (t <= last || t % grid != 0) {
          return fail(
              ErrorCode::invalid_data,
              fmt::format("{} is before the row above it, there twice, or not where a candle of {} opens",
                          format_instant(from_ms(t)), candles::name(interval)),
              {}, "run `clean` on the rows first, and name their own interval");
        }
        last = t;
      }
      present.add(candles::present_ranges(times.values, grid));
    }
    GapRows result;
    if (present.empty() && !(start && end)) return result;
    RangeSet missing{{start ? from_ms(*start) : present.ranges().front().begin,
                      end ? from_ms(*end) : present.ranges().back().end}};
    missing.subtract(present);
    for (const TimeRange& gap : missing) {
      result.start.push_back(to_ms(gap.begin));
      result.end.push_back(to_ms(gap.end));
      result.missing.push_back(gap.length().count() / grid);
    }
    return result;
  });
  return Batches(owning_batch(std::move(rows), [](const GapRows& r) {
    return std::vector<lake::Column>{{"start", lake::ColumnType::timestamp, false, std::span(r.start)},
                                     {"end", lake::ColumnType::timestamp, false, std::span(r.end)},
                                     {"missing", lake::ColumnType::int64, false, std::span(r.missing)}};
  }));
}

candles::Bars bars_of(Candles days) {
  return {std::move(days.rows), std::move(days.minutes)};
}

Batches daily_filled(nb::handle data, nb::handle known_days, std::optional<std::int64_t> until) {
  const auto minutes = batches_of(data);
  const auto days = known_days.is_none() ? nullptr : batches_of(known_days);
  if (until && (*until > candles::kLatestOpenTime || *until % kDayMs != 0))
    raise({ErrorCode::usage, "`until` is not the beginning of a day before 2100", {}, {}});
  auto rows = without_gil([&]() -> Result<candles::DailyRows> {
    CHANDLER_ASSIGN(Candles from_minutes, rolled_up(*minutes, Interval::d1));
    candles::Bars known = bars_of(std::move(from_minutes));
    if (days != nullptr) {
      CHANDLER_ASSIGN(Candles from_days, rolled_up(*days, Interval::d1));
      candles::Bars told = bars_of(std::move(from_days));
      std::ranges::fill(told.count, 0);  // of these no minutes are known
      known = candles::minutes_before_days(known, told);
    }
    candles::Carry carry;
    if (known.size() == 0) return candles::DailyRows{};
    const Day first = day_of(from_ms(known.rows.open_time.front()));
    const Day end =
        until ? day_of(from_ms(*until)) : day_of(from_ms(known.rows.open_time.back())) + std::chrono::days{1};
    return candles::fill_days(known, first, end, carry);
  });
  return Batches(owning_batch(std::move(rows), lake::daily_columns));
}

}  // namespace

void bind_kernels(nb::module_& module) {
  module.def("clean", &clean, nb::arg("data"), nb::arg("interval"));
  module.def("roll_up", &roll_up, nb::arg("data"), nb::arg("interval"));
  module.def("fill", &fill, nb::arg("data"), nb::arg("interval"), nb::arg("until").none());
  module.def("moving_average", &moving_average, nb::arg("data"), nb::arg("windows"), nb::arg("column"));
  module.def("gaps", &gaps, nb::arg("data"), nb::arg("interval"), nb::arg("start").none(),
             nb::arg("end").none());
  module.def("daily_filled", &daily_filled, nb::arg("data"), nb::arg("days").none(), nb::arg("until").none());
}

}  // namespace chandler::python
