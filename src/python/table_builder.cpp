#include "python/table_builder.hpp"

#include <arrow/api.h>

#include <cmath>
#include <new>

#include "python/batch_output.hpp"

namespace chandler::python {
namespace {

// Appending fails only where memory has run out.
void must(const arrow::Status& status) {
  if (!status.ok()) throw std::bad_alloc();
}

template <class Builder, class Values, class Append>
std::shared_ptr<arrow::Array> build(Builder&& builder, const Values& values, Append append) {
  must(builder.Reserve(static_cast<std::int64_t>(values.size())));
  for (const auto& value : values) must(append(builder, value));
  std::shared_ptr<arrow::Array> array;
  must(builder.Finish(&array));
  return array;
}

}  // namespace

void TableBuilder::add(std::string name, std::shared_ptr<arrow::Array> array, bool nullable) {
  fields_.push_back(arrow::field(std::move(name), array->type(), nullable));
  arrays_.push_back(std::move(array));
}

void TableBuilder::text(std::string name, const std::vector<std::string>& values) {
  add(std::move(name), text_array(values), false);
}

void TableBuilder::numbers(std::string name, const std::vector<double>& values) {
  add(std::move(name),
      build(arrow::DoubleBuilder(), values,
            [](auto& b, double v) { return std::isnan(v) ? b.AppendNull() : b.Append(v); }),
      true);
}

void TableBuilder::counts(std::string name, const std::vector<std::int64_t>& values) {
  add(std::move(name),
      build(arrow::Int64Builder(), values, [](auto& b, std::int64_t v) { return b.Append(v); }), false);
}

void TableBuilder::flags(std::string name, const std::vector<bool>& values) {
  add(std::move(name), build(arrow::BooleanBuilder(), values, [](auto& b, bool v) { return b.Append(v); }),
      false);
}

void TableBuilder::instants(std::string name, const std::vector<std::optional<Timestamp>>& values) {
  const auto type = arrow::timestamp(arrow::TimeUnit::MILLI, "UTC");
  add(std::move(name),
      build(arrow::TimestampBuilder(type, arrow::default_memory_pool()), values,
            [](auto& b, const auto& v) { return v ? b.Append(to_ms(*v)) : b.AppendNull(); }),
      true);
}

void TableBuilder::days(std::string name, const std::vector<std::optional<Day>>& values) {
  add(std::move(name),
      build(arrow::Date32Builder(), values,
            [](auto& b, const auto& v) { return v ? b.Append(to_day_number(*v)) : b.AppendNull(); }),
      true);
}

Batches TableBuilder::finish() {
  const std::int64_t rows = arrays_.empty() ? 0 : arrays_.front()->length();
  return Batches(arrow::RecordBatch::Make(arrow::schema(std::move(fields_)), rows, std::move(arrays_)));
}

}  // namespace chandler::python
