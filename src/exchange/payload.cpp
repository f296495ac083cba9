#include "exchange/payload.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "exchange/decimal.hpp"
#include "exchange/open_time.hpp"

namespace chandler::exchange {
namespace {

using simdjson::ondemand::json_type;
using Value = simdjson::ondemand::value;

// Memory of a parse, which can serve the next one. Pages of klines come by the thousand and are all of one
// size; without this their pages of memory are given back to the system and asked for again each time.
struct Workspace {
  simdjson::ondemand::parser parser;
  std::string padded;  // the document and the bytes that simdjson wants to read after it
};
constexpr std::size_t kKeptBytes = 1u << 20;  // what is larger is not kept

// One document being read: knows where it is, so that errors can say so.
class Reader {
 public:
  Reader(std::string_view json, Workspace& workspace) : size_(json.size()) {
    std::string& padded = workspace.padded;
    padded.reserve(json.size() + simdjson::SIMDJSON_PADDING);
    padded.assign(json);
    padded.append(simdjson::SIMDJSON_PADDING, ' ');
    bytes_ = padded.data();
    error_ =
        workspace.parser.iterate(simdjson::padded_string_view(bytes_, size_, padded.size())).get(document_);
  }

  simdjson::ondemand::document& document() { return document_; }
  simdjson::error_code error() const { return error_; }

  std::unexpected<Error> wrong(std::string what) {
    const char* at = nullptr;
    std::size_t offset = size_;
    if (!error_ && !document_.current_location().get(at)) offset = static_cast<std::size_t>(at - bytes_);
    return fail(ErrorCode::invalid_data, std::move(what), fmt::format("byte {}", std::min(offset, size_)));
  }
  std::unexpected<Error> wrong(std::string_view expected, simdjson::error_code code) {
    return wrong(fmt::format("the answer is not {} ({})", expected, clause(code)));
  }
  // Bytes after the document's end: two answers run together, or an answer cut and continued.
  Status at_end(std::string_view expected) {
    if (document_.current_location().error() == simdjson::OUT_OF_BOUNDS) return {};
    return wrong(fmt::format("the answer is not {} (more bytes after its end)", expected));
  }

 private:
  static std::string_view clause(simdjson::error_code code) {
    switch (code) {
      case simdjson::EMPTY:
        return "it is empty";
      case simdjson::UNCLOSED_STRING:
      case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
        return "it is cut off";
      case simdjson::UTF8_ERROR:
        return "it is not UTF-8";
      case simdjson::NO_SUCH_FIELD:
        return "a field is missing";
      case simdjson::INCORRECT_TYPE:
      case simdjson::NUMBER_ERROR:
      case simdjson::NUMBER_OUT_OF_RANGE:
        return "a value has the wrong type";
      default:
        return "it is malformed";
    }
  }

