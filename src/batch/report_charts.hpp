// The pictures of a report: histories in, bytes of files out.
#pragma once

#include <functional>

#include "base/progress.hpp"
#include "batch/report.hpp"

namespace chandler::batch {

struct ReportPlot {
  std::string name;    // file name without its ending, e.g. BTCUSDT_history
  std::string symbol;  // empty for the comparison
  // Not shown on the page: the last 90 days of a symbol that has no more, and, among many symbols, those that
  // the comparison leaves out.
  bool on_page = true;
  std::string svg;  // of those on the page
};

// Takes a picture's file ("BTCUSDT_history.png") as soon as it is drawn: all of them are more than the memory
// should hold. Called from several threads at once.
using KeepPicture = std::function<Status(std::string file, std::string bytes)>;

// Two of every symbol that has days (SYMBOL_history: all of it; SYMBOL_last_90_days), close with MA7 and MA30
// over volume, missing days marked by gaps; then, of two symbols or more, `comparison`: closes on a common
// scale, each 100 on the first day that all have (or on its own first day where they never meet). Each as SVG
// and PNG. On all cores.
Result<std::vector<ReportPlot>> report_plots(const std::vector<SymbolHistory>& histories,
                                             const KeepPicture& keep, Progress& progress,
                                             std::stop_token stop = {});

}  // namespace chandler::batch
