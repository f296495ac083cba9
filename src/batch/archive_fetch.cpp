#include "batch/archive_fetch.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "candles/gaps.hpp"

namespace chandler::batch {
namespace {

using Origin = Piece::Origin;

// Lines of one file that are named in notes; all are counted.
constexpr std::size_t kNamedLines = 5;

std::string title(const Piece& piece) {
  return piece.origin == Origin::archive_month ? format_month(month_of(piece.span.begin))
                                               : format_day(day_of(piece.span.begin));
}

void unanswered(Fetched& fetched, const RangeSet& ranges, const Error& error) {
  for (const TimeRange& range : ranges) fetched.unanswered.push_back({range, error});
}

Error not_published(const exchange::ArchiveClient& archive, const FetchTarget& target, const Piece& piece) {
  return {ErrorCode::not_found,
          fmt::format("the archive has no file of {} for {}", target.symbol, title(piece)),
          archive.base_url(), "use --source auto, which asks the REST API for what the archive lacks"};
}

// 404: a month falls to its days, a day to REST.
void fall_through(const exchange::ArchiveClient& archive, const FetchTarget& target, const Piece& piece,
                  KlineSource source, Timestamp now, ArchiveFetched& outcome) {
  if (piece.origin == Origin::archive_month) {
    outcome.further = plan_days(piece.wanted, target.interval, source, now);
  } else if (source == KlineSource::archive) {
    unanswered(outcome.fetched, piece.wanted, not_published(archive, target, piece));
  } else {
    outcome.further = plan_pages(piece.wanted, target.interval);
  }
}

void note_defects(const exchange::ArchiveFile& file, const Piece& piece, Fetched& fetched) {
  if (!file.checksum_published) {
    fetched.notes.push_back(fmt::format(
        "{} from the archive: no CHECKSUM is published; the zip's own CRC is right", title(piece)));
  }
  fetched.rejected_lines += file.rejects.size();
  for (std::size_t i = 0; i < std::min(kNamedLines, file.rejects.size()); ++i) {
    fetched.notes.push_back(fmt::format("{} from the archive: rejected line {}: {} ({})", title(piece),
                                        file.rejects[i].line, file.rejects[i].reason, file.url));
  }
}

RangeSet without(RangeSet ranges, const candles::Klines& rows, candles::Interval interval) {
  std::vector<std::int64_t> times = rows.open_time;
  std::ranges::sort(times);
  const auto repeats = std::ranges::unique(times);
  times.erase(repeats.begin(), repeats.end());
  ranges.subtract(candles::present_ranges(times, grid_of(interval)));
  return ranges;
}

void note_lacking_days(const Piece& piece, const RangeSet& lacking, Fetched& fetched) {
  for (const TimeRange& range : lacking) {
    if (piece.origin != Origin::archive_month || range.length() < kDay) continue;
    fetched.notes.push_back(fmt::format("{} from the archive lacks {}; its days are asked for one by one",
                                        title(piece), format_range(range)));
  }
}

// Days of which the monthly file has nothing are asked of their daily files. Other holes are real ones more
// often than not, but REST is asked: it may know better, and holes are few.
void complete(const FetchTarget& target, const Piece& piece, KlineSource source, Timestamp now,
              const RangeSet& lacking, ArchiveFetched& outcome) {
  note_lacking_days(piece, lacking, outcome.fetched);
  if (source != KlineSource::archive) {
    outcome.further = piece.origin == Origin::archive_month ? plan_days(lacking, target.interval, source, now)
                                                            : plan_pages(lacking, target.interval);
    return;
  }
  RangeSet absent_days;
  if (piece.origin == Origin::archive_month) {
    for (const TimeRange& range : lacking) {
      for (Day day = day_of(range.begin); begin_of(day) < range.end; day += std::chrono::days{1}) {
        if (range.contains(begin_of(day)) && end_of(day) <= range.end)
          absent_days.add({begin_of(day), end_of(day)});
      }
    }
    outcome.further = plan_days(absent_days, target.interval, source, now);
  }
  RangeSet holes = lacking;  // all that the archive will ever say about them
  holes.subtract(absent_days);
  outcome.fetched.answered.add(holes);
}

void use_file(const exchange::ArchiveFile& file, const FetchTarget& target, const Piece& piece,
              KlineSource source, Timestamp now, ArchiveFetched& outcome) {
  Fetched& fetched = outcome.fetched;
  note_defects(file, piece, fetched);
  fetched.rows = rows_within(file.rows, piece.wanted);
  const RangeSet lacking = without(piece.wanted, fetched.rows, target.interval);
  fetched.answered = piece.wanted;
  fetched.answered.subtract(lacking);
  if (!lacking.empty()) complete(target, piece, source, now, lacking, outcome);
}

}  // namespace

ArchiveFetched without_archive(const FetchTarget& target, const Piece& piece, KlineSource source,
                               const Error& why) {
  ArchiveFetched outcome;
  if (source == KlineSource::archive) {
    unanswered(outcome.fetched, piece.wanted, why);
  } else {
    outcome.further = plan_pages(piece.wanted, target.interval);
  }
  return outcome;
}

ArchiveFetched fetch_from_archive(exchange::ArchiveClient& archive, const FetchTarget& target,
                                  const Piece& piece, KlineSource source, Timestamp now) {
  const auto file =
      piece.origin == Origin::archive_month
          ? archive.fetch_month(target.symbol, target.interval, month_of(piece.span.begin), target.call)
          : archive.fetch_day(target.symbol, target.interval, day_of(piece.span.begin), target.call);
  ArchiveFetched outcome;
  if (file && *file) {
    use_file(**file, target, piece, source, now, outcome);
    return outcome;
  }
  if (file) {
    fall_through(archive, target, piece, source, now, outcome);
    return outcome;
  }
  const Error& error = file.error();
  if (error.code == ErrorCode::interrupted) {
    unanswered(outcome.fetched, piece.wanted, error);
    return outcome;
  }
  outcome = without_archive(target, piece, source, error);
  if (error.code != ErrorCode::invalid_data) {
    outcome.unreachable = error;
  } else if (!outcome.further.empty()) {  // otherwise the error is told
    outcome.fetched.notes.push_back(
        fmt::format("{} from the archive is not used: {}; REST is asked instead", title(piece), error.what));
  }
  return outcome;
}

}  // namespace chandler::batch
