#include "exchange/open_time.hpp"

#include "exchange/decimal.hpp"

namespace chandler::exchange {
namespace {

// Reads a text from its front; each take either consumes all it asks for or nothing.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  bool done() const { return text_.empty(); }
  bool take(char wanted) { return take(std::string_view(&wanted, 1)); }
  bool take(std::string_view wanted) {
    if (!text_.starts_with(wanted)) return false;
    text_.remove_prefix(wanted.size());
    return true;
  }
  // Exactly `count` digits.
  std::optional<int> digits(std::size_t count) {
    if (text_.size() < count) return std::nullopt;
    int value = 0;
    for (const char c : text_.substr(0, count)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    text_.remove_prefix(count);
    return value;
  }
  std::string_view run_of_digits() {
    const std::size_t end = text_.find_first_not_of("0123456789");
    const auto run = text_.substr(0, end);
    text_.remove_prefix(run.size());
    return run;
  }

 private:
  std::string_view text_;
};

std::optional<Day> real_day(int year, int month, int day) {
  const std::chrono::year_month_day ymd{std::chrono::year{year},
                                        std::chrono::month{static_cast<unsigned>(month)},
                                        std::chrono::day{static_cast<unsigned>(day)}};
  if (!ymd.ok()) return std::nullopt;
  return Day{ymd};
}

std::optional<Day> take_day(Scanner& scan) {
  const auto year = scan.digits(4);
  if (!year) return std::nullopt;
  const char separator = scan.take('-') ? '-' : scan.take('/') ? '/' : '\0';
  const auto month = scan.digits(2);
  if (!month || (separator != '\0' && !scan.take(separator))) return std::nullopt;
  const auto day = scan.digits(2);
  if (!day) return std::nullopt;
  return real_day(*year, *month, *day);
}

// ".fff…" with zeros after the third digit.
std::optional<Millis> take_fraction(Scanner& scan) {
  if (!scan.take('.')) return Millis{0};
  const auto run = scan.run_of_digits();
  if (run.empty()) return std::nullopt;
  std::int64_t ms = 0;
  for (std::size_t i = 0; i < 3; ++i) ms = ms * 10 + (i < run.size() ? run[i] - '0' : 0);
  if (run.size() > 3 && run.find_first_not_of('0', 3) != std::string_view::npos) return std::nullopt;
  return Millis{ms};
}

// Z, UTC, nothing, or ±HH[:]MM.
std::optional<Millis> take_offset(Scanner& scan) {
  if (scan.take('Z') || scan.take(" UTC") || scan.take("UTC")) return Millis{0};
  const int sign = scan.take('+') ? 1 : scan.take('-') ? -1 : 0;
  if (sign == 0) return Millis{0};
  const auto hours = scan.digits(2);
  if (!hours || *hours > 14) return std::nullopt;
  scan.take(':');
  const auto minutes = scan.digits(2);
  if (!minutes || *minutes > 59) return std::nullopt;
  return sign * (std::chrono::hours{*hours} + std::chrono::minutes{*minutes});
}

// After the day: [T ]HH:MM[:SS[.fff]][zone] or " HH-AM".
std::optional<Millis> take_time_of_day(Scanner& scan) {
  if (!scan.take('T') && !scan.take(' ')) return std::nullopt;
  const auto hour = scan.digits(2);
  if (!hour) return std::nullopt;
  if (scan.take('-')) {
    const bool morning = scan.take("AM");
    if ((!morning && !scan.take("PM")) || *hour > 12) return std::nullopt;
    return std::chrono::hours{*hour % 12 + (morning ? 0 : 12)};
  }
  if (*hour > 23 || !scan.take(':')) return std::nullopt;
  const auto minute = scan.digits(2);
  if (!minute || *minute > 59) return std::nullopt;
  Millis time = std::chrono::hours{*hour} + std::chrono::minutes{*minute};
  if (scan.take(':')) {
    const auto second = scan.digits(2);
    if (!second || *second > 59) return std::nullopt;
    const auto fraction = take_fraction(scan);
    if (!fraction) return std::nullopt;
    time += std::chrono::seconds{*second} + *fraction;
  }
  const auto offset = take_offset(scan);
  if (!offset) return std::nullopt;
  return time - *offset;
}

std::optional<Timestamp> parse_date(std::string_view text) {
  Scanner scan(text);
  const auto day = take_day(scan);
  if (!day) return std::nullopt;
  if (scan.done()) return begin_of(*day);
  const auto time = take_time_of_day(scan);
  if (!time || !scan.done()) return std::nullopt;
  return begin_of(*day) + *time;
}

}  // namespace

Result<Timestamp> parse_open_time(std::string_view text) {
  if (const auto date = parse_date(text)) return *date;
  const auto stamp = parse_whole(text);
  if (!stamp)
    return fail(ErrorCode::invalid_data, "the time is neither an integer nor a date of a known form");
  const auto unit = unit_of(*stamp);
  if (!unit) return fail(ErrorCode::invalid_data, "the time fits none of s, ms, µs and ns");
  const std::int64_t length = nanoseconds_in(*unit);
  if (length >= 1'000'000) return from_ms(*stamp * (length / 1'000'000));
  const std::int64_t in_ms = 1'000'000 / length;
  if (*stamp % in_ms != 0) return fail(ErrorCode::invalid_data, "the time is not a whole millisecond");
  return from_ms(*stamp / in_ms);
}

}  // namespace chandler::exchange
