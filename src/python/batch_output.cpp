#include "python/batch_output.hpp"

#include <arrow/api.h>
#include <arrow/util/bit_util.h>

#include <cmath>
#include <new>

#include "lake/arrow_type.hpp"

namespace chandler::python {
namespace {

using lake::Column;
using lake::ColumnType;

class SharedBuffer final : public arrow::Buffer {
 public:
  SharedBuffer(const void* data, std::size_t bytes, std::shared_ptr<const void> owner)
      : arrow::Buffer(static_cast<const std::uint8_t*>(data != nullptr ? data : &nothing_),
                      static_cast<std::int64_t>(bytes)),
        owner_(std::move(owner)) {}

 private:
  inline static const std::uint64_t nothing_ = 0;  // consumers take no null for an empty buffer
  std::shared_ptr<const void> owner_;
};

// Only memory can run out here.
template <class T>
T must(arrow::Result<T>&& result) {
  if (!result.ok()) throw std::bad_alloc();
  return std::move(result).MoveValueUnsafe();
}
void must(const arrow::Status& status) {
  if (!status.ok()) throw std::bad_alloc();
}

std::shared_ptr<arrow::DataType> type_of(ColumnType type) {
  return lake::arrow_type_of(type, arrow::uint8());
}

template <class T>
bool is_unknown(T value) {
  if constexpr (std::is_same_v<T, double>) {
    return std::isnan(value);
  } else {
    return value == candles::kUnknownTrades;
  }
}

// nullptr where nothing is null.
template <class T>
std::shared_ptr<arrow::Buffer> validity(std::span<const T> values, std::int64_t& nulls) {
  nulls = 0;
  for (const T v : values) nulls += is_unknown(v) ? 1 : 0;
  if (nulls == 0) return nullptr;
  auto bitmap = must(arrow::AllocateBitmap(static_cast<std::int64_t>(values.size())));
  std::uint8_t* bits = bitmap->mutable_data();
  for (std::size_t i = 0; i < values.size(); ++i)
    arrow::bit_util::SetBitTo(bits, static_cast<std::int64_t>(i), !is_unknown(values[i]));
  return bitmap;
}

std::shared_ptr<arrow::Buffer> packed(std::span<const std::uint8_t> values) {
  auto bitmap = must(arrow::AllocateEmptyBitmap(static_cast<std::int64_t>(values.size())));
  std::uint8_t* bits = bitmap->mutable_data();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] != 0) arrow::bit_util::SetBit(bits, static_cast<std::int64_t>(i));
  }
  return bitmap;
}

std::shared_ptr<arrow::Array> source_words() {
  static const std::shared_ptr<arrow::Array> words =
      text_array({std::string(name(candles::Source::import)), std::string(name(candles::Source::stream)),
                  std::string(name(candles::Source::rest)), std::string(name(candles::Source::archive))});
  return words;
}

std::shared_ptr<arrow::ArrayData> array_of(const Column& column, const std::shared_ptr<const void>& owner) {
  return std::visit(
      [&](auto values) {
        using T = std::remove_const_t<typename decltype(values)::element_type>;
        const auto length = static_cast<std::int64_t>(values.size());
        const auto type = type_of(column.type);
        if constexpr (std::is_same_v<T, std::uint8_t>) {
          return arrow::ArrayData::Make(type, length, {nullptr, packed(values)}, 0);
        } else {
          auto data = std::make_shared<SharedBuffer>(values.data(), values.size_bytes(), owner);
          std::int64_t nulls = 0;
          std::shared_ptr<arrow::Buffer> bitmap;
          if constexpr (std::is_same_v<T, double> || std::is_same_v<T, std::int64_t>) {
            if (column.nullable) bitmap = validity(values, nulls);
          }
          auto array = arrow::ArrayData::Make(type, length, {std::move(bitmap), std::move(data)}, nulls);
          if constexpr (std::is_same_v<T, candles::Source>) array->dictionary = source_words()->data();
          return array;
        }
      },
      column.values);
}

std::shared_ptr<arrow::Array> repeated(const std::string& value, std::int64_t length) {
  arrow::StringBuilder builder;
  must(builder.Reserve(length));
  must(builder.ReserveData(length * static_cast<std::int64_t>(value.size())));
  for (std::int64_t i = 0; i < length; ++i) builder.UnsafeAppend(value);
  return must(builder.Finish());
}

}  // namespace

std::shared_ptr<arrow::Schema> schema_of(std::span<const Column> columns,
                                         std::span<const ConstantColumn> constants) {
  arrow::FieldVector fields;
  for (const auto& constant : constants) fields.push_back(arrow::field(constant.name, arrow::utf8(), false));
  for (const Column& c : columns)
    fields.push_back(arrow::field(std::string(c.name), type_of(c.type), c.nullable));
  return arrow::schema(std::move(fields));
}

std::shared_ptr<arrow::RecordBatch> batch_of(std::span<const Column> columns,
                                             std::shared_ptr<const void> owner,
                                             std::span<const ConstantColumn> constants) {
  std::vector<std::shared_ptr<arrow::ArrayData>> arrays;
  for (const Column& column : columns) arrays.push_back(array_of(column, owner));
  const std::int64_t rows = arrays.empty() ? 0 : arrays.front()->length;
  std::vector<std::shared_ptr<arrow::ArrayData>> all;
  for (const auto& constant : constants) all.push_back(repeated(constant.value, rows)->data());
  all.insert(all.end(), arrays.begin(), arrays.end());
  return arrow::RecordBatch::Make(schema_of(columns, constants), rows, std::move(all));
}

std::shared_ptr<arrow::Array> text_array(const std::vector<std::string>& values) {
  arrow::StringBuilder builder;
  must(builder.AppendValues(values));
  return must(builder.Finish());
}

}  // namespace chandler::python
