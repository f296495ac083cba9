// How results look on a terminal: aligned tables, and a progress bar on stderr.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/number_text.hpp"
#include "base/progress.hpp"

namespace chandler::cli {

enum class Align { left, right };

// Columns as wide as their widest cell (in terminal columns, not bytes), two spaces apart; the heading is
// bold on a terminal.
class TextTable {
 public:
  struct Heading {
    std::string text;
    Align align = Align::left;
    int spare = 0;  // on a narrow terminal columns go, the greatest first; 0: never
  };
  explicit TextTable(std::vector<Heading> headings) : headings_(std::move(headings)) {}
  void add(std::vector<std::string> cells);  // as many as headings
  std::size_t rows() const { return rows_.size(); }
  // No line is wider than `columns`: where columns that can be spared are not enough, lines are cut.
  std::string to_text(bool colour, std::size_t columns = kUnlimited) const;

  static constexpr std::size_t kUnlimited = std::string::npos;

 private:
  std::vector<Heading> headings_;
  std::vector<std::vector<std::string>> rows_;
};

// Columns that UTF-8 text takes on a terminal.
std::size_t text_width(std::string_view text);
// As many whole characters of the text as fit.
std::string_view clipped(std::string_view text, std::size_t columns);
// The parts one after another, two spaces apart, on as many lines as it takes; each line ends with \n.
std::string flowed(const std::vector<std::string>& parts, std::size_t columns);

struct TerminalSize {
  std::size_t columns = 80, rows = 24;
};
// Of the terminal behind the descriptor; 80 × 24 where none tells.
TerminalSize terminal_size(int descriptor);

std::string format_bytes(std::uint64_t bytes);  // 3.2 MiB
std::string format_price(double value);         // as few digits as give the value back; "-" for unknown

struct ProgressState {
  std::string_view stage, unit;
  std::uint64_t done = 0, total = 0;  // total 0: unknown
};
// One line of at most `columns`: where these are few the bar gives way, then the rate, then the amounts.
std::string progress_line(const ProgressState& state, std::chrono::nanoseconds elapsed, std::size_t columns);

// A bar with rate and remaining time when stderr is a terminal, else only the notes; nothing at all if quiet.
std::unique_ptr<Progress> make_progress(Clock& clock, bool quiet);

// How wide a table on stdout may be: no limit where stdout is no terminal.
std::size_t stdout_columns();
bool stdout_shows_colour();

}  // namespace chandler::cli
