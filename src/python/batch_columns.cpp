#include "python/batch_columns.hpp"

#include <arrow/api.h>
#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include <cmath>

#include "candles/clean.hpp"

namespace chandler::python {
namespace {

using candles::kUnknown;
using candles::kUnknownTrades;

std::unexpected<Error> wrong_type(const arrow::Array& array, std::string_view name, std::string_view wanted) {
  return fail(ErrorCode::invalid_data,
              fmt::format("column '{}' is {}, not {}", name, array.type()->ToString(), wanted), {},
              "cast it before");
}

std::unexpected<Error> bad_value(std::string_view name, std::string_view what, std::int64_t row) {
  return fail(ErrorCode::invalid_data, fmt::format("column '{}' has {}", name, what),
              fmt::format("row {}", row), {});
}

template <class ArrayType>
auto span_of(const arrow::Array& array) {
  const auto& typed = static_cast<const ArrayType&>(array);
  return std::span(typed.raw_values(), static_cast<std::size_t>(array.length()));
}

// Each value through `convert`, each null as `unknown`.
template <class T, class ArrayType, class Convert>
std::vector<T> converted(const arrow::Array& array, T unknown, Convert convert) {
  const auto& typed = static_cast<const ArrayType&>(array);
  std::vector<T> values(static_cast<std::size_t>(array.length()));
  for (std::int64_t i = 0; i < array.length(); ++i)
    values[static_cast<std::size_t>(i)] = array.IsNull(i) ? unknown : convert(typed.Value(i));
  return values;
}

// Calls use(ArrayType) for the array's class if it is one of integers.
template <class T, class Convert>
std::optional<std::vector<T>> from_integers(const arrow::Array& array, T unknown, Convert convert) {
  switch (array.type_id()) {
    case arrow::Type::INT8:
      return converted<T, arrow::Int8Array>(array, unknown, convert);
    case arrow::Type::INT16:
      return converted<T, arrow::Int16Array>(array, unknown, convert);
    case arrow::Type::INT32:
      return converted<T, arrow::Int32Array>(array, unknown, convert);
    case arrow::Type::INT64:
      return converted<T, arrow::Int64Array>(array, unknown, convert);
    case arrow::Type::UINT8:
      return converted<T, arrow::UInt8Array>(array, unknown, convert);
    case arrow::Type::UINT16:
      return converted<T, arrow::UInt16Array>(array, unknown, convert);
    case arrow::Type::UINT32:
      return converted<T, arrow::UInt32Array>(array, unknown, convert);
    case arrow::Type::UINT64:
      return converted<T, arrow::UInt64Array>(array, unknown, convert);
    default:
      return std::nullopt;
  }
}

// ms in one unit, or units in one ms.
struct Scale {
  std::int64_t times = 1, divided_by = 1;
};
Scale scale_of(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return {1000, 1};
    case arrow::TimeUnit::MILLI:
      return {};
    case arrow::TimeUnit::MICRO:
      return {1, 1000};
    case arrow::TimeUnit::NANO:
      return {1, 1'000'000};
  }
  return {};
}

Result<ColumnView<std::int64_t>> scaled(std::span<const std::int64_t> values, Scale scale,
                                        std::string_view name) {
  // No instant that a candle can have is near the overflow; an absurd one stays absurd, and is refused later.
  constexpr std::int64_t kMostSeconds = std::numeric_limits<std::int64_t>::max() / 1000;
  std::vector<std::int64_t> ms(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int64_t v = values[i];
    if (scale.times > 1 && (v > kMostSeconds || v < -kMostSeconds))
      return bad_value(name, "an instant beyond all calendars", static_cast<std::int64_t>(i));
    if (v % scale.divided_by != 0)
      return bad_value(name, "a fraction of a millisecond", static_cast<std::int64_t>(i));
    ms[i] = v * scale.times / scale.divided_by;
  }
  return ColumnView<std::int64_t>(std::move(ms));
}

std::int64_t first_null(const arrow::Array& array) {
  std::int64_t row = 0;
  while (!array.IsNull(row)) ++row;
  return row;
}

// Words of a string column of any layout, dictionaries included.
template <class Use>
bool for_each_word(const arrow::Array& array, Use use) {
  const auto run = [&](const auto& typed) {
    for (std::int64_t i = 0; i < typed.length(); ++i) use(i, typed.IsNull(i), typed.GetView(i));
    return true;
  };
  switch (array.type_id()) {
    case arrow::Type::STRING:
      return run(static_cast<const arrow::StringArray&>(array));
    case arrow::Type::LARGE_STRING:
      return run(static_cast<const arrow::LargeStringArray&>(array));
    case arrow::Type::STRING_VIEW:
      return run(static_cast<const arrow::StringViewArray&>(array));
    default:
      return false;
  }
}

Result<candles::Source> source_of(std::string_view name, std::int64_t row, bool null, std::string_view word) {
  if (null) return candles::Source::import;
  const auto source = candles::parse_source(word);
  if (!source) return bad_value(name, fmt::format("'{}', which is no source", word.substr(0, 40)), row);
  return *source;
}

Result<std::vector<candles::Source>> words_to_sources(const arrow::Array& array, std::string_view name) {
  std::vector<candles::Source> values;
  values.reserve(static_cast<std::size_t>(array.length()));
  std::optional<Error> error;
  const bool words = for_each_word(array, [&](std::int64_t row, bool null, std::string_view word) {
    auto source = source_of(name, row, null, null ? std::string_view{} : word);
    if (!source && !error) error = source.error();
    values.push_back(source.value_or(candles::Source::import));
  });
  if (!words) return wrong_type(array, name, "text");
  if (error) return std::unexpected(*error);
  return values;
}

}  // namespace

