// What chandler.spark runs in its driver and in its workers: the pieces of `build` and `forecast` that may
// lie in different processes.
#include <arrow/api.h>
#include <fmt/format.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "base/clock.hpp"
#include "batch/derive.hpp"
#include "batch/status.hpp"
#include "forecast/forecast_job.hpp"
#include "lake/kline_file.hpp"
#include "python/arrow_border.hpp"
#include "python/batch_output.hpp"
#include "python/errors.hpp"
#include "python/kline_input.hpp"
#include "python/modules.hpp"
#include "python/table.hpp"

namespace nb = nanobind;

namespace chandler::python {
namespace {

using candles::Bars;
using Month = std::tuple<std::string, int, unsigned, std::int64_t>;  // symbol, year, month, bytes
using Share = std::tuple<std::string, std::string, std::string>;     // summary, metrics, by_horizon

// The days of one month on their way through the cluster: times as plain ms, which every engine takes.
Batches days_table(const std::string& symbol, Bars bars) {
  const ConstantColumn name{"symbol", symbol};
  return Batches(owning_batch(
      std::move(bars),
      [](const Bars& b) {
        using enum lake::ColumnType;
        const candles::Klines& k = b.rows;
        return std::vector<lake::Column>{{"open_time", int64, false, std::span(k.open_time)},
                                         {"open", float64, false, std::span(k.open)},
                                         {"high", float64, false, std::span(k.high)},
                                         {"low", float64, false, std::span(k.low)},
                                         {"close", float64, false, std::span(k.close)},
                                         {"volume", float64, false, std::span(k.volume)},
                                         {"quote_volume", float64, true, std::span(k.quote_volume)},
                                         {"trades", int64, true, std::span(k.trades)},
                                         {"minutes", int32, false, std::span(b.count)}};
      },
      std::span(&name, 1)));
}

// The inverse. Rows without minutes only make a symbol known and are left out.
Result<Bars> days_in(arrow::RecordBatchReader& reader) {
  Bars bars;
  for (;;) {
    CHANDLER_ASSIGN(const auto batch, next_batch(reader));
    if (batch == nullptr) return bars;
    CHANDLER_ASSIGN(const KlineView view, klines_in(*batch));
    for (std::size_t row = 0; row < view.size(); ++row) {
      if (view.minutes.values[row] == 0) continue;
      append(bars.rows, part_of(view, row, row + 1));
      bars.count.push_back(static_cast<std::int32_t>(view.minutes.values[row]));
    }
  }
}

class HeldLock {
 public:
  explicit HeldLock(std::unique_ptr<lake::WriterLock> lock) : lock_(std::move(lock)) {}
  void release() { lock_.reset(); }

 private:
  std::unique_ptr<lake::WriterLock> lock_;
};

class ClusterLake {
 public:
  explicit ClusterLake(const std::string& uri)
      : storage_(without_gil([&] { return lake::open_storage(uri); })) {}

  std::vector<std::string> symbols(const std::vector<std::string>& wanted) const {
    return without_gil([&] { return batch::select_symbols(*storage_, wanted); });
  }

  HeldLock lock(const std::string& purpose) const {
    return HeldLock(without_gil([&]() -> Result<std::unique_ptr<lake::WriterLock>> {
      CHANDLER_ASSIGN(auto lock, storage_->lock_for_writing(purpose));
      CHANDLER_TRY(storage_->remove_unfinished());
      return lock;
    }));
  }

  // A listing of each symbol, no footers.
  std::vector<Month> minute_months(const std::vector<std::string>& symbols) const {
    return without_gil([&]() -> Result<std::vector<Month>> {
      std::vector<Month> months;
      for (const std::string& symbol : symbols) {
        CHANDLER_ASSIGN(const auto files, storage_->list(lake::directory_of(lake::Table::klines_1m, symbol)));
        for (const lake::StoredFile& file : files) {
          if (const auto p = lake::parse_path(file.path))
            months.emplace_back(symbol, p->year, p->month, file.bytes);
        }
      }
      return months;
    });
  }

