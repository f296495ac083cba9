// Small tables column by column, for results that are no columns of the lake.
#pragma once

#include <arrow/type_fwd.h>

#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "python/table.hpp"

namespace chandler::python {

// All columns of one length. Missing values, NaN among them, become nulls.
class TableBuilder {
 public:
  void text(std::string name, const std::vector<std::string>& values);
  void numbers(std::string name, const std::vector<double>& values);
  void counts(std::string name, const std::vector<std::int64_t>& values);
  void flags(std::string name, const std::vector<bool>& values);
  void instants(std::string name, const std::vector<std::optional<Timestamp>>& values);
  void days(std::string name, const std::vector<std::optional<Day>>& values);
  Batches finish();

 private:
  void add(std::string name, std::shared_ptr<arrow::Array> array, bool nullable);
  std::vector<std::shared_ptr<arrow::Field>> fields_;
  std::vector<std::shared_ptr<arrow::Array>> arrays_;
};

}  // namespace chandler::python
