#include "cli/backfill_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "batch/backfill_plan.hpp"
#include "cli/terminal.hpp"

namespace chandler::cli {
namespace {

using batch::BackfillReport;
using batch::SymbolBackfill;

constexpr std::size_t kShown = 5;

Json to_json(const RangeSet& ranges) {
  Json list = Json::array();
  for (const TimeRange& r : ranges)
    list.push_back({{"from", format_instant(r.begin)}, {"to", format_instant(r.end)}});
  return list;
}

Json rejected_json(const SymbolBackfill& s) {
  Json list = Json::array();
  for (const auto& r : s.rejected) {
    list.push_back(
        {{"open_time", format_instant(from_ms(r.kline.open_time))}, {"reason", candles::describe(r.reason)}});
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
  j["rejected"] = rejected_json(s);
  j["different_rows"] = s.different_rows;
  j["differences"] = differences_json(s);
  j["unanswered"] = unanswered_json(s);
  j["holes"] = to_json(s.holes);
  j["notes"] = s.notes;
  j["files_written"] = s.files_written + s.derived.files_written;
  j["days"] = s.derived.days;
  j["filled_days"] = s.derived.filled;
  j["first_day"] = s.derived.first ? Json(format_day(*s.derived.first)) : Json(nullptr);
  j["last_day"] = s.derived.last ? Json(format_day(*s.derived.last)) : Json(nullptr);
  return j;
}

void print_details(const SymbolBackfill& s) {
  for (std::size_t i = 0; i < std::min(kShown, s.holes.ranges().size()); ++i) {
    const TimeRange& hole = s.holes.ranges()[i];
    print(fmt::format("{}: the exchange has nothing in {} ({})\n", s.symbol, format_range(hole),
                      format_duration(hole.length())));
  }
  if (s.holes.ranges().size() > kShown)
    print(fmt::format("{}: … and {} more holes\n", s.symbol, s.holes.ranges().size() - kShown));
  for (std::size_t i = 0; i < std::min(kShown, s.rejected.size()); ++i) {
    print(fmt::format("{}: rejected {}: {}\n", s.symbol,
                      format_instant(from_ms(s.rejected[i].kline.open_time)),
                      candles::describe(s.rejected[i].reason)));
  }
  for (std::size_t i = 0; i < std::min(kShown, s.differences.size()); ++i) {
    const auto& d = s.differences[i];
    print(fmt::format("{}: {} differs: stored close {} ({}), received {} ({}); kept the {}\n", s.symbol,
                      format_minute(from_ms(d.stored.open_time)), d.stored.close,
                      candles::name(d.stored.source), d.incoming.close, candles::name(d.incoming.source),
                      d.incoming_won ? "received one" : "stored one"));
  }
  if (s.different_rows > kShown)
    print(fmt::format("{}: … {} rows differ in all\n", s.symbol, s.different_rows));
  for (std::size_t i = 0; i < std::min(kShown, s.notes.size()); ++i)
    print(fmt::format("{}: {}\n", s.symbol, s.notes[i]));
  if (s.notes.size() > kShown)
    print(fmt::format("{}: … and {} more notes; --json has each\n", s.symbol, s.notes.size() - kShown));
}

void print_failures(const BackfillReport& report) {
  for (const SymbolBackfill& s : report.symbols) {
    if (s.error) print_error(*s.error);
    for (std::size_t i = 0; i < std::min(kShown, s.unanswered.size()); ++i) {
      Error error = s.unanswered[i].error;
      error.what =
          fmt::format("{} is missing {}: {}", s.symbol, format_range(s.unanswered[i].range), error.what);
      print_error(error);
    }
    if (s.unanswered.size() > kShown) {
      print_warning(
          fmt::format("{} is missing {} ranges in all; --json names each", s.symbol, s.unanswered.size()));
    }
  }
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
            {"requests", report.archive.requests},
            {"bytes", report.archive.bytes}}},
          {"symbols", std::move(symbols)}};
}

void print_report(const BackfillReport& report, candles::Interval interval, bool colour) {
  TextTable table({{"symbol"},
                   {"missing", Align::right},
                   {"fetched", Align::right},
                   {"added", Align::right},
                   {"replaced", Align::right},
                   {"rejected", Align::right},
                   {"differ", Align::right},
                   {"holes", Align::right},
                   {"days", Align::right},
                   {"filled", Align::right},
                   {"first day"},
                   {"last day"}});
  const auto count = [](auto n) { return group_digits(static_cast<std::int64_t>(n)); };
  for (const SymbolBackfill& s : report.symbols) {
    if (s.error && s.stored_before == 0) continue;
    table.add({s.symbol, count(candles_in(s.missing, interval)), count(s.fetched), count(s.added),
               count(s.replaced), count(s.rejected_rows), count(s.different_rows),
               count(candles_in(s.holes, interval)), count(s.derived.days), count(s.derived.filled),
               s.derived.first ? format_day(*s.derived.first) : "-",
               s.derived.last ? format_day(*s.derived.last) : "-"});
  }
  if (table.rows() > 0) print(table.to_text(colour));
  for (const SymbolBackfill& s : report.symbols) print_details(s);
  const auto ms = std::chrono::duration_cast<Millis>(report.duration);
  print(
      fmt::format("{}{} up to {} UTC by the exchange's clock, in {}; {} requests ({} repeated), weight {}\n",
                  report.interrupted ? "Interrupted; what was finished is kept. " : "",
                  report.nothing_was_missing() ? "Nothing was missing" : "Fetched what was missing",
                  format_minute(report.exchange_now), format_duration(ms), count(report.requests.requests),
                  count(report.requests.retries), count(report.weight_used)));
  if (report.archive.requests > 0) {
    print(fmt::format("From the archive: {} files, {:.1f} MB; {} not published, {} failed their checks\n",
                      count(report.archive.files), static_cast<double>(report.archive.bytes) / 1e6,
                      count(report.archive.absent), count(report.archive.mismatches)));
  }
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