std::shared_ptr<arrow::Array> find_column(const arrow::RecordBatch& batch, std::string_view name) {
  return batch.GetColumnByName(std::string(name));
}

Result<ColumnView<std::int64_t>> instants(const arrow::Array& array, std::string_view name) {
  if (array.null_count() > 0) return bad_value(name, "a null", first_null(array));
  switch (array.type_id()) {
    case arrow::Type::INT64:
      return ColumnView<std::int64_t>(span_of<arrow::Int64Array>(array));
    case arrow::Type::TIMESTAMP: {
      const auto values = span_of<arrow::TimestampArray>(array);
      const auto unit = static_cast<const arrow::TimestampType&>(*array.type()).unit();
      if (unit == arrow::TimeUnit::MILLI) return ColumnView<std::int64_t>(values);
      return scaled(values, scale_of(unit), name);
    }
    case arrow::Type::DATE32:
      return ColumnView<std::int64_t>(converted<std::int64_t, arrow::Date32Array>(
          array, 0, [](std::int32_t day) { return std::int64_t{day} * kDayMs; }));
    case arrow::Type::DATE64:
      return ColumnView<std::int64_t>(span_of<arrow::Date64Array>(array));
    default:
      return wrong_type(array, name, "a timestamp, a date, or an int64 of milliseconds since 1970 (UTC)");
  }
}

Result<ColumnView<std::int32_t>> days(const arrow::Array& array, std::string_view name) {
  if (array.type_id() == arrow::Type::DATE32 && array.null_count() == 0)
    return ColumnView<std::int32_t>(span_of<arrow::Date32Array>(array));
  if (array.type_id() == arrow::Type::INT64) return wrong_type(array, name, "a date or a timestamp at 00:00");
  CHANDLER_ASSIGN(const auto times, instants(array, name));
  std::vector<std::int32_t> values(times.values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int64_t ms = times.values[i];
    if (ms % kDayMs != 0)
      return bad_value(name, "an instant that is not 00:00 UTC", static_cast<std::int64_t>(i));
    const std::int64_t day = ms / kDayMs;
    if (std::abs(day) > 10'000'000)
      return bad_value(name, "a day beyond all calendars", static_cast<std::int64_t>(i));
    values[i] = static_cast<std::int32_t>(day);
  }
  return ColumnView<std::int32_t>(std::move(values));
}

