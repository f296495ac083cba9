// The only border of the package: the Arrow C data interface in PyCapsules ("The Arrow PyCapsule Interface",
// Arrow columnar format documentation). Whoever speaks it on the other side has its own copy of Arrow, of any
// version, or none.
#pragma once

#include <arrow/record_batch.h>
#include <nanobind/nanobind.h>

#include "base/error.hpp"

namespace chandler::python {

// The batches of anything with __arrow_c_stream__ or __arrow_c_array__: nothing is copied. An array that is
// no struct becomes the only column, without a name. Raises UsageError for anything else. GIL held.
std::shared_ptr<arrow::RecordBatchReader> batches_of(nanobind::handle data);

// Capsules, whose consumer takes the content over. GIL held.
nanobind::object stream_capsule(std::shared_ptr<arrow::RecordBatchReader> reader);
nanobind::object schema_capsule(const arrow::Schema& schema);

}  // namespace chandler::python
