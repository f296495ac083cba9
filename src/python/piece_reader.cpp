#include "python/piece_reader.hpp"

#include <arrow/status.h>

#include <exception>

namespace chandler::python {
namespace {
constexpr std::size_t kAhead = 2;
}

PieceReader::~PieceReader() {
  if (!thread_) return;
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
  }
  changed_.notify_all();
  thread_->join();
}

Status PieceReader::offer(Batch batch) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return abandoned_ || ready_.size() < kAhead; });
  if (abandoned_) return fail(ErrorCode::interrupted, "nobody reads on");
  ready_.push_back(std::move(batch));
  changed_.notify_all();
  return {};
}

void PieceReader::produce() {
  Status outcome;
  try {
    outcome = job_([this](Batch batch) { return offer(std::move(batch)); });
  } catch (const std::exception& e) {  // memory has run out
    outcome = fail(ErrorCode::internal, e.what());
  }
  const std::lock_guard lock(mutex_);
  outcome_ = std::move(outcome);
  changed_.notify_all();
}

Result<Batch> PieceReader::next() {
  std::unique_lock lock(mutex_);
  if (!thread_) thread_.emplace([this] { produce(); });
  changed_.wait(lock, [&] { return outcome_ || !ready_.empty(); });
  if (!ready_.empty()) {
    Batch batch = std::move(ready_.front());
    ready_.pop_front();
    changed_.notify_all();
    return batch;
  }
  if (!*outcome_) return std::unexpected(outcome_->error());
  return Batch{};
}

arrow::Status PieceReader::ReadNext(Batch* batch) {
  auto piece = next();
  if (!piece) return arrow::Status::IOError(to_text(piece.error()));
  *batch = std::move(*piece);
  return arrow::Status::OK();
}

}  // namespace chandler::python
