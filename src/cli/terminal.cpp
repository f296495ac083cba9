#include "cli/terminal.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>

#include "base/log.hpp"

namespace chandler::cli {
namespace {

// Code points that take two columns: the blocks of Unicode's East Asian Width "W" and "F" that symbols use.
bool is_wide(std::uint32_t c) {
  constexpr std::pair<std::uint32_t, std::uint32_t> blocks[] = {
      {0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3},   {0xf900, 0xfaff},  {0xfe30, 0xfe6f},
      {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x20000, 0x3fffd}};
  return std::ranges::any_of(blocks, [c](const auto& b) { return b.first <= c && c <= b.second; });
}

struct Character {
  std::size_t bytes = 0, width = 0;
};

// The first character, which is taken off the text.
Character take_character(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  std::uint32_t code = lead < 0x80   ? lead
                       : lead < 0xe0 ? lead & 0x1fU
                       : lead < 0xf0 ? lead & 0x0fU
                                     : lead & 0x07U;
  std::size_t bytes = 1;
  while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) {
    code = code << 6 | (static_cast<unsigned char>(text[bytes++]) & 0x3fU);
  }
  text.remove_prefix(bytes);
  return {bytes, is_wide(code) ? 2U : 1U};
}

std::string padded(const std::string& text, std::size_t width, Align align) {
  const std::string space(width - std::min(width, text_width(text)), ' ');
  return align == Align::left ? text + space : space + text;
}

class NotesOnly final : public Progress {
 public:
  void begin(std::string_view, std::uint64_t, std::string_view) override {}
  void advance(std::uint64_t) override {}
  void end() override {}
  void note(std::string_view line) override {
    const std::string text =
        log_format() == LogFormat::json ? json_log_line("info", line) : fmt::format("{}\n", line);
    std::fputs(text.c_str(), stderr);
  }
};

class Bar final : public Progress {
 public:
  explicit Bar(Clock& clock) : clock_(clock) {}
  ~Bar() override { end(); }

  void begin(std::string_view stage, std::uint64_t total, std::string_view unit) override {
    const std::lock_guard lock(mutex_);
    finish();
    stage_ = stage;
    unit_ = unit;
    total_ = total;
    done_ = 0;
    started_ = drawn_ = clock_.steady();
    active_ = true;
    draw();
  }

  void advance(std::uint64_t amount) override {
    const std::lock_guard lock(mutex_);
    done_ += amount;
    if (active_ && clock_.steady() - drawn_ > std::chrono::milliseconds{100}) draw();
  }

  void end() override {
    const std::lock_guard lock(mutex_);
    finish();
  }

  void note(std::string_view line) override {
    const std::lock_guard lock(mutex_);
    if (active_) std::fputs("\r\x1b[K", stderr);
    std::fputs(fmt::format("{}\n", line).c_str(), stderr);
    if (active_) draw();
  }

 private:
  void finish() {
    if (!active_) return;
    std::fputs("\r\x1b[K", stderr);
    active_ = false;
  }

  void draw() {
    drawn_ = clock_.steady();
    // A line that wraps cannot be drawn over.
    const std::string line = progress_line({stage_, unit_, done_, total_}, drawn_ - started_,
                                           terminal_size(STDERR_FILENO).columns - 1);
    std::fputs(fmt::format("\r\x1b[K{}", line).c_str(), stderr);
    std::fflush(stderr);
  }

  Clock& clock_;
  std::mutex mutex_;
  std::string stage_, unit_;
  std::uint64_t total_ = 0, done_ = 0;
  std::chrono::nanoseconds started_{0}, drawn_{0};
  bool active_ = false;
};

}  // namespace

std::size_t text_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) width += take_character(text).width;
  return width;
}

std::string_view clipped(std::string_view text, std::size_t columns) {
  std::size_t width = 0, bytes = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const Character next = take_character(rest);
    width += next.width;
    if (width > columns) break;
    bytes += next.bytes;
  }
  return text.substr(0, bytes);
}

std::string flowed(const std::vector<std::string>& parts, std::size_t columns) {
  std::string text, line;
  for (const std::string& part : parts) {
    if (!line.empty() && text_width(line) + 2 + text_width(part) > columns) {
      text += line + '\n';
      line.clear();
    }
    if (!line.empty()) line += "  ";
    line += clipped(part, columns);
  }
  return line.empty() ? text : text + line + '\n';
}

TerminalSize terminal_size(int descriptor) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col < 2 || size.ws_row < 2) return {};
  return {size.ws_col, size.ws_row};
}

void TextTable::add(std::vector<std::string> cells) {
  cells.resize(headings_.size());
  rows_.push_back(std::move(cells));
}

