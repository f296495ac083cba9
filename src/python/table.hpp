// What kernels and lakes return: batches in memory, or a stream that can be begun any number of times.
#pragma once

#include <nanobind/nanobind.h>

#include <vector>

#include "python/piece_reader.hpp"

namespace chandler::python {

struct Batches {
  std::shared_ptr<arrow::Schema> schema;
  std::vector<Batch> batches;

  explicit Batches(std::shared_ptr<arrow::Schema> s, std::vector<Batch> b = {})
      : schema(std::move(s)), batches(std::move(b)) {}
  explicit Batches(const Batch& batch) : Batches(batch->schema(), {batch}) {}
  std::int64_t rows() const;
};

// Copies of it are cheap; the job is run once for each reader.
struct BatchStream {
  std::shared_ptr<arrow::Schema> schema;
  BatchJob job;
};

void bind_tables(nanobind::module_& module);

}  // namespace chandler::python
