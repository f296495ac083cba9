#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>

#include "batch/status.hpp"
#include "lake/catalog.hpp"
#include "lake/derived_file.hpp"
#include "python/batch_output.hpp"
#include "python/candle_columns.hpp"
#include "python/errors.hpp"
#include "python/lake_tables.hpp"
#include "python/modules.hpp"
#include "serving/candle_service.hpp"

namespace nb = nanobind;

namespace chandler::python {
namespace {

using serving::Candles;
using serving::SymbolSeries;

// The series and the storage it reads from.
struct OpenSeries {
  std::shared_ptr<lake::Storage> storage;
  SymbolSeries series;
};

std::vector<std::string> all_candle_columns() {
  std::vector<std::string> names;
  for (const auto& column : candle_columns(Candles{})) names.emplace_back(column.name);
  return names;
}

bool is_takers(const std::string& name) {
  return name.starts_with("taker_");
}

// Every column but those that only minutes have: of a day they cost the reading of its minutes.
std::vector<std::string> usual_candle_columns() {
  auto names = all_candle_columns();
  std::erase_if(names, is_takers);
  return names;
}

Result<std::vector<std::string>> known_columns(const std::optional<std::vector<std::string>>& wanted) {
  if (!wanted) return usual_candle_columns();
  const auto all = all_candle_columns();
  for (const std::string& name : *wanted) {
    if (std::ranges::find(all, name) == all.end()) {
      return fail(ErrorCode::usage, fmt::format("candles have no column '{}'", name), {},
                  fmt::format("choose of {}", fmt::join(all, ", ")));
    }
  }
  if (wanted->empty())
    return fail(ErrorCode::usage, "no column is named", {}, "name one, or leave `columns` out");
  return *wanted;
}

// Provisional candles are the newest ones.
void drop_provisional(Candles& candles) {
  std::size_t closed = candles.size();
  while (closed > 0 && candles.provisional[closed - 1] != 0) --closed;
  if (closed == candles.size()) return;
  candles.rows.resize(closed);
  candles.minutes.resize(closed);
  candles.filled.resize(closed);
  candles.provisional.resize(closed);
}

std::optional<Timestamp> instant(std::optional<std::int64_t> ms) {
  return ms ? std::optional(from_ms(*ms)) : std::nullopt;
}

struct DayBounds {
  std::optional<std::int32_t> from, until;
};

// Rows in [from, until).
void keep_days(candles::DailyRows& rows, const DayBounds& bounds) {
  const auto first = bounds.from ? std::ranges::lower_bound(rows.date, *bounds.from) - rows.date.begin() : 0;
  auto last = bounds.until ? std::ranges::lower_bound(rows.date, *bounds.until) - rows.date.begin()
                           : static_cast<std::ptrdiff_t>(rows.size());
  last = std::max(first, last);
  const auto keep = [&](auto&... columns) {
    ((columns.erase(columns.begin() + last, columns.end()),
      columns.erase(columns.begin(), columns.begin() + first)),
     ...);
  };
  keep(rows.date, rows.open, rows.high, rows.low, rows.close, rows.volume, rows.count, rows.filled, rows.ma7,
       rows.ma30, rows.quote_volume, rows.trades, rows.vwap);
}

class Lake {
 public:
  explicit Lake(const std::string& uri)
      : storage_(without_gil(
            [&]() -> Result<std::shared_ptr<lake::Storage>> { return lake::open_storage(uri); })) {}

  std::string uri() const { return storage_->uri(); }
  std::vector<std::string> symbols() const {
    return without_gil([&] { return batch::select_symbols(*storage_, {}); });
  }
  std::vector<std::string> folders() const {
    return without_gil([&] { return storage_->folders(""); });
  }
  Batches status(const std::vector<std::string>& symbols) const {
    return without_gil([&] { return status_table(*storage_, symbols); });
  }
  Batches gaps(const std::vector<std::string>& symbols, std::int64_t min_minutes) const {
    return without_gil([&] { return gaps_table(*storage_, symbols, min_minutes); });
  }
  std::string latest_run() const {
    return without_gil([&] { return python::latest_run(*storage_); });
  }
  Batches forecast(const std::string& run, const std::string& symbol) const {
    return without_gil([&] { return forecast_table(*storage_, run, symbol); });
  }
  Batches metrics(const std::string& run, const std::string& symbol) const {
    return without_gil([&] { return metrics_table(*storage_, run, symbol); });
  }
  BatchStream candles(const std::string& symbol, const std::string& interval,
                      std::optional<std::int64_t> from, std::optional<std::int64_t> to, bool fill,
                      bool provisional, const std::optional<std::vector<std::string>>& columns) const;
  BatchStream daily_filled(const std::vector<std::string>& symbols, const DayBounds& bounds) const;

