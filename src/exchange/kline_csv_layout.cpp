#include "exchange/kline_csv_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "exchange/open_time.hpp"

namespace chandler::exchange {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// Letters and digits, lower case: "Volume_(BTC)" and "volume btc" name the same column.
std::string normalised(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += c;
    if (c >= 'A' && c <= 'Z') out += static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

struct Name {
  std::string_view text;
  CsvColumn column;
};
constexpr Name kNames[] = {
    {"open", CsvColumn::open},
    {"openprice", CsvColumn::open},
    {"o", CsvColumn::open},
    {"high", CsvColumn::high},
    {"highprice", CsvColumn::high},
    {"max", CsvColumn::high},
    {"h", CsvColumn::high},
    {"low", CsvColumn::low},
    {"lowprice", CsvColumn::low},
    {"min", CsvColumn::low},
    {"l", CsvColumn::low},
    {"close", CsvColumn::close},
    {"closeprice", CsvColumn::close},
    {"last", CsvColumn::close},
    {"c", CsvColumn::close},
    {"volume", CsvColumn::volume},
    {"vol", CsvColumn::volume},
    {"v", CsvColumn::volume},
    {"basevolume", CsvColumn::volume},
    {"volumebase", CsvColumn::volume},
    {"volumefrom", CsvColumn::volume},
    {"quotevolume", CsvColumn::quote_volume},
    {"volumequote", CsvColumn::quote_volume},
    {"quoteassetvolume", CsvColumn::quote_volume},
    {"quotevol", CsvColumn::quote_volume},
    {"volumeto", CsvColumn::quote_volume},
    {"volumecurrency", CsvColumn::quote_volume},
    {"turnover", CsvColumn::quote_volume},
    {"takerbuyvolume", CsvColumn::taker_buy_volume},
    {"takerbuybaseassetvolume", CsvColumn::taker_buy_volume},
    {"takerbuybasevolume", CsvColumn::taker_buy_volume},
    {"takerbuybasevol", CsvColumn::taker_buy_volume},
    {"takerbuybase", CsvColumn::taker_buy_volume},
    {"takerbasevolume", CsvColumn::taker_buy_volume},
    {"tbbav", CsvColumn::taker_buy_volume},
    {"takerbuyquotevolume", CsvColumn::taker_buy_quote_volume},
    {"takerbuyquoteassetvolume", CsvColumn::taker_buy_quote_volume},
    {"takerbuyquotevol", CsvColumn::taker_buy_quote_volume},
    {"takerbuyquote", CsvColumn::taker_buy_quote_volume},
    {"takerquotevolume", CsvColumn::taker_buy_quote_volume},
    {"tbqav", CsvColumn::taker_buy_quote_volume},
    {"trades", CsvColumn::trades},
    {"tradecount", CsvColumn::trades},
    {"tradescount", CsvColumn::trades},
    {"numberoftrades", CsvColumn::trades},
    {"numtrades", CsvColumn::trades},
    {"ntrades", CsvColumn::trades},
    {"numberoftrade", CsvColumn::trades},
    {"count", CsvColumn::trades},
    {"symbol", CsvColumn::symbol},
    {"pair", CsvColumn::symbol},
    {"ticker", CsvColumn::symbol},
    {"timeframe", CsvColumn::timeframe},
    {"interval", CsvColumn::timeframe},
};
// Best first: a file with both an integer stamp and a date is read by the integer.
constexpr std::string_view kTimeNames[] = {"opentime", "timestamp",  "unix",  "unixtimestamp", "unixtime",
                                           "time",     "ts",         "t",     "datetime",      "date",
                                           "opendate", "startat",    "start", "period",        "dateutc",
                                           "timeutc",  "datetimeutc"};
constexpr std::string_view kQuoteAssets[] = {"usd", "usdt", "usdc", "busd", "fdusd", "tusd",
                                             "dai", "eur",  "gbp",  "jpy",  "try",   "krw",
                                             "brl", "aud",  "cad",  "chf",  "fiat",  "rub"};

std::optional<CsvColumn> known_name(const std::string& name) {
  for (const auto& [text, column] : kNames) {
    if (name == text) return column;
  }
  return std::nullopt;
}

// "volumebtc" → "btc".
std::optional<std::string> volume_asset(const std::string& name) {
  if (!name.starts_with("volume") || name == "volume" || known_name(name)) return std::nullopt;
  return name.substr(6);
}

// Columns such as "Volume BTC" and "Volume USDT" name the asset that they count. A usual quote asset is the
// quote; of two others the first is the base. Beside a bare "volume", a named base asset makes that one the
// quote's.
void assign_volumes(const std::vector<std::string>& names, std::vector<CsvColumn>& columns) {
  std::optional<std::size_t> bare, base, quote;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (columns[i] == CsvColumn::volume) bare = i;
    if (columns[i] == CsvColumn::quote_volume) quote = i;
    const auto asset = volume_asset(names[i]);
    if (!asset) continue;
    const bool is_quote = std::ranges::find(kQuoteAssets, *asset) != std::end(kQuoteAssets);
    if (is_quote || base) {
      if (!quote) quote = i;
    } else {
      base = i;
    }
  }
  if (bare && base) {
    if (!quote) quote = bare;
    columns[*bare] = CsvColumn::skip;
    bare.reset();
  }
  if (const auto volume = bare ? bare : base) columns[*volume] = CsvColumn::volume;
  if (quote) columns[*quote] = CsvColumn::quote_volume;
}

void assign_time(const std::vector<std::string>& names, std::vector<CsvColumn>& columns) {
  for (const std::string_view wanted : kTimeNames) {
    if (const auto at = std::ranges::find(names, wanted); at != names.end()) {
      columns[static_cast<std::size_t>(at - names.begin())] = CsvColumn::time;
      return;
    }
  }
}

// A name that comes twice counts once, the first time.
void drop_repeated(std::vector<CsvColumn>& columns) {
  std::array<bool, static_cast<std::size_t>(CsvColumn::skip)> seen{};
  for (CsvColumn& column : columns) {
    if (column == CsvColumn::skip) continue;
    bool& before = seen[static_cast<std::size_t>(column)];
    if (before) column = CsvColumn::skip;
    before = true;
  }
}

std::vector<CsvColumn> columns_of_header(const CsvFields& fields) {
  std::vector<std::string> names;
  std::vector<CsvColumn> columns;
  for (std::size_t i = 0; i < fields.count; ++i) {
    names.push_back(normalised(fields.at[i]));
    columns.push_back(known_name(names.back()).value_or(CsvColumn::skip));
  }
  drop_repeated(columns);
  assign_volumes(names, columns);
  assign_time(names, columns);
  return columns;
}

bool has(const std::vector<CsvColumn>& columns, CsvColumn wanted) {
  return std::ranges::find(columns, wanted) != columns.end();
}

std::vector<std::string_view> missing_columns(const std::vector<CsvColumn>& columns) {
  constexpr std::pair<CsvColumn, std::string_view> kNeeded[] = {
      {CsvColumn::time, "the open time"}, {CsvColumn::open, "open"},
      {CsvColumn::high, "high"},          {CsvColumn::low, "low"},
      {CsvColumn::close, "close"},        {CsvColumn::volume, "volume"}};
  std::vector<std::string_view> missing;
  for (const auto& [column, name] : kNeeded) {
    if (!has(columns, column)) missing.push_back(name);
  }
  return missing;
}

// Columns of a row without a header, by their number.
std::optional<std::vector<CsvColumn>> columns_by_count(std::size_t count) {
  using enum CsvColumn;
  switch (count) {
    case 6:  // Kaggle, Bitstamp
      return std::vector{time, open, high, low, close, volume};
    case 7:  // Kraken's OHLCVT files
      return std::vector{time, open, high, low, close, volume, trades};
    case 8:  // older Kaggle files: both volumes and a weighted price
      return std::vector{time, open, high, low, close, volume, quote_volume, skip};
    case 11:  // Binance without the last column, which nobody uses
    case 12: {
      std::vector columns{time,
                          open,
                          high,
                          low,
                          close,
                          volume,
                          skip,
                          quote_volume,
                          trades,
                          taker_buy_volume,
                          taker_buy_quote_volume};
      columns.resize(count, skip);
      return columns;
    }
    default:
      return std::nullopt;
  }
}

char likely_delimiter(std::string_view line) {
  char best = ',';
  std::ptrdiff_t most = 0;
  for (const char c : {',', ';', '\t'}) {
    if (const auto count = std::ranges::count(line, c); count > most) {
      most = count;
      best = c;
    }
  }
  return best;
}

bool looks_like_header(const std::vector<CsvColumn>& columns) {
  return has(columns, CsvColumn::open) && has(columns, CsvColumn::close);
}

// The columns that say the same in every row, taken from the first row after the header.
void note_constants(std::string_view rest, KlineCsvLayout& layout) {
  CsvFields fields;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = trimmed(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.empty()) continue;
    if (!split_csv_line(line, layout.delimiter, fields) || fields.count < layout.columns.size()) return;
    for (std::size_t i = 0; i < layout.columns.size(); ++i) {
      if (layout.columns[i] == CsvColumn::symbol) layout.symbol = fields.at[i];
      if (layout.columns[i] == CsvColumn::timeframe) layout.timeframe = fields.at[i];
    }
    return;
  }
}

