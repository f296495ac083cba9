#include "cli/measured_progress.hpp"

namespace chandler::cli {

void MeasuredProgress::begin(std::string_view stage, std::uint64_t total, std::string_view unit) {
  {
    const std::lock_guard lock(mutex_);
    stage_ = stage;
    total_ = total;
    done_ = 0;
  }
  shown_.begin(stage, total, unit);
}

void MeasuredProgress::advance(std::uint64_t amount) {
  {
    const std::lock_guard lock(mutex_);
    done_ += amount;
  }
  shown_.advance(amount);
}

void MeasuredProgress::end() {
  shown_.end();
}

void MeasuredProgress::add_to(metrics::Families& families) const {
  const std::lock_guard lock(mutex_);
  families.begin_gauge("chandler_stage", "What the job is at");
  families.add(1, {{"stage", stage_}});
  families.gauge("chandler_stage_done", "How much of the stage is done, in its own unit",
                 static_cast<double>(done_));
  if (total_ > 0) {
    families.gauge("chandler_stage_size", "How much there is to do in the stage",
                   static_cast<double>(total_));
  }
}

}  // namespace chandler::cli
