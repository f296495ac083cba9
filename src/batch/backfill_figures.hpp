// What a backfill counts as it goes, for whoever watches from another thread. The report has the final word.
#pragma once

#include <atomic>
#include <cstdint>

namespace chandler::batch {

struct BackfillFigures {
  using Count = std::atomic<std::uint64_t>;
  Count symbols{0}, symbols_done{0};  // done: all that could be had is stored, or there is an error
  Count symbol_errors{0};             // symbols that could not be worked on at all
  Count received{0};                  // candles, as they come
  Count added{0}, replaced{0}, rejected{0};
  Count files_written{0};
  Count unanswered{0};  // ranges for which no answer was had
};

}  // namespace chandler::batch