std::string join(std::span<const std::string_view> words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace

bool split_csv_line(std::string_view line, char delimiter, CsvFields& fields) {
  fields.count = 0;
  std::size_t at = 0;
  while (true) {
    if (fields.count == kMaxCsvColumns) return false;
    while (at < line.size() && line[at] == ' ' && delimiter != ' ') ++at;
    if (at < line.size() && line[at] == '"') {
      const std::size_t close = line.find('"', at + 1);
      if (close == std::string_view::npos) return false;
      fields.at[fields.count++] = trimmed(line.substr(at + 1, close - at - 1));
      at = line.find_first_not_of(" \r", close + 1);
      if (at == std::string_view::npos) return true;
      if (line[at] != delimiter) return false;
    } else {
      const std::size_t end = std::min(line.find(delimiter, at), line.size());
      fields.at[fields.count++] = trimmed(line.substr(at, end - at));
      if (end == line.size()) return true;
      at = end;
    }
    ++at;
  }
}

Result<LayoutFound> find_layout(std::string_view head) {
  LayoutFound found;
  std::size_t at = head.starts_with(kBom) ? kBom.size() : 0;
  found.preamble_bytes = at;
  std::string reason = "it is empty";
  for (; at < head.size() && found.preamble_lines < kMaxPreambleLines; ++found.preamble_lines) {
    const std::size_t end = std::min(head.find('\n', at), head.size());
    const std::size_t next = std::min(end + 1, head.size());
    const std::string_view line = trimmed(head.substr(at, end - at));
    CsvFields fields;
    KlineCsvLayout& layout = found.layout;
    layout.delimiter = likely_delimiter(line);
    if (!line.empty() && split_csv_line(line, layout.delimiter, fields)) {
      if (parse_open_time(fields.at[0])) {
        auto columns = columns_by_count(fields.count);
        if (columns) {
          // Lines before the first candle may be damaged candles: they are read, and rejected by name.
          layout.columns = std::move(*columns);
          found.preamble_lines = 0;
          return found;
        }
        reason = fmt::format("rows of {} columns need a header that names them", fields.count);
      } else if (auto columns = columns_of_header(fields); looks_like_header(columns)) {
        if (const auto missing = missing_columns(columns); !missing.empty()) {
          return fail(ErrorCode::invalid_data, fmt::format("the header has no column for {}", join(missing)),
                      fmt::format("line {}", found.preamble_lines + 1),
                      "name the columns Timestamp,Open,High,Low,Close,Volume");
        }
        layout.columns = std::move(columns);
        layout.header = line;
        found.preamble_bytes = next;
        ++found.preamble_lines;
        note_constants(head.substr(next), layout);
        return found;
      } else {
        reason = "no line near its beginning is a header or a candle";
      }
    }
    at = next;
  }
  return fail(ErrorCode::invalid_data, "this is not a CSV file of candles: " + reason, {},
              "the first line should be Timestamp,Open,High,Low,Close,Volume, or the file one of Binance's");
}

}  // namespace chandler::exchange