  std::size_t size_;
  const char* bytes_ = nullptr;
  simdjson::ondemand::document document_;
  simdjson::error_code error_ = simdjson::SUCCESS;
};

std::string_view trimmed(std::string_view token) {
  return token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
}

// The characters between the quotes, as they stand in the document: a number needs no escapes. The parser has
// seen to it that the string is closed, and keeps more bytes after it than the fast path reads.
std::string_view quoted(simdjson::ondemand::raw_json_string string) {
  const char* end = string.raw();
  while (*end != '"') ++end;
  return {string.raw(), end};
}

bool read_double(Value value, double& out) {
  json_type type;
  if (value.type().get(type)) return false;
  if (type != json_type::string)
    return type == json_type::number && !value.get_double().get(out) && std::isfinite(out);
  simdjson::ondemand::raw_json_string string;
  if (value.get_raw_json_string().get(string)) return false;
  static_assert(swar::kPadding <= simdjson::SIMDJSON_PADDING);
  const char* at = string.raw();
  if (swar::take_decimal(at, out) && *at == '"') return true;
  const auto number = parse_decimal(quoted(string));
  if (number) out = *number;
  return number.has_value();
}

// 5, 5.0, 5e0 and "5" are all five.
bool read_integer(Value value, std::int64_t& out) {
  json_type type;
  if (value.type().get(type)) return false;
  std::optional<std::int64_t> whole;
  if (type == json_type::number) {
    if (!value.get_int64().get(out)) return true;
    whole = parse_whole(trimmed(value.raw_json_token()));
  } else if (type == json_type::string) {
    simdjson::ondemand::raw_json_string string;
    if (value.get_raw_json_string().get(string)) return false;
    whole = parse_whole(quoted(string));
  }
  if (whole) out = *whole;
  return whole.has_value();
}

// In ms, rounded down, whatever the unit.
bool read_time(Value value, std::int64_t& out) {
  std::int64_t stamp = 0;
  if (!read_integer(value, stamp)) return false;
  const auto unit = unit_of(stamp);
  if (!unit) return false;
  constexpr std::int64_t ms = nanoseconds_in(TimeUnit::milliseconds);
  const std::int64_t length = nanoseconds_in(*unit);
  out = length >= ms ? stamp * (length / ms) : stamp / (ms / length);
  return true;
}

// Field `index` of a kline, in the documented order.
bool read_field(std::size_t index, Value value, candles::Kline& kline, std::int64_t& close_time) {
  switch (index) {
    case 0:
      return read_time(value, kline.open_time);
    case 1:
      return read_double(value, kline.open);
    case 2:
      return read_double(value, kline.high);
    case 3:
      return read_double(value, kline.low);
    case 4:
      return read_double(value, kline.close);
    case 5:
      return read_double(value, kline.volume);
    case 6:
      return read_time(value, close_time);
    case 7:
      return read_double(value, kline.quote_volume);
    case 8:
      return read_integer(value, kline.trades);
    case 9:
      return read_double(value, kline.taker_buy_volume);
    case 10:
      return read_double(value, kline.taker_buy_quote_volume);
    default:  // unused by the exchange, but part of the document
      return !value.raw_json_token().empty();
  }
}

constexpr const char* kFieldNames[] = {"open time",
                                       "open",
                                       "high",
                                       "low",
                                       "close",
                                       "volume",
                                       "close time",
                                       "quote volume",
                                       "number of trades",
                                       "taker buy volume",
                                       "taker buy quote volume",
                                       "unused field"};
constexpr std::size_t kNeededFields = 11;
constexpr std::size_t kUsualRows = 1000;

constexpr std::string_view kKlines = "a list of klines";

Status read_kline(Reader& reader, Value row, KlinePage& page) {
  simdjson::ondemand::array fields;
  if (const auto error = row.get_array().get(fields)) return reader.wrong(kKlines, error);
  candles::Kline kline;
  std::int64_t close_time = 0;
  std::size_t index = 0;
  for (auto item : fields) {
    Value value;
    if (const auto error = item.get(value)) return reader.wrong(kKlines, error);
    if (!read_field(index, value, kline, close_time)) {
      return reader.wrong(fmt::format("kline {} of the answer has an unreadable {}", page.rows.size() + 1,
                                      kFieldNames[std::min(index, kNeededFields)]));
    }
    ++index;
  }
  if (index < kNeededFields) {
    return reader.wrong(
        fmt::format("kline {} of the answer has {} fields instead of 12", page.rows.size() + 1, index));
  }
  page.rows.push_back(kline);
  page.close_time.push_back(close_time);
  return {};
}

Status read_text(Reader& reader, Value value, std::string& out) {
  std::string_view text;
  if (const auto error = value.get_string().get(text))
    return reader.wrong("a description of the exchange", error);
  out.assign(text);
  return {};
}

// Calls visit(key, value) for every field.
template <class Visit>
Status for_each_field(Reader& reader, simdjson::ondemand::object& object, std::string_view expected,
                      Visit visit) {
  for (auto item : object) {
    simdjson::ondemand::field field;
    if (const auto error = std::move(item).get(field)) return reader.wrong(expected, error);
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return reader.wrong(expected, error);
    CHANDLER_TRY(visit(key, field.value()));
  }
  return {};
}

constexpr std::string_view kInfo = "a description of the exchange";

Status read_symbol(Reader& reader, Value value, ExchangeInfo& info) {
  simdjson::ondemand::object object;
  if (const auto error = value.get_object().get(object)) return reader.wrong(kInfo, error);
  SymbolInfo symbol;
  CHANDLER_TRY(for_each_field(reader, object, kInfo, [&](std::string_view key, Value field) -> Status {
    if (key == "symbol") return read_text(reader, field, symbol.symbol);
    if (key == "status") return read_text(reader, field, symbol.status);
    if (key == "baseAsset") return read_text(reader, field, symbol.base);
    if (key == "quoteAsset") return read_text(reader, field, symbol.quote);
    return {};
  }));
  if (symbol.symbol.empty()) return reader.wrong("the answer lists a symbol without a name");
  info.symbols.push_back(std::move(symbol));
  return {};
}

std::int64_t seconds_in(std::string_view unit) {
  if (unit == "SECOND") return 1;
  if (unit == "MINUTE") return 60;
  if (unit == "HOUR") return 3600;
  if (unit == "DAY") return 86400;
  return 0;
}

Status read_rate_limit(Reader& reader, Value value, ExchangeInfo& info) {
  simdjson::ondemand::object object;
  if (const auto error = value.get_object().get(object)) return reader.wrong(kInfo, error);
  std::string type, unit;
  std::int64_t count = 1, limit = 0;
  CHANDLER_TRY(for_each_field(reader, object, kInfo, [&](std::string_view key, Value field) -> Status {
    if (key == "rateLimitType") return read_text(reader, field, type);
    if (key == "interval") return read_text(reader, field, unit);
    if (key == "intervalNum" && !read_integer(field, count))
      return reader.wrong("a rate limit is unreadable");
    if (key == "limit" && !read_integer(field, limit)) return reader.wrong("a rate limit is unreadable");
    return {};
  }));
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (type != "REQUEST_WEIGHT" || seconds_in(unit) == 0) return {};
  if (count < 1 || count > kMost || limit < 1 || limit > kMost)
    return reader.wrong("a rate limit of the answer is impossible");
  const auto per_minute =
      static_cast<int>(std::clamp<std::int64_t>(limit * 60 / (seconds_in(unit) * count), 1, kMost));
  info.weight_per_minute =
      info.weight_per_minute == 0 ? per_minute : std::min(info.weight_per_minute, per_minute);
  return {};
}

template <class Read>
Status read_list(Reader& reader, Value value, ExchangeInfo& info, Read read) {
  simdjson::ondemand::array array;
  if (const auto error = value.get_array().get(array)) return reader.wrong(kInfo, error);
  for (auto item : array) {
    Value element;
    if (const auto error = item.get(element)) return reader.wrong(kInfo, error);
    CHANDLER_TRY(read(reader, element, info));
  }
  return {};
}

}  // namespace

Result<KlinePage> parse_klines(std::string_view json) {
  thread_local Workspace kept;
  Workspace own;
  Reader reader(json, json.size() <= kKeptBytes ? kept : own);
  if (reader.error()) return reader.wrong(kKlines, reader.error());
  simdjson::ondemand::array array;
  if (const auto error = reader.document().get_array().get(array)) return reader.wrong(kKlines, error);
  KlinePage page;
  page.rows.reserve(kUsualRows);
  page.close_time.reserve(kUsualRows);
  for (auto item : array) {
    Value row;
    if (const auto error = item.get(row)) return reader.wrong(kKlines, error);
    CHANDLER_TRY(read_kline(reader, row, page));
  }
  CHANDLER_TRY(reader.at_end(kKlines));
  return page;
}

std::size_t count_truncated(const KlinePage& page, candles::Interval interval) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < page.rows.size(); ++i) {
    const auto end = candles::end_of(interval, from_ms(page.rows.open_time[i]));
    if (page.close_time[i] != to_ms(end) - 1) ++count;
  }
  return count;
}

