#include <algorithm>

#include "exchange/kline_csv.hpp"

namespace chandler::exchange {

Status KlineCsvReader::push(std::string_view bytes, KlineCsvBatch& batch) {
  if (!rows_) {
    pending_ += bytes;
    const bool enough = pending_.size() >= kMaxCsvLine ||
                        std::ranges::count(pending_, '\n') > static_cast<std::ptrdiff_t>(kMaxPreambleLines);
    return enough ? start(batch) : Status{};
  }
  take(bytes, batch);
  return {};
}

Status KlineCsvReader::finish(KlineCsvBatch& batch) {
  if (!rows_) CHANDLER_TRY(start(batch));
  if (!pending_.empty()) {
    line_ += rows_->parse(pending_, line_, batch);
    pending_.clear();
  } else if (skipping_) {
    ++line_;
  }
  return {};
}

Status KlineCsvReader::start(KlineCsvBatch& batch) {
  CHANDLER_ASSIGN(const LayoutFound found, find_layout(pending_));
  rows_ = std::make_unique<KlineCsvRows>(found.layout, options_);
  line_ += found.preamble_lines;
  const std::string head = std::move(pending_);
  pending_.clear();
  take(std::string_view(head).substr(found.preamble_bytes), batch);
  return {};
}

// Lines that lie whole in `bytes` are read where they are; only the first and the last are copied.
void KlineCsvReader::take(std::string_view bytes, KlineCsvBatch& batch) {
  if (!pending_.empty() || skipping_) {
    const std::size_t newline = bytes.find('\n');
    if (newline == std::string_view::npos) return keep(bytes, batch);
    if (skipping_) {
      skipping_ = false;
      ++line_;
    } else {
      pending_ += bytes.substr(0, newline + 1);
      line_ += rows_->parse(pending_, line_, batch);
      pending_.clear();
    }
    bytes.remove_prefix(newline + 1);
  }
  const std::size_t whole = bytes.rfind('\n') + 1;  // npos + 1 is 0
  line_ += rows_->parse(bytes.substr(0, whole), line_, batch);
  keep(bytes.substr(whole), batch);
}

void KlineCsvReader::keep(std::string_view bytes, KlineCsvBatch& batch) {
  if (skipping_) return;
  pending_ += bytes;
  if (pending_.size() <= kMaxCsvLine) return;
  batch.rejects.push_back({line_, "the line is longer than 64 KiB"});
  pending_.clear();
  skipping_ = true;
}

}  // namespace chandler::exchange
