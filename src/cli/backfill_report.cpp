#include "cli/backfill_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "batch/backfill_plan.hpp"
#include "cli/kline_difference.hpp"
#include "cli/terminal.hpp"

namespace chandler::cli {
namespace {

using batch::BackfillReport;
using batch::SymbolBackfill;

constexpr std::size_t kShown = 5;
// Of so many symbols it is told which range came from where; of more, --json says it.
constexpr std::size_t kFewSymbols = 8;

Json to_json(const RangeSet& ranges) {
  Json list = Json::array();
  for (const TimeRange& r : ranges)
    list.push_back({{"from", format_instant(r.begin)}, {"to", format_instant(r.end)}});
  return list;
}

Json rejected_json(const SymbolBackfill& s, candles::Interval interval) {
  Json list = Json::array();
  for (const auto& r : s.rejected) {
    list.push_back({{"open_time", format_instant(from_ms(r.kline.open_time))},
                    {"reason", candles::describe(r.reason, batch::grid_of(interval))}});
  }
  return list;
}

Json differences_json(const SymbolBackfill& s) {
  Json list = Json::array();
  for (const auto& d : s.differences) {
    list.push_back({{"open_time", format_instant(from_ms(d.stored.open_time))},
                    {"stored_source", candles::name(d.stored.source)},
                    {"stored_close", d.stored.close},
                    {"incoming_source", candles::name(d.incoming.source)},
                    {"incoming_close", d.incoming.close},
                    {"kept", d.incoming_won ? "incoming" : "stored"}});
  }
  return list;
}

Json unanswered_json(const SymbolBackfill& s) {
  Json list = Json::array();
  for (const auto& u : s.unanswered) {
    list.push_back({{"from", format_instant(u.range.begin)},
                    {"to", format_instant(u.range.end)},
                    {"error", cli::to_json(u.error)}});
  }
  return list;
}

std::int64_t candles_in(const RangeSet& ranges, candles::Interval interval) {
  return ranges.length().count() / batch::grid_of(interval);
}

Json to_json(const SymbolBackfill& s, candles::Interval interval) {
  Json j;
  j["symbol"] = s.symbol;
  if (s.error) j["error"] = cli::to_json(*s.error);
  j["stored_before"] = s.stored_before;
  j["missing"] = candles_in(s.missing, interval);
  j["missing_ranges"] = to_json(s.missing);
  j["fetched"] = s.fetched;
  j["added"] = s.added;
  j["replaced"] = s.replaced;
  j["truncated_close_times"] = s.truncated_close_times;
  j["rejected_rows"] = s.rejected_rows;
  j["rejected"] = rejected_json(s, interval);
  j["different_rows"] = s.different_rows;
  j["differences"] = differences_json(s);
  j["unanswered"] = unanswered_json(s);
  j["came_from"] = {{"monthly_archives", to_json(s.came_from.months)},
                    {"daily_archives", to_json(s.came_from.days)},
                    {"rest", to_json(s.came_from.rest)}};
  j["holes"] = to_json(s.holes);
  if (s.nothing_from) {
    j["nothing_from"] = format_instant(*s.nothing_from);
    j["exchange_status"] = s.status;
  }
  j["notes"] = s.notes;
  j["files_written"] = s.files_written + s.derived.files_written;
  j["days"] = s.derived.days;
  j["filled_days"] = s.derived.filled;
  j["first_day"] = s.derived.first ? Json(format_day(*s.derived.first)) : Json(nullptr);
  j["last_day"] = s.derived.last ? Json(format_day(*s.derived.last)) : Json(nullptr);
  return j;
}

void print_details(const SymbolBackfill& s, candles::Interval interval) {
  for (std::size_t i = 0; i < std::min(kShown, s.holes.ranges().size()); ++i) {
    const TimeRange& hole = s.holes.ranges()[i];
    print(fmt::format("{}: the exchange has nothing in {} ({})\n", s.symbol, format_range(hole),
                      format_duration(hole.length())));
  }
  if (s.holes.ranges().size() > kShown)
    print(fmt::format("{}: … and {} more holes\n", s.symbol, group_digits(s.holes.ranges().size() - kShown)));
  if (s.nothing_from) {
    print(fmt::format("{}: not traded now ({}); the exchange has nothing from {} on\n", s.symbol, s.status,
                      format_minute(*s.nothing_from)));
  }
  for (std::size_t i = 0; i < std::min(kShown, s.rejected.size()); ++i) {
    print(fmt::format("{}: rejected {}: {}\n", s.symbol,
                      format_instant(from_ms(s.rejected[i].kline.open_time)),
                      candles::describe(s.rejected[i].reason, batch::grid_of(interval))));
  }
  for (std::size_t i = 0; i < std::min(kShown, s.differences.size()); ++i) {
    const auto& d = s.differences[i];
    const auto [stored, received] = difference_of(d.stored, d.incoming);
    print(fmt::format("{}: {} differs: stored {} ({}), received {} ({}); kept the {}\n", s.symbol,
                      format_minute(from_ms(d.stored.open_time)), stored, candles::name(d.stored.source),
                      received, candles::name(d.incoming.source),
                      d.incoming_won ? "received one" : "stored one"));
  }
  if (s.different_rows > kShown)
    print(fmt::format("{}: … {} rows differ in all\n", s.symbol, s.different_rows));
  for (std::size_t i = 0; i < std::min(kShown, s.notes.size()); ++i)
    print(fmt::format("{}: {}\n", s.symbol, s.notes[i]));
  if (s.notes.size() > kShown)
    print(fmt::format("{}: … and {} more notes; --json has each\n", s.symbol, s.notes.size() - kShown));
}

std::string listed(const RangeSet& ranges) {
  std::vector<std::string> texts;
  for (const TimeRange& range : ranges) texts.push_back(format_range(range));
  const std::size_t more = texts.size() > kShown ? texts.size() - kShown : 0;
  texts.resize(texts.size() - more);
  return fmt::format("{}{}", fmt::join(texts, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
}

void print_origins(const SymbolBackfill& s) {
  std::vector<std::string> parts;
  const auto add = [&](const char* from, const RangeSet& ranges) {
    if (!ranges.empty()) parts.push_back(fmt::format("{} {}", from, listed(ranges)));
  };
  add("from monthly files", s.came_from.months);
  add("from daily files", s.came_from.days);
  add("by REST", s.came_from.rest);
  if (!parts.empty()) print(fmt::format("{}: {}\n", s.symbol, fmt::join(parts, "; ")));
}

// What lies side by side, fails alike and has one remedy is told once, with the first as the example.
void print_unanswered(const SymbolBackfill& s) {
  std::size_t told = 0;
  for (std::size_t i = 0; i < s.unanswered.size();) {
    TimeRange range = s.unanswered[i].range;
    Error error = s.unanswered[i].error;
    std::size_t pieces = 1;
    for (; i + pieces < s.unanswered.size(); ++pieces) {
      const batch::Unanswered& next = s.unanswered[i + pieces];
      if (next.range.begin != range.end || next.error.code != error.code || next.error.remedy != error.remedy)
        break;
      range.end = next.range.end;
    }
    i += pieces;
    error.what = fmt::format("{} is missing {}{}: {}", s.symbol, format_range(range),
                             pieces > 1 ? fmt::format(", in {} pieces; the first", pieces) : "", error.what);
    print_error(error);
    if (++told == kShown && i < s.unanswered.size()) {
      print_warning(fmt::format("{} is missing {} more ranges; --json names each", s.symbol,
                                group_digits(s.unanswered.size() - i)));
      break;
    }
  }
}

void print_failures(const BackfillReport& report) {
  for (const SymbolBackfill& s : report.symbols) {
    if (s.error) print_error(*s.error);
    print_unanswered(s);
  }
}

// What came of it, in words that fit what came.
std::string outcome(const BackfillReport& report, candles::Interval interval) {
  if (report.nothing_was_missing()) return "Nothing was missing";
  std::int64_t missing = 0, fetched = 0;
  std::size_t failed = 0;
  bool all_answered = !report.interrupted;
  for (const SymbolBackfill& s : report.symbols) {
    if (s.error) ++failed;
    if (!s.unanswered.empty()) all_answered = false;
    missing += candles_in(s.missing, interval);
    fetched += static_cast<std::int64_t>(s.fetched);
  }
  if (!all_answered) {
    const std::string of = fmt::format("{} missing {}", group_digits(missing),
                                       interval == candles::Interval::d1 ? "days" : "minutes");
    return fetched == 0 ? "Fetched nothing of " + of
                        : fmt::format("Fetched {} of {}", group_digits(fetched), of);
  }
  if (failed == report.symbols.size()) return "Fetched nothing";
  return failed == 0 ? "Fetched what was missing"
                     : fmt::format("Fetched what was missing of {} of {} symbols",
                                   report.symbols.size() - failed, report.symbols.size());
}

void print_table(const BackfillReport& report, candles::Interval interval, bool colour) {
  TextTable table({{"symbol"},
                   {"missing", Align::right},
                   {"fetched", Align::right},
                   {"added", Align::right, 3},
                   {"replaced", Align::right, 6},
                   {"rejected", Align::right, 4},
                   {"differ", Align::right, 5},
                   {"holes", Align::right, 2},
                   {"days", Align::right, 1},
                   {"filled", Align::right, 7},
                   {"first day", Align::left, 8},
                   {"last day"}});
  const auto day = [](const std::optional<Day>& d) { return d ? format_day(*d) : "-"; };
  for (const SymbolBackfill& s : report.symbols) {
    if (s.error && s.stored_before == 0) continue;
    table.add({s.symbol, group_digits(candles_in(s.missing, interval)), group_digits(s.fetched),
               group_digits(s.added), group_digits(s.replaced), group_digits(s.rejected_rows),
               group_digits(s.different_rows), group_digits(candles_in(s.holes, interval)),
               group_digits(s.derived.days), group_digits(s.derived.filled), day(s.derived.first),
               day(s.derived.last)});
  }
  if (table.rows() > 0) print(table.to_text(colour, stdout_columns()));
}

void print_archive(const exchange::ArchiveCounters& archive) {
  std::string text = fmt::format("From the archive: {}, {:.1f} MB; {} not published",
                                 counted(archive.files, "file", "files"),
                                 static_cast<double>(archive.bytes) / 1e6, group_digits(archive.absent));
  if (archive.unusable > 0) text += fmt::format("; {} wrong each time", group_digits(archive.unusable));
  print(fmt::format("{}; {} failed\n", text, counted(archive.mismatches, "check", "checks")));
}

}  // namespace

Json to_json(const BackfillReport& report, candles::Interval interval) {
  Json symbols = Json::array();
  for (const SymbolBackfill& s : report.symbols) symbols.push_back(to_json(s, interval));
  return {{"interval", candles::name(interval)},
          {"exchange_time", format_instant(report.exchange_now)},
          {"complete", report.complete()},
          {"interrupted", report.interrupted},
          {"nothing_to_do", report.nothing_was_missing()},
          {"duration_seconds", std::chrono::duration<double>(report.duration).count()},
          {"weight_used", report.weight_used},
          {"requests", report.requests.requests},
          {"retries", report.requests.retries},
          {"told_to_wait", report.requests.told_to_wait},
          {"archive",
           {{"files", report.archive.files},
            {"not_published", report.archive.absent},
            {"failed_checks", report.archive.mismatches},
            {"unusable", report.archive.unusable},
            {"requests", report.archive.requests},
            {"bytes", report.archive.bytes}}},
          {"left_out", report.left_out},
          {"symbols", std::move(symbols)}};
}

void print_report(const BackfillReport& report, candles::Interval interval, bool colour) {
  print_table(report, interval, colour);
  const bool few = report.symbols.size() <= kFewSymbols;
  for (const SymbolBackfill& s : report.symbols) {
    if (few && report.archive.requests > 0) print_origins(s);
    print_details(s, interval);
  }
  print(fmt::format("{}{} up to {} UTC by the exchange's clock, in {}; {} ({} repeated), weight {}\n",
                    report.interrupted ? "Interrupted; what was finished is kept. " : "",
                    outcome(report, interval), format_minute(report.exchange_now),
                    format_duration(std::chrono::duration_cast<Millis>(report.duration)),
                    counted(report.requests.requests, "request", "requests"),
                    group_digits(report.requests.retries), group_digits(report.weight_used)));
  if (report.archive.requests > 0) print_archive(report.archive);
  print_failures(report);
}

int exit_code_of(const BackfillReport& report) {
  if (report.interrupted) return exit_code(ErrorCode::interrupted);
  if (report.complete()) return kDone;
  // Nothing at all was had, and only because the exchange cannot be reached: that is not "in part".
  bool unreachable = false;
  for (const SymbolBackfill& s : report.symbols) {
    if (!s.error && s.unanswered.empty()) return kDoneInPart;
    if (s.fetched > 0) return kDoneInPart;
    if (s.error && s.error->code != ErrorCode::unreachable) return kDoneInPart;
    for (const auto& u : s.unanswered) {
      if (u.error.code != ErrorCode::unreachable) return kDoneInPart;
    }
    unreachable = true;
  }
  return unreachable ? exit_code(ErrorCode::unreachable) : kDoneInPart;
}

}  // namespace chandler::cli
