#include "python/arrow_border.hpp"

#include <arrow/api.h>
#include <arrow/c/abi.h>
#include <arrow/c/bridge.h>
#include <fmt/format.h>
#include <nanobind/stl/string.h>

#include "python/errors.hpp"

namespace nb = nanobind;

namespace chandler::python {
namespace {

constexpr const char* kStream = "arrow_array_stream";
constexpr const char* kSchema = "arrow_schema";
constexpr const char* kArray = "arrow_array";

template <class T>
T value(arrow::Result<T>&& result, const char* doing) {
  if (!result.ok()) raise(from_arrow(result.status(), doing));
  return std::move(result).MoveValueUnsafe();
}

template <class C>
C* content(nb::handle capsule, const char* name) {
  auto* pointer = static_cast<C*>(PyCapsule_GetPointer(capsule.ptr(), name));
  if (pointer == nullptr) throw nb::python_error();
  if (pointer->release == nullptr) {
    raise({ErrorCode::usage, "the Arrow data has been read already", {}, "hand over a fresh stream"});
  }
  return pointer;
}

// The consumer sets `release` to null when it takes the content over.
template <class C>
nb::object capsule_of(std::unique_ptr<C> c, const char* name) {
  const auto destroy = [](PyObject* capsule) {
    auto* pointer = static_cast<C*>(PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule)));
    if (pointer->release != nullptr) pointer->release(pointer);
    delete pointer;
  };
  nb::object capsule = nb::steal(PyCapsule_New(c.get(), name, destroy));
  if (!capsule.is_valid()) throw nb::python_error();
  c.release();
  return capsule;
}

std::shared_ptr<arrow::RecordBatchReader> reader_of(std::shared_ptr<arrow::Schema> schema,
                                                    arrow::RecordBatchVector batches) {
  return value(arrow::RecordBatchReader::Make(std::move(batches), std::move(schema)), "cannot read the data");
}

std::shared_ptr<arrow::RecordBatchReader> from_column(const arrow::ArrayVector& chunks,
                                                      const std::shared_ptr<arrow::DataType>& type) {
  auto schema = arrow::schema({arrow::field("", type)});
  arrow::RecordBatchVector batches;
  for (const auto& chunk : chunks)
    batches.push_back(arrow::RecordBatch::Make(schema, chunk->length(), {chunk}));
  return reader_of(std::move(schema), std::move(batches));
}

bool is_struct(ArrowArrayStream* stream) {
  ArrowSchema schema{};
  if (stream->get_schema(stream, &schema) != 0) {
    const char* reason = stream->get_last_error(stream);
    raise({ErrorCode::invalid_data,
           fmt::format("the Arrow stream has no schema: {}", reason ? reason : ""),
           {},
           {}});
  }
  const bool is = schema.format != nullptr && std::string_view(schema.format) == "+s";
  if (schema.release != nullptr) schema.release(&schema);
  return is;
}

std::shared_ptr<arrow::RecordBatchReader> from_stream(nb::handle capsule) {
  auto* stream = content<ArrowArrayStream>(capsule, kStream);
  if (is_struct(stream)) return value(arrow::ImportRecordBatchReader(stream), "cannot read the Arrow stream");
  const auto column = value(arrow::ImportChunkedArray(stream), "cannot read the Arrow stream");
  return from_column(column->chunks(), column->type());
}

std::shared_ptr<arrow::RecordBatchReader> from_array(nb::handle pair) {
  auto* schema = content<ArrowSchema>(pair[0], kSchema);
  auto* array = content<ArrowArray>(pair[1], kArray);
  if (schema->format != nullptr && std::string_view(schema->format) == "+s") {
    auto batch = value(arrow::ImportRecordBatch(array, schema), "cannot read the Arrow batch");
    return reader_of(batch->schema(), {batch});
  }
  const auto column = value(arrow::ImportArray(array, schema), "cannot read the Arrow array");
  return from_column({column}, column->type());
}

}  // namespace

std::shared_ptr<arrow::RecordBatchReader> batches_of(nb::handle data) {
  if (nb::hasattr(data, "__arrow_c_stream__")) return from_stream(data.attr("__arrow_c_stream__")());
  if (nb::hasattr(data, "__arrow_c_array__")) return from_array(data.attr("__arrow_c_array__")());
  raise({ErrorCode::usage,
         fmt::format("a {} does not speak the Arrow PyCapsule interface",
                     nb::cast<std::string>(nb::str(data.type().attr("__name__")))),
         {},
         "pass a frame or table of Polars, pandas (2.2 or newer), pyarrow or DuckDB, or one of chandler"});
}

nb::object stream_capsule(std::shared_ptr<arrow::RecordBatchReader> reader) {
  auto stream = std::make_unique<ArrowArrayStream>();
  const auto status = arrow::ExportRecordBatchReader(std::move(reader), stream.get());
  if (!status.ok()) raise(from_arrow(status, "cannot export the stream"));
  return capsule_of(std::move(stream), kStream);
}

nb::object schema_capsule(const arrow::Schema& schema) {
  auto exported = std::make_unique<ArrowSchema>();
  const auto status = arrow::ExportSchema(schema, exported.get());
  if (!status.ok()) raise(from_arrow(status, "cannot export the schema"));
  return capsule_of(std::move(exported), kSchema);
}

}  // namespace chandler::python
