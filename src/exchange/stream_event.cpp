#include "exchange/stream_event.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <cmath>
#include <cstring>

#include "candles/clean.hpp"
#include "exchange/decimal.hpp"
#include "exchange/open_time.hpp"

namespace chandler::exchange {
namespace {

namespace json = simdjson::ondemand;

// The exchange's own clock stamps the events, yet a closed candle's may fall a little before its end.
constexpr std::int64_t kClockSlackMs = 2'000;
// The longest that an event may be told after its candle: catching up after an outage.
constexpr std::int64_t kLongestDelayMs = 7 * kDayMs;

// Up to here simdjson reads a number in quotes as the nearest double; with more digits than it counts exactly
// (19) it may be off by one in the last place.
constexpr std::size_t kQuotedDigits = 20;

// Binance's names are ASCII capitals and digits or another script's letters; futures have a '_' too.
bool is_event_symbol(std::string_view s) {
  if (s.empty() || s.size() > 64 || s[0] == '.') return false;
  for (const char c : s) {
    const auto u = static_cast<unsigned char>(c);
    if (u <= ' ' || u == 0x7f || (c >= 'a' && c <= 'z') || std::strchr("/=%\\\"'`<>{}[]", c) != nullptr)
      return false;
  }
  return true;
}

// Reads fields in the order in which the exchange writes them, which simdjson finds without searching; any
// other order works too. The first failure sticks: after it simdjson must not be asked anything more.
class Fields {
 public:
  explicit Fields(json::object object) : object_(object) {}

  double decimal(std::string_view key) {
    double value = 0;
    if (failed_) return value;
    auto field = object_.find_field_unordered(key);
    json::value raw;
    if (!ok(field.get(raw))) return 0;
    json::json_type type;
    if (!ok(raw.type().get(type))) return 0;
    if (type == json::json_type::number) {
      is_number(ok(raw.get_double().get(value)));
    } else if (type != json::json_type::string) {
      failed_ = true;
    } else if (raw.raw_json_token().size() <= kQuotedDigits) {
      is_number(ok(raw.get_double_in_string().get(value)));
    } else {
      std::string_view text;
      if (!ok(raw.get_string().get(text))) return 0;
      const auto number = parse_decimal(text);
      if (!number) failed_ = true;
      is_number(number.has_value());
      value = number.value_or(0);
    }
    return value;
  }
  std::int64_t whole(std::string_view key) {
    std::int64_t value = 0;
    if (!failed_) ok(object_.find_field_unordered(key).get_int64().get(value));
    return value;
  }
  // Epoch ms, from ms or µs.
  std::int64_t time(std::string_view key) {
    const std::int64_t stamp = whole(key);
    const auto unit = unit_of(stamp);
    if (unit == TimeUnit::milliseconds) return stamp;
    if (unit == TimeUnit::microseconds) return stamp / 1000;
    failed_ = true;
    return 0;
  }
  bool flag(std::string_view key) {
    bool value = false;
    if (!failed_) ok(object_.find_field_unordered(key).get_bool().get(value));
    return value;
  }
  std::string_view text(std::string_view key) {
    std::string_view value;
    if (!failed_) ok(object_.find_field_unordered(key).get_string().get(value));
    return value;
  }
  bool failed() const { return failed_; }
  // Why, once it has failed.
  EventFault fault() const { return no_number_ ? EventFault::bad_number : EventFault::wrong_shape; }

