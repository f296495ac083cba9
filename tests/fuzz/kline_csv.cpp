// History files in every dialect. The same bytes in one piece, cut into small ones, and with every field in
// quotes (which only the careful reader takes) must give the same candles.
#include "exchange/kline_csv.hpp"

#include "candles/clean.hpp"
#include "fuzz_target.hpp"

using namespace chandler;

namespace {

struct Outcome {
  bool read = false;
  std::uint64_t lines = 0;
  exchange::KlineCsvBatch batch;
};

Outcome read(std::string_view text, std::size_t piece, exchange::KlineCsvOptions options) {
  Outcome outcome;
  exchange::KlineCsvReader reader(options);
  for (std::size_t at = 0; at < text.size(); at += piece) {
    if (!reader.push(text.substr(at, piece), outcome.batch)) return outcome;
  }
  outcome.read = reader.finish(outcome.batch).has_value();
  outcome.lines = reader.lines();
  return outcome;
}

// Fields of digits and the like in quotes; other lines as they are.
std::string quoted(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    const bool plain = !line.empty() && line.find_first_not_of("0123456789.,") == std::string_view::npos;
    if (plain) out += '"';
    for (const char c : line) out += plain && c == ',' ? std::string("\",\"") : std::string(1, c);
    if (plain) out += '"';
    text.remove_prefix(line.size());
    if (text.empty()) break;
    out += '\n';
    text.remove_prefix(1);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto text = fuzz::text_of(data + 2, size - 2);
  exchange::KlineCsvOptions options;
  if ((data[0] & 1) != 0) options.interval = candles::Interval::d1;
  const Outcome whole = read(text, text.size() + 1, options);
  const candles::Klines& rows = whole.batch.rows;
  fuzz::require(fuzz::columns_are_of_one_length(rows), "columns are of one length");
  const std::int64_t grid = options.interval == candles::Interval::d1 ? kDayMs : kMinuteMs;
  for (std::size_t i = 0; i < rows.size(); ++i)
    fuzz::require(!candles::impossible(rows.at(i), grid), "every candle is possible");

  const Outcome cut = read(text, data[1] + std::size_t{1}, options);
  fuzz::require(cut.read == whole.read, "cutting does not change whether a file is readable");
  if (!whole.read) return 0;
  fuzz::require(cut.lines == whole.lines, "cutting does not change the number of lines");
  fuzz::require(fuzz::same_rows(cut.batch.rows, rows), "cutting does not change the candles");
  fuzz::require(cut.batch.rejects.size() == whole.batch.rejects.size(), "cutting does not change rejects");
  for (std::size_t i = 0; i < cut.batch.rejects.size(); ++i) {
    fuzz::require(cut.batch.rejects[i].line == whole.batch.rejects[i].line, "rejects keep their lines");
    fuzz::require(cut.batch.rejects[i].reason == whole.batch.rejects[i].reason, "and their reasons");
  }
  // Quotes make lines longer: what is cut off as too long, or was quoted already, is not compared.
  if (size > 16'000 || text.find_first_of("\"';\t|") != std::string_view::npos) return 0;
  const Outcome careful = read(quoted(text), size * 4, options);
  fuzz::require(careful.read, "a file stays readable when its fields are quoted");
  fuzz::require(fuzz::same_rows(careful.batch.rows, rows), "both readers of rows agree");
  return 0;
}
