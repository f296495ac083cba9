#include "exchange/kline_csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "candles/clean.hpp"
#include "exchange/decimal.hpp"
#include "exchange/digit_scanner.hpp"
#include "exchange/open_time.hpp"

namespace chandler::exchange {
namespace {

using candles::kUnknown;
using candles::kUnknownTrades;

constexpr std::array<std::string_view, kCsvNumbers> kNumberNames = {
    "open",  "high", "low", "close", "volume", "quote volume", "taker buy volume", "taker buy quote volume",
    "trades"};
// Counts travel with the other numbers; above this a double would round them.
constexpr std::int64_t kMostExact = std::int64_t{1} << 53;

constexpr std::size_t index(CsvColumn column) {
  return static_cast<std::size_t>(column);
}

bool is_missing(std::string_view text) {
  if (text.empty()) return true;
  if (text.size() > 4) return false;
  std::array<char, 4> lower{};
  std::ranges::transform(text, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const std::string_view word(lower.data(), text.size());
  return word == "nan" || word == "null" || word == "none" || word == "na" || word == "n/a" || word == "-";
}

// A foreign text in a message: short, one line, nothing that a terminal would act on.
std::string excerpt(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  std::string out(text.substr(0, kLongest));
  std::ranges::replace_if(
      out, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text.size() > kLongest ? out + "…" : out;
}

const char* field_end(const char* p, char delimiter) {
  while (*p != delimiter && *p != '\n' && *p != '\r') ++p;
  return p;
}

// The end of a number that the scanner does not take: of more digits, down to all that programs print of a
// double. Null where there is none.
[[gnu::noinline]] const char* long_decimal(const char* at, char delimiter, double& number) {
  if (swar::take_decimal(at, number)) return at;
  const char* const end = field_end(at, delimiter);
  const auto value = parse_decimal({at, end});
  if (!value) return nullptr;
  number = *value + 0.0;  // one zero, without a sign
  return end;
}

// The end of a time that is no stamp of 9 to 16 digits. Null where there is none.
[[gnu::noinline]] const char* other_time(const char* at, char delimiter, std::int64_t& open_time) {
  const char* const end = field_end(at, delimiter);
  const auto time = parse_open_time({at, end});
  if (!time) return nullptr;
  open_time = to_ms(*time);
  return end;
}

// Where the last whole line ends that has `padding` bytes after it.
std::size_t end_of_padded_lines(std::string_view lines, std::size_t padding) {
  if (lines.size() <= padding) return 0;
  const std::size_t newline = lines.rfind('\n', lines.size() - padding - 1);
  return newline == std::string_view::npos ? 0 : newline + 1;
}

}  // namespace

struct KlineCsvRows::Values {
  std::int64_t open_time = 0;
  std::array<double, kCsvNumbers> numbers;

  double operator[](CsvColumn column) const { return numbers[index(column)]; }
  std::int64_t trade_count() const {
    const double count = numbers[index(CsvColumn::trades)];
    return std::isnan(count) ? kUnknownTrades : static_cast<std::int64_t>(count);
  }
  candles::Kline kline(candles::Source source) const {
    using enum CsvColumn;
    const Values& v = *this;
    return {open_time,
            v[open],
            v[high],
            v[low],
            v[close],
            v[volume],
            v[quote_volume],
            v[taker_buy_volume],
            v[taker_buy_quote_volume],
            trade_count(),
            source};
  }
};

// Grows the columns to about the rows that the lines of a piece will be, and cuts them to those that there
// were. What the layout has no column for is filled in at once, at the end.
class KlineCsvRows::Output {
 public:
  Output(KlineCsvBatch& batch, std::string_view lines, candles::Source source, bool has_optional_columns)
      : batch_(batch),
        row_(batch.rows.size()),
        room_(row_),
        source_(source),
        has_optional_columns_(has_optional_columns) {
    constexpr std::size_t kShortestLine = 12;  // of one that is a row, give or take
    const std::size_t first_line = std::max(std::min(lines.find('\n'), lines.size()), kShortestLine);
    grow(lines.size() / first_line + kSpare);
  }
  ~Output() {
    candles::Klines& rows = batch_.rows;
    rows.source.resize(row_, source_);
    if (!has_optional_columns_) {
      for (auto* unknown : {&rows.quote_volume, &rows.taker_buy_volume, &rows.taker_buy_quote_volume})
        unknown->resize(row_, kUnknown);
      rows.trades.resize(row_, kUnknownTrades);
    }
    rows.resize(row_);
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void add(const Values& v) {
    using enum CsvColumn;
    candles::Klines& rows = batch_.rows;
    if (row_ == room_) grow(row_ / 4 + kSpare);
    rows.open_time[row_] = v.open_time;
    rows.open[row_] = v[open];
    rows.high[row_] = v[high];
    rows.low[row_] = v[low];
    rows.close[row_] = v[close];
    rows.volume[row_] = v[volume];
    if (has_optional_columns_) {
      rows.quote_volume[row_] = v[quote_volume];
      rows.taker_buy_volume[row_] = v[taker_buy_volume];
      rows.taker_buy_quote_volume[row_] = v[taker_buy_quote_volume];
      rows.trades[row_] = v.trade_count();
    }
    ++row_;
  }
  void add_absent() { ++batch_.absent; }
  void reject(std::uint64_t line, std::string reason) { batch_.rejects.push_back({line, std::move(reason)}); }

 private:
  static constexpr std::size_t kSpare = 64;

  void grow(std::size_t more) {
    room_ = row_ + more;
    candles::Klines& rows = batch_.rows;
    rows.open_time.resize(room_);
    for (auto* column : {&rows.open, &rows.high, &rows.low, &rows.close, &rows.volume}) column->resize(room_);
    if (!has_optional_columns_) return;
    for (auto* column : {&rows.quote_volume, &rows.taker_buy_volume, &rows.taker_buy_quote_volume})
      column->resize(room_);
    rows.trades.resize(room_);
  }

  KlineCsvBatch& batch_;
  std::size_t row_;
  std::size_t room_;
  candles::Source source_;
  bool has_optional_columns_;
};

void KlineCsvBatch::clear() {
  rows.clear();
  rejects.clear();
  absent = 0;
}

KlineCsvRows::KlineCsvRows(KlineCsvLayout layout, KlineCsvOptions options)
    : layout_(std::move(layout)),
      options_(options),
      grid_ms_(options.interval == candles::Interval::d1 ? kDayMs : kMinuteMs),
      has_optional_columns_(std::ranges::any_of(
          layout_.columns, [](CsvColumn c) { return c > CsvColumn::volume && c <= CsvColumn::trades; })) {}

std::uint64_t KlineCsvRows::parse(std::string_view lines, std::uint64_t first_line,
                                  KlineCsvBatch& batch) const {
  if (lines.empty()) return 0;
  Output out(batch, lines, options_.source, has_optional_columns_);
  std::uint64_t line = first_line;
  const std::size_t padded = end_of_padded_lines(lines, DigitScanner::kPadding);
  parse_padded(lines.data(), lines.data() + padded, line, out);
  if (std::string_view rest = lines.substr(padded); !rest.empty()) {
    std::string tail(rest);
    if (!tail.ends_with('\n')) tail += '\n';
    const std::size_t size = tail.size();
    tail.append(DigitScanner::kPadding, '\n');
    parse_padded(tail.data(), tail.data() + size, line, out);
  }
  return line - first_line;
}

// Whole lines with ends, and DigitScanner::kPadding readable bytes after the last. A row that the quick
// reader does not take at once is read again by the careful one: every judgement about odd input is made
// there.
void KlineCsvRows::parse_padded(const char* at, const char* end, std::uint64_t& line, Output& out) const {
  Values values;
  values.numbers.fill(kUnknown);
  std::string reason;
  for (; at < end; ++line) {
    const char* after = at;
    if (take_row(after, values) && possible(values)) {
      out.add(values);
      at = after;
      continue;
    }
    const auto* newline = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
    Values odd;
    odd.numbers.fill(kUnknown);
    switch (read_line({at, newline}, odd, reason)) {
      case Outcome::row:
        out.add(odd);
        break;
      case Outcome::absent:
        out.add_absent();
        break;
      case Outcome::nothing:
        break;
      case Outcome::rejected:
        out.reject(line, std::move(reason));
        break;
    }
    at = newline + 1;
  }
}

[[gnu::always_inline]] inline bool KlineCsvRows::take_time(DigitScanner& scan,
                                                           std::int64_t& open_time) const {
  std::uint64_t stamp = 0;
  if (!scan.take_long_whole(stamp)) {
    const char* const end = other_time(scan.at(), layout_.delimiter, open_time);
    if (end == nullptr) return false;
    scan.jump(end);
    return true;
  }
  scan.take_zero_fraction();
  // The slower reader names what is wrong with a stamp that none of these lets through.
  if (stamp < 10'000'000'000ULL) {
    open_time = static_cast<std::int64_t>(stamp) * 1000;
  } else if (stamp < 10'000'000'000'000ULL) {
    open_time = static_cast<std::int64_t>(stamp);
  } else {
    if (stamp % 1000 != 0) return false;
    open_time = static_cast<std::int64_t>(stamp / 1000);
  }
  return unit_of(static_cast<std::int64_t>(stamp)).has_value();
}

// Every read stops at a line's end at the latest, because that is neither a digit nor a delimiter.
bool KlineCsvRows::take_row(const char*& at, Values& values) const {
  DigitScanner scan(at);
  const char delimiter = layout_.delimiter;
  const CsvColumn* column = layout_.columns.data();
  const CsvColumn* const last = column + layout_.columns.size() - 1;
  for (;; ++column) {
    if (*column <= CsvColumn::taker_buy_quote_volume) {
      double& number = values.numbers[index(*column)];
      if (!scan.take_decimal(number)) {
        const char* const end = long_decimal(scan.at(), delimiter, number);
        if (end == nullptr) return false;
        scan.jump(end);
      }
    } else if (*column == CsvColumn::trades) {
      double& count = values.numbers[index(*column)];
      if (!scan.take_decimal(count) || std::trunc(count) != count) return false;
    } else if (*column == CsvColumn::time) {
      if (!take_time(scan, values.open_time)) return false;
    } else if (*column == CsvColumn::skip) {
      if (*scan.at() == '"') return false;
      scan.jump(field_end(scan.at(), delimiter));
    } else {
      const std::string& expected = *column == CsvColumn::symbol ? layout_.symbol : layout_.timeframe;
      const char* p = scan.at();
      for (const char c : expected) {
        if (*p++ != c) return false;
      }
      scan.jump(p);
    }
    if (column == last) break;
    if (!scan.take(delimiter)) return false;
  }
  scan.take('\r');
  if (*scan.at() != '\n') return false;
  at = scan.at() + 1;
  return true;
}

// Says no where candles::impossible() does. Written so that an unknown (NaN) optional passes and each test is
// one comparison.
bool KlineCsvRows::possible(const Values& v) const {
  using enum CsvColumn;
  constexpr double kLargest = std::numeric_limits<double>::max();
  const bool grid = (grid_ms_ == kMinuteMs ? v.open_time % kMinuteMs : v.open_time % grid_ms_) == 0;
  const bool in_time = v.open_time >= candles::kEarliestOpenTime && v.open_time < candles::kLatestOpenTime;
  const bool prices = v[low] > 0 && v[low] <= v[open] && v[low] <= v[close] && v[open] <= v[high] &&
                      v[close] <= v[high] && v[high] <= kLargest;
  const bool volumes = v[volume] >= 0 && v[volume] <= kLargest;
  if (!(grid && in_time && prices && volumes)) return false;
  return !has_optional_columns_ || !candles::impossible(v.kline(options_.source), grid_ms_);
}

KlineCsvRows::Outcome KlineCsvRows::read_line(std::string_view line, Values& values,
                                              std::string& reason) const {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.find_first_not_of(" \t") == std::string_view::npos) return Outcome::nothing;
  if (!layout_.header.empty() && line.find(layout_.header) != std::string_view::npos) return Outcome::nothing;
  if (line.size() > kMaxCsvLine) {
    reason = fmt::format("the line has {} bytes", line.size());
    return Outcome::rejected;
  }
  CsvFields fields;
  if (!split_csv_line(line, layout_.delimiter, fields)) {
    reason = "a quote has no end, or there are too many fields";
    return Outcome::rejected;
  }
  const std::size_t expected = layout_.columns.size();
  const bool trailing_delimiter = fields.count == expected + 1 && fields.at[expected].empty();
  if (fields.count != expected && !trailing_delimiter) {
    reason = fmt::format("{} fields where {} are expected", fields.count, expected);
    return Outcome::rejected;
  }
  unsigned missing_prices = 0;
  if (!read_numbers(fields, values, missing_prices, reason)) return Outcome::rejected;
  if (missing_prices == 4) return Outcome::absent;
  if (missing_prices > 0) {
    reason = "some prices are empty and some are not";
    return Outcome::rejected;
  }
  if (const auto wrong = candles::impossible(values.kline(options_.source), grid_ms_)) {
    reason = std::isnan(values[CsvColumn::volume]) ? "volume is empty" : candles::describe(*wrong, grid_ms_);
    return Outcome::rejected;
  }
  return Outcome::row;
}

bool KlineCsvRows::read_numbers(const CsvFields& fields, Values& values, unsigned& missing_prices,
                                std::string& reason) const {
  for (std::size_t i = 0; i < layout_.columns.size(); ++i) {
    const CsvColumn column = layout_.columns[i];
    const std::string_view text = fields.at[i];
    if (column == CsvColumn::skip) continue;
    if (column == CsvColumn::symbol || column == CsvColumn::timeframe) {
      const std::string& expected = column == CsvColumn::symbol ? layout_.symbol : layout_.timeframe;
      if (text == expected) continue;
      reason = fmt::format("'{}' in a file of '{}'", excerpt(text), excerpt(expected));
      return false;
    }
    if (column == CsvColumn::time) {
      const auto time = parse_open_time(text);
      if (!time) {
        reason = fmt::format("{}: '{}'", time.error().what, excerpt(text));
        return false;
      }
      values.open_time = to_ms(*time);
      continue;
    }
    if (is_missing(text)) {
      if (column <= CsvColumn::close) ++missing_prices;
      continue;
    }
    std::optional<double> number;
    if (column != CsvColumn::trades) {
      number = parse_decimal(text);
    } else if (const auto count = parse_whole(text); count && *count >= -kMostExact && *count <= kMostExact) {
      number = static_cast<double>(*count);
    }
    if (!number) {
      reason = fmt::format("{} is not a number: '{}'", kNumberNames[index(column)], excerpt(text));
      return false;
    }
    values.numbers[index(column)] = *number + 0.0;  // one zero, without a sign
  }
  return true;
}

}  // namespace chandler::exchange
