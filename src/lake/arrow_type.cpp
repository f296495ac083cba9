#include "lake/arrow_type.hpp"

#include <arrow/type.h>

namespace chandler::lake {

std::shared_ptr<arrow::DataType> arrow_type_of(ColumnType type,
                                               const std::shared_ptr<arrow::DataType>& code_type) {
  switch (type) {
    case ColumnType::timestamp:
      return arrow::timestamp(arrow::TimeUnit::MILLI, "UTC");
    case ColumnType::date:
      return arrow::date32();
    case ColumnType::int32:
      return arrow::int32();
    case ColumnType::int64:
      return arrow::int64();
    case ColumnType::float64:
      return arrow::float64();
    case ColumnType::boolean:
      return arrow::boolean();
    case ColumnType::source:
      return arrow::dictionary(code_type, arrow::utf8());
  }
  return nullptr;
}

}  // namespace chandler::lake
