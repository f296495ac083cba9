// The Arrow types of a lake's columns, for files and for tables in memory.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>

#include "lake/table_file.hpp"

namespace chandler::lake {

// Words are a dictionary whose codes are of that type.
std::shared_ptr<arrow::DataType> arrow_type_of(ColumnType type,
                                               const std::shared_ptr<arrow::DataType>& code_type);

}  // namespace chandler::lake
