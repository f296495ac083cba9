// A Progress that also remembers, so that metrics can tell how far a job is.
#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include "base/progress.hpp"
#include "metrics/families.hpp"

namespace chandler::cli {

class MeasuredProgress final : public Progress {
 public:
  // `shown` sees everything as well, and outlives this.
  explicit MeasuredProgress(Progress& shown) : shown_(shown) {}

  void begin(std::string_view stage, std::uint64_t total, std::string_view unit) override;
  void advance(std::uint64_t amount) override;
  void end() override;
  void note(std::string_view line) override { shown_.note(line); }

  // chandler_stage{stage="fetching"} 1, chandler_stage_done and, where it is known, chandler_stage_size.
  // Between stages the last one is told.
  void add_to(metrics::Families& families) const;

 private:
  Progress& shown_;
  mutable std::mutex mutex_;
  std::string stage_ = "starting";
  std::uint64_t total_ = 0, done_ = 0;
};

}  // namespace chandler::cli