 private:
  std::shared_ptr<lake::Storage> storage_;
};

BatchStream Lake::candles(const std::string& symbol, const std::string& interval,
                          std::optional<std::int64_t> from, std::optional<std::int64_t> to, bool fill,
                          bool provisional, const std::optional<std::vector<std::string>>& columns) const {
  serving::CandleQuery query;
  query.interval = value_or_raise(interval_named(interval));
  query.from = instant(from);
  query.to = instant(to);
  query.fill = fill;
  const auto names = value_or_raise(known_columns(columns));
  query.detail = std::ranges::any_of(names, is_takers) ? serving::Detail::all : serving::Detail::prices;
  auto open = without_gil([&]() -> Result<std::shared_ptr<const OpenSeries>> {
    CHANDLER_TRY(batch::select_symbols(*storage_, {symbol}));
    CHANDLER_ASSIGN(auto series, SymbolSeries::open(*storage_, symbol));
    return std::make_shared<const OpenSeries>(storage_, std::move(series));
  });
  const auto chosen = [names](const Candles& c) { return pick(candle_columns(c), names); };
  const auto job = [open = std::move(open), query, provisional, chosen](const BatchSink& sink) {
    return serving::serve(open->series, query, [&](Candles&& piece) -> Status {
      if (!provisional) drop_provisional(piece);
      if (piece.size() == 0) return {};
      return sink(owning_batch(std::move(piece), chosen));
    });
  };
  return {schema_of(chosen(Candles{})), job};
}

BatchStream Lake::daily_filled(const std::vector<std::string>& wanted, const DayBounds& bounds) const {
  const auto symbols = without_gil([&] { return batch::select_symbols(*storage_, wanted); });
  const auto job = [storage = storage_, symbols, bounds](const BatchSink& sink) -> Status {
    for (const std::string& symbol : symbols) {
      CHANDLER_ASSIGN(auto rows, lake::read_daily(*storage, symbol));
      keep_days(rows, bounds);
      if (rows.size() == 0) continue;
      const ConstantColumn name{"symbol", symbol};
      CHANDLER_TRY(sink(owning_batch(std::move(rows), lake::daily_columns, std::span(&name, 1))));
    }
    return {};
  };
  const ConstantColumn name{"symbol", {}};
  return {schema_of(lake::daily_columns(candles::DailyRows{}), std::span(&name, 1)), job};
}

}  // namespace

void bind_lake(nb::module_& module) {
  nb::class_<Lake>(module, "Lake", "A lake's files, for reading.")
      .def(nb::init<const std::string&>(), nb::arg("uri"))
      .def_prop_ro("uri", &Lake::uri)
      .def("symbols", &Lake::symbols)
      .def("folders", &Lake::folders)
      .def("status", &Lake::status, nb::arg("symbols"))
      .def("gaps", &Lake::gaps, nb::arg("symbols"), nb::arg("min_minutes"))
      .def("latest_run", &Lake::latest_run)
      .def("forecast", &Lake::forecast, nb::arg("run"), nb::arg("symbol"))
      .def("metrics", &Lake::metrics, nb::arg("run"), nb::arg("symbol"))
      .def("candles", &Lake::candles, nb::arg("symbol"), nb::arg("interval"), nb::arg("start").none(),
           nb::arg("end").none(), nb::arg("fill"), nb::arg("provisional"), nb::arg("columns").none())
      .def(
          "daily_filled",
          [](const Lake& lake, const std::vector<std::string>& symbols, std::optional<std::int32_t> first,
             std::optional<std::int32_t> until) {
            return lake.daily_filled(symbols, {first, until});
          },
          nb::arg("symbols"), nb::arg("first").none(), nb::arg("until").none());
}

}  // namespace chandler::python