Result<ColumnView<double>> numbers(const arrow::Array& array, std::string_view name) {
  const auto same = [](auto v) { return static_cast<double>(v); };
  switch (array.type_id()) {
    case arrow::Type::DOUBLE:
      if (array.null_count() == 0) return ColumnView<double>(span_of<arrow::DoubleArray>(array));
      return ColumnView<double>(converted<double, arrow::DoubleArray>(array, kUnknown, same));
    case arrow::Type::FLOAT:
      return ColumnView<double>(converted<double, arrow::FloatArray>(array, kUnknown, same));
    case arrow::Type::DECIMAL128: {
      const std::int32_t scale = static_cast<const arrow::DecimalType&>(*array.type()).scale();
      const auto& typed = static_cast<const arrow::Decimal128Array&>(array);
      std::vector<double> values(static_cast<std::size_t>(array.length()), kUnknown);
      for (std::int64_t i = 0; i < array.length(); ++i) {
        if (!array.IsNull(i))
          values[static_cast<std::size_t>(i)] = arrow::Decimal128(typed.GetValue(i)).ToDouble(scale);
      }
      return ColumnView<double>(std::move(values));
    }
    case arrow::Type::NA:
      return ColumnView<double>(std::vector<double>(static_cast<std::size_t>(array.length()), kUnknown));
    default:
      if (auto values = from_integers<double>(array, kUnknown, same))
        return ColumnView<double>(std::move(*values));
      return wrong_type(array, name, "a number");
  }
}

Result<ColumnView<std::int64_t>> counts(const arrow::Array& array, std::string_view name) {
  if (array.type_id() == arrow::Type::INT64 && array.null_count() == 0)
    return ColumnView<std::int64_t>(span_of<arrow::Int64Array>(array));
  if (auto values = from_integers<std::int64_t>(array, kUnknownTrades,
                                                [](auto v) { return static_cast<std::int64_t>(v); }))
    return ColumnView<std::int64_t>(std::move(*values));
  if (array.type_id() == arrow::Type::NA)
    return ColumnView<std::int64_t>(
        std::vector<std::int64_t>(static_cast<std::size_t>(array.length()), kUnknownTrades));
  if (array.type_id() != arrow::Type::DOUBLE) return wrong_type(array, name, "a whole number");
  CHANDLER_ASSIGN(const auto floats, numbers(array, name));
  std::vector<std::int64_t> values(floats.values.size(), kUnknownTrades);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double v = floats.values[i];
    if (std::isnan(v)) continue;
    if (v != std::trunc(v) || std::abs(v) > 1e15)
      return bad_value(name, fmt::format("{}, which is no count", v), static_cast<std::int64_t>(i));
    values[i] = static_cast<std::int64_t>(v);
  }
  return ColumnView<std::int64_t>(std::move(values));
}

Result<std::vector<std::uint8_t>> flags(const arrow::Array& array, std::string_view name) {
  if (array.type_id() != arrow::Type::BOOL) return wrong_type(array, name, "true or false");
  const auto& typed = static_cast<const arrow::BooleanArray&>(array);
  std::vector<std::uint8_t> values(static_cast<std::size_t>(array.length()));
  for (std::int64_t i = 0; i < array.length(); ++i)
    values[static_cast<std::size_t>(i)] = !array.IsNull(i) && typed.Value(i) ? 1 : 0;
  return values;
}

Result<std::vector<candles::Source>> sources(const arrow::Array& array, std::string_view name) {
  if (array.type_id() != arrow::Type::DICTIONARY) return words_to_sources(array, name);
  const auto& typed = static_cast<const arrow::DictionaryArray&>(array);
  CHANDLER_ASSIGN(const auto words, words_to_sources(*typed.dictionary(), name));
  std::vector<candles::Source> values(static_cast<std::size_t>(array.length()), candles::Source::import);
  for (std::int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) continue;
    const std::int64_t word = typed.GetValueIndex(i);
    if (word < 0 || static_cast<std::size_t>(word) >= words.size())
      return bad_value(name, "an index outside its dictionary", i);
    values[static_cast<std::size_t>(i)] = words[static_cast<std::size_t>(word)];
  }
  return values;
}

candles::KlineSpans KlineView::spans() const {
  return {open_time.values,
          open.values,
          high.values,
          low.values,
          close.values,
          volume.values,
          quote_volume.values,
          taker_buy_volume.values,
          taker_buy_quote_volume.values,
          trades.values};
}