Result<Timestamp> parse_server_time(std::string_view json) {
  constexpr std::string_view expected = "the exchange's time";
  Workspace workspace;
  Reader reader(json, workspace);
  if (reader.error()) return reader.wrong(expected, reader.error());
  simdjson::ondemand::object object;
  if (const auto error = reader.document().get_object().get(object)) return reader.wrong(expected, error);
  std::optional<std::int64_t> time;
  CHANDLER_TRY(for_each_field(reader, object, expected, [&](std::string_view key, Value value) -> Status {
    std::int64_t ms = 0;
    if (key != "serverTime") return {};
    if (!read_time(value, ms)) return reader.wrong("the exchange's time is unreadable");
    time = ms;
    return {};
  }));
  CHANDLER_TRY(reader.at_end(expected));
  if (!time) return reader.wrong(expected, simdjson::NO_SUCH_FIELD);
  return from_ms(*time);
}

Result<ExchangeInfo> parse_exchange_info(std::string_view json) {
  Workspace workspace;
  Reader reader(json, workspace);
  if (reader.error()) return reader.wrong(kInfo, reader.error());
  simdjson::ondemand::object object;
  if (const auto error = reader.document().get_object().get(object)) return reader.wrong(kInfo, error);
  ExchangeInfo info;
  bool listed = false;
  CHANDLER_TRY(for_each_field(reader, object, kInfo, [&](std::string_view key, Value value) -> Status {
    if (key == "rateLimits") return read_list(reader, value, info, read_rate_limit);
    if (key != "symbols") return {};
    listed = true;
    return read_list(reader, value, info, read_symbol);
  }));
  CHANDLER_TRY(reader.at_end(kInfo));
  if (!listed) return reader.wrong(kInfo, simdjson::NO_SUCH_FIELD);
  return info;
}

Result<ApiError> parse_error(std::string_view json) {
  constexpr std::string_view expected = "an error of the exchange";
  Workspace workspace;
  Reader reader(json, workspace);
  if (reader.error()) return reader.wrong(expected, reader.error());
  simdjson::ondemand::object object;
  if (const auto error = reader.document().get_object().get(object)) return reader.wrong(expected, error);
  ApiError api;
  std::optional<std::int64_t> code;
  CHANDLER_TRY(for_each_field(reader, object, expected, [&](std::string_view key, Value value) -> Status {
    std::int64_t number = 0;
    if (key == "msg") return read_text(reader, value, api.msg);
    if (key != "code") return {};
    if (!read_integer(value, number) || number < -1'000'000 || number > 1'000'000)
      return reader.wrong("the error's code is unreadable");
    code = number;
    return {};
  }));
  CHANDLER_TRY(reader.at_end(expected));
  if (!code) return reader.wrong(expected, simdjson::NO_SUCH_FIELD);
  api.code = static_cast<int>(*code);
  return api;
}

}  // namespace chandler::exchange
