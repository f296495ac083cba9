// chandler.demo(): a lake from history files, by the code that `chandler import` runs.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "batch/derive.hpp"
#include "batch/import_job.hpp"
#include "python/errors.hpp"
#include "python/modules.hpp"

namespace nb = nanobind;

namespace chandler::python {
namespace {

Status import_history(const std::string& uri, const std::string& symbol, const std::vector<std::string>& days,
                      const std::vector<std::string>& minutes) {
  CHANDLER_ASSIGN(const auto storage, lake::open_storage(uri));
  CHANDLER_ASSIGN(const auto lock, storage->lock_for_writing("demo"));
  NoProgress progress;
  for (const auto& [files, interval] :
       {std::pair(&days, candles::Interval::d1), std::pair(&minutes, candles::Interval::m1)}) {
    batch::ImportOptions options;
    options.symbol = symbol;
    options.interval = interval;
    CHANDLER_TRY(batch::import_files(*storage, *files, options, progress));
  }
  CHANDLER_TRY(batch::derive(*storage, {symbol}, batch::Extent::what_changed, progress));
  return {};
}

}  // namespace

void bind_demo(nb::module_& module) {
  module.def(
      "import_history",
      [](const std::string& uri, const std::string& symbol, const std::vector<std::string>& days,
         const std::vector<std::string>& minutes) {
        without_gil([&] { return import_history(uri, symbol, days, minutes); });
      },
      nb::arg("uri"), nb::arg("symbol"), nb::arg("days"), nb::arg("minutes"));
}

}  // namespace chandler::python