  // Month 0 is none: one row without minutes, which makes the symbol known further down.
  Batches minute_days(const std::string& symbol, int year, unsigned month) const {
    Bars bars = without_gil([&]() -> Result<Bars> {
      Bars none;
      if (month == 0) {
        none.rows.resize(1);
        none.count.resize(1);
        return none;
      }
      const auto partition =
          lake::minutes_partition(symbol, std::chrono::year{year} / std::chrono::month{month});
      CHANDLER_ASSIGN(const auto rows, lake::read_klines(*storage_, partition, lake::KlineFields::daily));
      return candles::roll_up(candles::spans_of(rows), candles::Interval::d1);
    });
    return days_table(symbol, std::move(bars));
  }

  nb::dict write_days(const std::string& symbol, nb::handle days) const {
    const auto reader = batches_of(days);
    const batch::Derived derived = without_gil([&]() -> Result<batch::Derived> {
      CHANDLER_ASSIGN(const Bars bars, days_in(*reader));
      return batch::derive_from_days(*storage_, symbol, bars);
    });
    nb::dict told;
    told["symbol"] = derived.symbol;
    told["days"] = derived.days;
    told["filled"] = derived.filled;
    told["minutes"] = derived.minutes_read;
    told["files_written"] = derived.files_written;
    told["files_removed"] = derived.files_removed;
    return told;
  }

  nb::dict forecast_share(const std::string& run, const std::string& symbol, int horizon, std::uint64_t seed,
                          bool plots) const {
    NoProgress progress;
    const forecast::RunShare share = without_gil([&] {
      return forecast::forecast_share(*storage_, job_of({symbol}, horizon, seed, plots), run, progress, {});
    });
    const std::optional<Error>& error = share.symbols.front().error;
    nb::dict told;
    told["summary"] = share.summaries.front();
    told["metrics"] = share.metrics;
    told["by_horizon"] = share.by_horizon;
    told["error"] = error ? error->what : std::string();
    return told;
  }

  bool close_run(const std::string& run, int horizon, std::uint64_t seed,
                 const std::vector<Share>& told) const {
    std::vector<forecast::RunShare> shares;
    for (const auto& [summary, metrics, by_horizon] : told)
      shares.push_back({{}, metrics, by_horizon, {summary}});
    return without_gil(
        [&] { return forecast::close_run(*storage_, job_of({}, horizon, seed, false), run, shares); });
  }

 private:
  static forecast::ForecastJob job_of(std::vector<std::string> symbols, int horizon, std::uint64_t seed,
                                      bool plots) {
    forecast::ForecastJob job;
    job.symbols = std::move(symbols);
    job.rolling.horizon = job.options.horizon = horizon;
    job.options.seed = seed;
    job.plots = plots;
    return job;
  }

  std::shared_ptr<lake::Storage> storage_;
};

}  // namespace

void bind_cluster(nb::module_& module) {
  nb::class_<HeldLock>(module, "HeldLock", "The lake's writer lock, until the end of the `with`.")
      .def("__enter__", [](nb::handle self) { return nb::borrow(self); })
      .def("__exit__", [](HeldLock& self, nb::args) { self.release(); });
  nb::class_<ClusterLake>(module, "ClusterLake", "A lake as the jobs of chandler.spark read and write it.")
      .def(nb::init<const std::string&>(), nb::arg("uri"))
      .def("symbols", &ClusterLake::symbols, nb::arg("wanted"))
      .def("lock", &ClusterLake::lock, nb::arg("purpose"))
      .def("minute_months", &ClusterLake::minute_months, nb::arg("symbols"))
      .def("minute_days", &ClusterLake::minute_days, nb::arg("symbol"), nb::arg("year"), nb::arg("month"))
      .def("write_days", &ClusterLake::write_days, nb::arg("symbol"), nb::arg("days"))
      .def("forecast_share", &ClusterLake::forecast_share, nb::arg("run"), nb::arg("symbol"),
           nb::arg("horizon"), nb::arg("seed"), nb::arg("plots"))
      .def("close_run", &ClusterLake::close_run, nb::arg("run"), nb::arg("horizon"), nb::arg("seed"),
           nb::arg("shares"))
      .def_static("new_run", [] {
        const SystemClock clock;
        return forecast::run_name(clock.now());
      });
}

}  // namespace chandler::python
