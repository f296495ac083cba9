#include "python/table.hpp"

#include <arrow/api.h>
#include <fmt/format.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "base/time.hpp"
#include "python/arrow_border.hpp"
#include "python/errors.hpp"

namespace nb = nanobind;

namespace chandler::python {
namespace {

nb::object python_value(const arrow::Array& array, std::int64_t row) {
  if (array.IsNull(row)) return nb::none();
  switch (array.type_id()) {
    case arrow::Type::DOUBLE:
      return nb::float_(static_cast<const arrow::DoubleArray&>(array).Value(row));
    case arrow::Type::INT64:
      return nb::int_(static_cast<const arrow::Int64Array&>(array).Value(row));
    case arrow::Type::TIMESTAMP:
      return nb::int_(static_cast<const arrow::TimestampArray&>(array).Value(row));
    case arrow::Type::INT32:
      return nb::int_(static_cast<const arrow::Int32Array&>(array).Value(row));
    case arrow::Type::DATE32:
      return nb::int_(static_cast<const arrow::Date32Array&>(array).Value(row));
    case arrow::Type::BOOL:
      return nb::bool_(static_cast<const arrow::BooleanArray&>(array).Value(row));
    case arrow::Type::STRING: {
      const auto text = static_cast<const arrow::StringArray&>(array).GetView(row);
      return nb::str(text.data(), text.size());
    }
    case arrow::Type::DICTIONARY: {
      const auto& words = static_cast<const arrow::DictionaryArray&>(array);
      return python_value(*words.dictionary(), words.GetValueIndex(row));
    }
    default:
      return nb::none();
  }
}

// "timestamp", "date", "float", …: what Python needs to know to make values of its own.
std::string kind_of(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::DOUBLE:
      return "float";
    case arrow::Type::INT64:
    case arrow::Type::INT32:
      return "int";
    case arrow::Type::TIMESTAMP:
      return "timestamp";
    case arrow::Type::DATE32:
      return "date";
    case arrow::Type::BOOL:
      return "bool";
    default:
      return "str";
  }
}

nb::list fields_of(const arrow::Schema& schema) {
  nb::list fields;
  for (const auto& field : schema.fields())
    fields.append(nb::make_tuple(field->name(), kind_of(*field->type()), field->nullable()));
  return fields;
}

// Rows [first, first + count) of one column; timestamps as ms, dates as days since the epoch.
nb::list column_values(const Batches& table, int column, std::int64_t first, std::int64_t count) {
  nb::list values;
  for (const auto& batch : table.batches) {
    if (count <= 0) break;
    const std::int64_t rows = batch->num_rows();
    if (first >= rows) {
      first -= rows;
      continue;
    }
    const auto array = batch->column(column);
    for (; first < rows && count > 0; ++first, --count) values.append(python_value(*array, first));
    first = 0;
  }
  return values;
}

// One pass over a stream of ours.
class Reader {
 public:
  explicit Reader(const BatchStream& stream)
      : reader_(std::make_shared<PieceReader>(stream.schema, stream.job)) {}
  // None at the end.
  nb::object next() {
    Batch batch = without_gil([&] { return reader_->next(); });
    if (batch == nullptr) return nb::none();
    return nb::cast(Batches(batch));
  }

 private:
  std::shared_ptr<PieceReader> reader_;
};

Batches collect(const BatchStream& stream) {
  PieceReader reader(stream.schema, stream.job);
  Batches all(stream.schema);
  for (;;) {
    Batch batch = without_gil([&] { return reader.next(); });
    if (batch == nullptr) return all;
    all.batches.push_back(std::move(batch));
    if (PyErr_CheckSignals() != 0) throw nb::python_error();  // Ctrl-C between two pieces
  }
}

nb::object export_batches(const Batches& table) {
  auto reader = arrow::RecordBatchReader::Make(table.batches, table.schema);
  if (!reader.ok()) raise(from_arrow(reader.status(), "cannot export the table"));
  return stream_capsule(reader.MoveValueUnsafe());
}

nb::object export_stream(const BatchStream& stream) {
  return stream_capsule(std::make_shared<PieceReader>(stream.schema, stream.job));
}

// Any Arrow data in memory, as batches of ours.
Batches read_all(nb::handle data) {
  const auto reader = batches_of(data);
  Batches all(reader->schema());
  without_gil([&]() -> Status {
    for (;;) {
      Batch batch;
      if (const auto status = reader->ReadNext(&batch); !status.ok())
        return std::unexpected(from_arrow(status, "cannot read the Arrow stream"));
      if (batch == nullptr) return {};
      all.batches.push_back(std::move(batch));
    }
  });
  return all;
}

}  // namespace

std::int64_t Batches::rows() const {
  std::int64_t rows = 0;
  for (const auto& batch : batches) rows += batch->num_rows();
  return rows;
}

void bind_tables(nb::module_& module) {
  nb::class_<Batches>(module, "Batches", "Rows in memory, as Arrow batches.")
      .def_prop_ro("rows", &Batches::rows)
      .def_prop_ro("fields", [](const Batches& t) { return fields_of(*t.schema); })
      .def("values", &column_values, nb::arg("column"), nb::arg("first"), nb::arg("count"))
      .def("stream", &export_batches)
      .def("schema", [](const Batches& t) { return schema_capsule(*t.schema); });

  nb::class_<Reader>(module, "Reader", "One pass over a stream.").def("next", &Reader::next);

  nb::class_<BatchStream>(module, "BatchStream", "A result that is computed while it is read.")
      .def_prop_ro("fields", [](const BatchStream& s) { return fields_of(*s.schema); })
      .def("open", [](const BatchStream& s) { return Reader(s); })
      .def("collect", &collect)
      .def("stream", &export_stream)
      .def("schema", [](const BatchStream& s) { return schema_capsule(*s.schema); });

  module.def("read_all", &read_all, nb::arg("data"));
}

}  // namespace chandler::python
