// What `consume` and `live` show while they run and say when they end.
#pragma once

#include "cli/command.hpp"
#include "speed/consume.hpp"

namespace chandler::cli {

// A table that is drawn anew every second on a terminal (price, provisional day, lag, rates), a line of
// figures every minute elsewhere; and the days that were stored, for the end.
class SpeedScreen final : public speed::SpeedObserver {
 public:
  SpeedScreen(const Context& context, lake::Storage& storage, const speed::Figures& figures, bool live);
  void on_progress(const speed::Pipeline& pipeline,
                   const std::set<std::pair<std::string, Day>>& touched) override;

  // The days that were stored, from the lake, as a table or JSON; then the figures.
  Status print_days() const;

 private:
  void draw(const speed::Pipeline& pipeline);
  void log_line(const speed::Pipeline& pipeline) const;
  void refresh_days();
  std::size_t rows_drawn(std::size_t columns) const;
  std::vector<std::string> figures_parts(const speed::Pipeline& pipeline, double seconds);

  struct DayRow {
    double open = 0, high = 0, low = 0, close = 0, volume = 0, vwap = 0;
    std::int64_t trades = 0;
    int minutes = 0;
    bool provisional = false;
  };

  const Context& context_;
  lake::Storage& storage_;
  const speed::Figures& figures_;
  bool live_;
  bool terminal_;
  std::chrono::nanoseconds drawn_{0}, logged_;
  std::uint64_t last_messages_ = 0;
  std::map<std::string, std::uint64_t> last_by_symbol_;
  std::set<std::pair<std::string, Day>> touched_;
  std::map<std::string, Day> stale_;  // newest touched day per symbol, to be read again
  std::map<std::string, DayRow> days_;
  std::vector<std::size_t> drawn_widths_;  // of the lines that were drawn last
};

}  // namespace chandler::cli
