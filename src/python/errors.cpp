#include "python/errors.hpp"

#include <arrow/status.h>

namespace nb = nanobind;

namespace chandler::python {

void raise(const Error& error) {
  const nb::object exception =
      nb::module_::import_("chandler.errors")
          .attr("from_code")(name(error.code), error.what.c_str(), error.where.c_str(), error.remedy.c_str());
  PyErr_SetObject(exception.type().ptr(), exception.ptr());
  throw nb::python_error();
}

Error from_arrow(const arrow::Status& status, std::string doing) {
  return {ErrorCode::invalid_data, std::move(doing) + ": " + status.message(), {}, {}};
}

}  // namespace chandler::python
