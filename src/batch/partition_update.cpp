#include "batch/partition_update.hpp"

#include <algorithm>

#include "candles/gaps.hpp"

namespace chandler::batch {
namespace {

template <class T>
void add_named(std::vector<T>& named, std::size_t& count, std::vector<T>&& more) {
  count += more.size();
  for (T& item : more) {
    if (named.size() == kNamed) break;
    named.push_back(std::move(item));
  }
}

// The pages in order of time, so that cleaning them costs one pass and no sort.
candles::Klines joined(std::vector<candles::Klines> pages) {
  std::ranges::sort(pages, {}, [](const candles::Klines& page) { return page.open_time.front(); });
  std::size_t rows = 0;
  for (const auto& page : pages) rows += page.size();
  candles::Klines all;
  all.reserve(rows);
  for (const auto& page : pages) all.append(page);
  return all;
}

// The answered ranges that hold none of the rows.
RangeSet without_rows(const RangeSet& answered, const candles::Klines& rows, candles::Interval interval) {
  RangeSet holes = answered;
  holes.subtract(candles::present_ranges(rows.open_time, grid_of(interval)));
  return holes;
}

}  // namespace

bool PartitionUpdate::take(Fetched fetched, Piece::Origin origin) {
  RangeSet& from = origin == Piece::Origin::archive_month ? came_from_.months
                   : origin == Piece::Origin::archive_day ? came_from_.days
                                                          : came_from_.rest;
  from.add(fetched.answered);
  if (!fetched.rows.empty()) pages_.push_back(std::move(fetched.rows));
  answered_.add(fetched.answered);
  truncated_ += fetched.truncated_close_times;
  rejected_lines_ += fetched.rejected_lines;
  std::ranges::move(fetched.unanswered, std::back_inserter(unanswered_));
  std::ranges::move(fetched.notes, std::back_inserter(notes_));
  return --open_pieces_ == 0;
}

Status PartitionUpdate::commit(lake::Storage& storage, candles::Interval interval, candles::Ties ties,
                               SymbolBackfill& report) {
  std::ranges::sort(unanswered_, {}, [](const Unanswered& u) { return u.range.begin; });
  std::ranges::move(unanswered_, std::back_inserter(report.unanswered));
  std::ranges::move(notes_, std::back_inserter(report.notes));
  report.came_from.months.add(came_from_.months);
  report.came_from.days.add(came_from_.days);
  report.came_from.rest.add(came_from_.rest);
  report.truncated_close_times += truncated_;
  report.rejected_rows += rejected_lines_;

  candles::Cleaned cleaned = candles::clean(joined(std::move(pages_)), grid_of(interval));
  add_named(report.rejected, report.rejected_rows, std::move(cleaned.rejected));
  report.fetched += cleaned.rows.size();
  report.holes.add(without_rows(answered_, cleaned.rows, interval));

  CHANDLER_ASSIGN(lake::KlineFile stored, lake::read_kline_file(storage, partition_));
  candles::Merged merged = candles::merge(stored.rows, cleaned.rows, ties);
  report.added += merged.added;
  report.replaced += merged.replaced;
  add_named(report.differences, report.different_rows, std::move(merged.differences));

  RangeSet asked = stored.asked;
  asked.add(answered_);
  if (merged.added == 0 && merged.replaced == 0 && asked == stored.asked) return {};
  CHANDLER_ASSIGN(const auto file, lake::kline_file(partition_, merged.rows, asked));
  CHANDLER_TRY(storage.replace(std::span(&file, 1)));
  ++report.files_written;
  return {};
}

}  // namespace chandler::batch
