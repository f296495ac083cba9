// Our columns as Arrow batches. The memory stays where it is: a batch keeps its owner alive.
#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <string_view>
#include <vector>

#include "lake/table_file.hpp"

namespace chandler::python {

// A column of text that is the same in every row, such as the symbol.
struct ConstantColumn {
  std::string name;
  std::string value;
};

// `columns` point into what `owner` owns; the constant columns come first. Numbers are not copied, flags are
// packed to bits, unknown values become nulls by a bitmap. All columns are of one length.
std::shared_ptr<arrow::RecordBatch> batch_of(std::span<const lake::Column> columns,
                                             std::shared_ptr<const void> owner,
                                             std::span<const ConstantColumn> constants = {});

// The schema that batch_of gives.
std::shared_ptr<arrow::Schema> schema_of(std::span<const lake::Column> columns,
                                         std::span<const ConstantColumn> constants = {});

// Moves `rows` into shared memory and makes a batch of columns_of(rows).
template <class Rows, class ColumnsOf>
std::shared_ptr<arrow::RecordBatch> owning_batch(Rows rows, ColumnsOf columns_of,
                                                 std::span<const ConstantColumn> constants = {}) {
  const auto owner = std::make_shared<const Rows>(std::move(rows));
  const std::vector<lake::Column> columns = columns_of(*owner);
  return batch_of(columns, owner, constants);
}

// Text columns are not columns of the lake: tables that have some are built from these.
std::shared_ptr<arrow::Array> text_array(const std::vector<std::string>& values);

}  // namespace chandler::python
