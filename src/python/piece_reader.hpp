// A job that hands over its result piece by piece, as a stream that its consumer pulls from.
#pragma once

#include <arrow/record_batch.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.hpp"

namespace chandler::python {

using Batch = std::shared_ptr<arrow::RecordBatch>;
using BatchSink = std::function<Status(Batch)>;
// Calls the sink for each batch, in order; an error of the sink ends the work and is returned.
using BatchJob = std::function<Status(const BatchSink&)>;

// Runs the job on a thread of its own, from the first pull on, and at most two batches ahead: memory does not
// grow with the result. Destroyed early, it stops the job at its next batch.
class PieceReader final : public arrow::RecordBatchReader {
 public:
  PieceReader(std::shared_ptr<arrow::Schema> schema, BatchJob job)
      : schema_(std::move(schema)), job_(std::move(job)) {}
  ~PieceReader() override;

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  // nullptr at the end. A failure's message is the whole error as text.
  arrow::Status ReadNext(Batch* batch) override;
  // The same with the error as it was.
  Result<Batch> next();

 private:
  void produce();
  Status offer(Batch batch);

  std::shared_ptr<arrow::Schema> schema_;
  BatchJob job_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> ready_;
  std::optional<Status> outcome_;  // set when the job has ended
  bool abandoned_ = false;
  std::optional<std::thread> thread_;
};

}  // namespace chandler::python