 private:
  // The field is where it should be, but what it says is none or beyond all measure.
  void is_number(bool good) { no_number_ = no_number_ || !good; }
  bool ok(simdjson::error_code code) {
    if (code) failed_ = true;
    return !code;
  }
  json::object object_;
  bool failed_ = false;
  bool no_number_ = false;
};

// What cannot be in a closed or open kline event.
std::optional<EventFault> fault_of(const KlineEvent& event) {
  if (!is_event_symbol(event.symbol)) return EventFault::bad_symbol;
  if (candles::impossible(event.kline, kMinuteMs)) return EventFault::bad_number;
  const std::int64_t since_open = to_ms(event.event_time) - event.kline.open_time;
  const std::int64_t earliest = event.closed ? kMinuteMs - kClockSlackMs : -kClockSlackMs;
  if (since_open < earliest || since_open > kLongestDelayMs) return EventFault::bad_time;
  return std::nullopt;
}

}  // namespace

std::string_view describe(EventFault fault) {
  constexpr std::string_view kTexts[kEventFaults] = {
      "the message is far too long",
      "the message is not JSON",
      "a field is missing or has the wrong type",
      "no candle can have these numbers",
      "the symbol is not one",
      "the candle is not of one minute",
      "the event's time does not go with its candle",
  };
  return kTexts[static_cast<std::size_t>(fault)];
}

struct StreamEventParser::State {
  json::parser parser;
  std::vector<char> buffer = std::vector<char>(kMaxEventBytes + simdjson::SIMDJSON_PADDING);
  KlineEvent kline;
  TickerEvent ticker;
  EventFault fault = EventFault::not_json;
  std::string_view event;