Result<KlineView> klines_in(const arrow::RecordBatch& batch) {
  KlineView view;
  const auto require = [&](std::string_view name) -> Result<std::shared_ptr<arrow::Array>> {
    if (auto column = find_column(batch, name)) return column;
    std::string there;
    for (const auto& field : batch.schema()->fields())
      there += fmt::format("{}{}", there.empty() ? "" : ", ", field->name());
    return fail(
        ErrorCode::invalid_data, fmt::format("column '{}' is missing", name), "columns: " + there,
        "candles have open_time, open, high, low, close and volume; rename what they are called here");
  };
  CHANDLER_ASSIGN(const auto times, require("open_time"));
  CHANDLER_ASSIGN(view.open_time, instants(*times, "open_time"));
  for (const auto& [name, column] : {std::pair("open", &KlineView::open), std::pair("high", &KlineView::high),
                                     std::pair("low", &KlineView::low), std::pair("close", &KlineView::close),
                                     std::pair("volume", &KlineView::volume)}) {
    CHANDLER_ASSIGN(const auto array, require(name));
    CHANDLER_ASSIGN(view.*column, numbers(*array, name));
  }
  for (const auto& [name, column] :
       {std::pair("quote_volume", &KlineView::quote_volume),
        std::pair("taker_buy_volume", &KlineView::taker_buy_volume),
        std::pair("taker_buy_quote_volume", &KlineView::taker_buy_quote_volume)}) {
    if (const auto array = find_column(batch, name)) {
      CHANDLER_ASSIGN(view.*column, numbers(*array, name));
    }
  }
  for (const auto& [name, column] :
       {std::pair("trades", &KlineView::trades), std::pair("minutes", &KlineView::minutes)}) {
    if (const auto array = find_column(batch, name)) {
      CHANDLER_ASSIGN(view.*column, counts(*array, name));
    }
  }
  if (const auto array = find_column(batch, "source")) {
    CHANDLER_ASSIGN(view.source, sources(*array, "source"));
  }
  return view;
}

void append(candles::Klines& rows, const KlineView& view) {
  const std::size_t n = rows.size() + view.size();
  const auto add = [&](auto& to, const auto& from, auto unknown) {
    to.insert(to.end(), from.begin(), from.end());
    to.resize(n, unknown);
  };
  add(rows.open_time, view.open_time.values, std::int64_t{0});
  add(rows.open, view.open.values, 0.0);
  add(rows.high, view.high.values, 0.0);
  add(rows.low, view.low.values, 0.0);
  add(rows.close, view.close.values, 0.0);
  add(rows.volume, view.volume.values, 0.0);
  add(rows.quote_volume, view.quote_volume.values, kUnknown);
  add(rows.taker_buy_volume, view.taker_buy_volume.values, kUnknown);
  add(rows.taker_buy_quote_volume, view.taker_buy_quote_volume.values, kUnknown);
  add(rows.trades, view.trades.values, kUnknownTrades);
  add(rows.source, view.source, candles::Source::import);
}

Status check_in_order(const KlineView& view, std::int64_t last, std::size_t row) {
  const auto times = view.open_time.values;
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (times[i] <= last) {
      return fail(ErrorCode::invalid_data, "open times do not ascend, or one is there twice",
                  fmt::format("row {}", row + i), "run `clean` on the rows first");
    }
    last = times[i];
  }
  if (!times.empty() &&
      (times.front() < candles::kEarliestOpenTime || times.back() >= candles::kLatestOpenTime)) {
    return fail(ErrorCode::invalid_data, "an open time is not between 2009 and 2100",
                fmt::format("rows {} to {}", row, row + times.size() - 1),
                "check the unit: an int64 is taken as milliseconds since 1970");
  }
  const std::pair<const char*, std::span<const double>> numbers[] = {{"open", view.open.values},
                                                                     {"high", view.high.values},
                                                                     {"low", view.low.values},
                                                                     {"close", view.close.values},
                                                                     {"volume", view.volume.values}};
  for (const auto& [name, values] : numbers) {
    // A sum is finite only if all are, as long as none is near the largest double; then the rows are asked.
    double sum = 0;
    for (const double v : values) sum += v;
    if (std::isfinite(sum)) continue;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::isfinite(values[i])) continue;
      return fail(ErrorCode::invalid_data, fmt::format("column '{}' has a null, or no finite number", name),
                  fmt::format("row {}", row + i), "run `clean` on the rows first");
    }
  }
  return {};
}

}  // namespace chandler::python