std::string TextTable::to_text(bool colour, std::size_t columns) const {
  std::vector<std::size_t> widths;
  std::vector<bool> shown(headings_.size(), true);
  std::size_t total = 0;
  for (std::size_t c = 0; c < headings_.size(); ++c) {
    std::size_t width = text_width(headings_[c].text);
    for (const auto& row : rows_) width = std::max(width, text_width(row[c]));
    widths.push_back(width);
    total += width + (c > 0 ? 2 : 0);
  }
  while (total > columns) {
    std::optional<std::size_t> least;
    for (std::size_t c = 1; c < headings_.size(); ++c) {
      const int spare = headings_[c].spare;
      if (shown[c] && spare > 0 && (!least || spare > headings_[*least].spare)) least = c;
    }
    if (!least) break;
    shown[*least] = false;
    total -= widths[*least] + 2;
  }
  const auto line = [&](const auto& cell_of) {
    std::string text;
    for (std::size_t c = 0; c < headings_.size(); ++c) {
      if (!shown[c]) continue;
      if (c > 0) text += "  ";
      text += padded(cell_of(c), widths[c], headings_[c].align);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return std::string(clipped(text, columns));
  };
  std::string heading = line([&](std::size_t c) { return headings_[c].text; });
  std::string text = colour ? "\x1b[1m" + heading + "\x1b[0m\n" : heading + '\n';
  for (const auto& row : rows_) text += line([&](std::size_t c) { return row[c]; }) + '\n';
  return text;
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(units)) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

std::string format_price(double value) {
  return std::isnan(value) ? "-" : fmt::format("{}", value);
}

// What is shown, and how long the bar is, follows from the width and the total alone, and what varies in
// length comes last: nothing jumps from one drawing to the next.
std::string progress_line(const ProgressState& state, std::chrono::nanoseconds elapsed, std::size_t columns) {
  constexpr std::size_t kShortest = 8, kLongest = 24;                       // of the bar
  constexpr std::size_t kPercent = 6, kLeft = 14, kRate = 13, kBytes = 10;  // room for each
  const bool bytes = state.unit == "bytes";
  const auto amount = [&](std::uint64_t value) { return bytes ? format_bytes(value) : group_digits(value); };
  const std::string unit = bytes ? "" : " " + std::string(state.unit);
  const double seconds = std::chrono::duration<double>(elapsed).count();
  const double rate = seconds > 0.2 ? static_cast<double>(state.done) / seconds : 0;
  const bool running = rate > 0 && (state.total == 0 || state.done < state.total);
  const std::string speed =
      running ? fmt::format("  {}/s", amount(static_cast<std::uint64_t>(rate))) : std::string();
  if (state.total == 0)
    return std::string(
        clipped(fmt::format("{}  {}{}{}", state.stage, amount(state.done), unit, speed), columns));

  const std::string total = amount(state.total);
  const std::string done = padded(amount(state.done), bytes ? kBytes : total.size(), Align::right);
  const std::string amounts = fmt::format("  {} of {}{}", done, total, unit);
  std::string line = fmt::format("{}  ", state.stage);
  const std::size_t shortest = text_width(line) + kShortest + kPercent;
  const bool with_amounts = shortest + text_width(amounts) + kLeft <= columns;
  std::size_t taken = text_width(line) + kPercent + kLeft + (with_amounts ? text_width(amounts) : 0);
  const bool with_rate = taken + kRate + kShortest <= columns;
  if (with_rate) taken += kRate;

  const double share = std::min(1.0, static_cast<double>(state.done) / static_cast<double>(state.total));
  const std::size_t cells = std::clamp(columns - std::min(columns, taken), kShortest, kLongest);
  for (std::size_t i = 0; i < cells; ++i)
    line += static_cast<double>(i + 1) <= share * static_cast<double>(cells) ? "█" : "░";
  line += fmt::format(" {:3.0f}%", share * 100);
  if (with_amounts) line += amounts;
  if (running) {
    const auto left = static_cast<std::int64_t>(
        std::ceil(static_cast<double>(state.total - state.done) / rate));  // an estimate
    line += left < 60 ? fmt::format("  {} s left", left)
                      : fmt::format("  {} left", format_duration(std::chrono::seconds(left)));
    if (with_rate) line += speed;
  }
  return std::string(clipped(line, columns));
}

std::unique_ptr<Progress> make_progress(Clock& clock, bool quiet) {
  if (quiet) return std::make_unique<NoProgress>();
  if (::isatty(STDERR_FILENO) == 0 || log_format() == LogFormat::json) return std::make_unique<NotesOnly>();
  return std::make_unique<Bar>(clock);
}

std::size_t stdout_columns() {
  return ::isatty(STDOUT_FILENO) != 0 ? terminal_size(STDOUT_FILENO).columns : TextTable::kUnlimited;
}

bool stdout_shows_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) != 0 && (no_colour == nullptr || *no_colour == '\0');
}

}  // namespace chandler::cli