  EventKind refuse(EventFault why) {
    fault = why;
    return EventKind::refused;
  }
  EventKind read(std::size_t size);
  EventKind read_event(json::object object, bool wrapped);
  EventKind read_kline(Fields& outer, json::object object);
  EventKind read_ticker(Fields& fields);
};

EventKind StreamEventParser::State::read_kline(Fields& outer, json::object object) {
  kline.event_time = from_ms(outer.time("E"));
  kline.symbol = outer.text("s");
  if (outer.failed()) return refuse(EventFault::wrong_shape);
  json::object inner;
  if (object.find_field_unordered("k").get_object().get(inner)) return refuse(EventFault::wrong_shape);
  Fields f(inner);
  candles::Kline& k = kline.kline;
  k.source = candles::Source::stream;
  k.open_time = f.time("t");
  const std::string_view symbol = f.text("s");
  const std::string_view interval = f.text("i");
  k.open = f.decimal("o");
  k.close = f.decimal("c");
  k.high = f.decimal("h");
  k.low = f.decimal("l");
  k.volume = f.decimal("v");
  k.trades = f.whole("n");
  kline.closed = f.flag("x");
  k.quote_volume = f.decimal("q");
  k.taker_buy_volume = f.decimal("V");
  k.taker_buy_quote_volume = f.decimal("Q");
  for (double* volume : {&k.volume, &k.quote_volume, &k.taker_buy_volume, &k.taker_buy_quote_volume}) {
    *volume += 0.0;  // -0 becomes 0
  }
  if (f.failed()) return refuse(f.fault());
  if (interval != "1m") return refuse(EventFault::other_interval);
  if (symbol != kline.symbol) return refuse(EventFault::bad_symbol);
  if (const auto why = fault_of(kline)) return refuse(*why);
  return EventKind::kline;
}

EventKind StreamEventParser::State::read_ticker(Fields& f) {
  ticker.event_time = from_ms(f.time("E"));
  ticker.symbol = f.text("s");
  ticker.price_change = f.decimal("p");
  ticker.price_change_percent = f.decimal("P");
  ticker.price = f.decimal("c");
  ticker.open = f.decimal("o");
  ticker.high = f.decimal("h");
  ticker.low = f.decimal("l");
  ticker.volume = f.decimal("v");
  ticker.quote_volume = f.decimal("q");
  ticker.close_time = from_ms(f.time("C"));
  ticker.trades = f.whole("n");
  if (f.failed()) return refuse(f.fault());
  if (!is_event_symbol(ticker.symbol)) return refuse(EventFault::bad_symbol);
  for (const double value : {ticker.price, ticker.open, ticker.high, ticker.low, ticker.volume,
                             ticker.quote_volume, ticker.price_change, ticker.price_change_percent}) {
    if (!std::isfinite(value)) return refuse(EventFault::bad_number);
  }
  if (ticker.price < 0 || ticker.low > ticker.high || ticker.volume < 0 || ticker.trades < 0) {
    return refuse(EventFault::bad_number);
  }
  return EventKind::ticker;
}

EventKind StreamEventParser::State::read_event(json::object object, bool wrapped) {
  std::string_view kind;
  const auto error = object.find_field_unordered("e").get_string().get(kind);
  if (error == simdjson::NO_SUCH_FIELD && !wrapped) {
    json::value ignored;
    if (!object.find_field_unordered("id").get(ignored)) return EventKind::answer;
    json::value data;
    json::object inner;
    if (object.find_field_unordered("data").get(data) || data.get_object().get(inner)) {
      return refuse(EventFault::wrong_shape);
    }
    std::string_view raw;
    if (inner.raw_json().get(raw) || inner.reset().error()) return refuse(EventFault::wrong_shape);
    event = raw;
    return read_event(inner, true);
  }
  if (error) return refuse(EventFault::wrong_shape);
  Fields fields(object);
  if (kind == "kline") return read_kline(fields, object);
  if (kind == "24hrTicker") return read_ticker(fields);
  return EventKind::other;
}

EventKind StreamEventParser::State::read(std::size_t size) {
  json::document document;
  if (parser.iterate(buffer.data(), size, buffer.size()).get(document)) return refuse(EventFault::not_json);
  json::json_type type;
  if (document.type().get(type)) return refuse(EventFault::not_json);
  if (type != json::json_type::object) return refuse(EventFault::wrong_shape);
  json::object object;
  if (document.get_object().get(object)) return refuse(EventFault::not_json);
  return read_event(object, false);
}

StreamEventParser::StreamEventParser() : state_(std::make_unique<State>()) {}
StreamEventParser::StreamEventParser(StreamEventParser&&) noexcept = default;
StreamEventParser& StreamEventParser::operator=(StreamEventParser&&) noexcept = default;
StreamEventParser::~StreamEventParser() = default;

EventKind StreamEventParser::parse(std::string_view message) {
  State& s = *state_;
  s.event = {};
  if (message.size() > kMaxEventBytes) return s.refuse(EventFault::too_large);
  // simdjson reads a few bytes beyond the end: they must be ours, and not look like the message goes on.
  std::memcpy(s.buffer.data(), message.data(), message.size());
  std::memset(s.buffer.data() + message.size(), ' ', simdjson::SIMDJSON_PADDING);
  s.event = {s.buffer.data(), message.size()};
  return s.read(message.size());
}

const KlineEvent& StreamEventParser::kline() const {
  return state_->kline;
}
const TickerEvent& StreamEventParser::ticker() const {
  return state_->ticker;
}
EventFault StreamEventParser::fault() const {
  return state_->fault;
}
std::string_view StreamEventParser::event_json() const {
  return state_->event;
}

std::string kline_event_json(std::string_view symbol, const candles::Kline& k) {
  const std::int64_t end = k.open_time + kMinuteMs;
  const auto known = [](double value) { return std::isnan(value) ? 0.0 : value; };
  return fmt::format(
      R"({{"e":"kline","E":{},"s":"{}","k":{{"t":{},"T":{},"s":"{}","i":"1m","f":-1,"L":-1,"o":"{}","c":"{}",)"
      R"("h":"{}","l":"{}","v":"{}","n":{},"x":true,"q":"{}","V":"{}","Q":"{}","B":"0"}}}})",
      end, symbol, k.open_time, end - 1, symbol, k.open, k.close, k.high, k.low, k.volume,
      k.trades == candles::kUnknownTrades ? 0 : k.trades, known(k.quote_volume), known(k.taker_buy_volume),
      known(k.taker_buy_quote_volume));
}

}  // namespace chandler::exchange
