// The only file of web/ that sees Arrow's headers.
#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <fmt/format.h>

#include <cmath>

#include "web/candle_format.hpp"

namespace chandler::web {
namespace {

using candles::Klines;

// Arrow reports failures as its own Status; here they can only mean that memory has run out.
template <class Builder, class Values, class Append>
arrow::Result<std::shared_ptr<arrow::Array>> build(Builder&& builder, const Values& values, Append append) {
  ARROW_RETURN_NOT_OK(builder.Reserve(static_cast<std::int64_t>(values.size())));
  for (const auto& value : values) append(builder, value);
  return builder.Finish();
}

arrow::Result<std::shared_ptr<arrow::Array>> doubles(const std::vector<double>& values) {
  return build(arrow::DoubleBuilder(), values, [](auto& builder, double value) {
    if (std::isnan(value)) {
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(value);
    }
  });
}

arrow::Result<std::shared_ptr<arrow::Array>> booleans(const std::vector<std::uint8_t>& values) {
  return build(arrow::BooleanBuilder(), values,
               [](auto& builder, std::uint8_t value) { builder.UnsafeAppend(value != 0); });
}

arrow::Result<std::string> stream_of(const serving::Candles& c) {
  const auto time = arrow::timestamp(arrow::TimeUnit::MILLI, "UTC");
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  const auto add = [&](const char* name, std::shared_ptr<arrow::Array> column, bool nullable) {
    fields.push_back(arrow::field(name, column->type(), nullable));
    columns.push_back(std::move(column));
  };
  ARROW_ASSIGN_OR_RAISE(auto times,
                        build(arrow::TimestampBuilder(time, arrow::default_memory_pool()), c.rows.open_time,
                              [](auto& builder, std::int64_t t) { builder.UnsafeAppend(t); }));
  add("open_time", times, false);
  const std::pair<const char*, const std::vector<double>*> numbers[] = {
      {"open", &c.rows.open},
      {"high", &c.rows.high},
      {"low", &c.rows.low},
      {"close", &c.rows.close},
      {"volume", &c.rows.volume},
      {"quote_volume", &c.rows.quote_volume},
      {"taker_buy_volume", &c.rows.taker_buy_volume},
      {"taker_buy_quote_volume", &c.rows.taker_buy_quote_volume}};
  for (const auto& [name, values] : numbers) {
    ARROW_ASSIGN_OR_RAISE(auto column, doubles(*values));
    add(name, column, columns.size() > 5);
  }
  ARROW_ASSIGN_OR_RAISE(auto trades,
                        build(arrow::Int64Builder(), c.rows.trades, [](auto& builder, std::int64_t n) {
                          if (n == candles::kUnknownTrades) {
                            builder.UnsafeAppendNull();
                          } else {
                            builder.UnsafeAppend(n);
                          }
                        }));
  add("trades", trades, true);
  ARROW_ASSIGN_OR_RAISE(auto minutes, build(arrow::Int32Builder(), c.minutes,
                                            [](auto& builder, std::int32_t n) { builder.UnsafeAppend(n); }));
  add("minutes", minutes, false);
  ARROW_ASSIGN_OR_RAISE(auto filled, booleans(c.filled));
  add("filled", filled, false);
  ARROW_ASSIGN_OR_RAISE(auto provisional, booleans(c.provisional));
  add("provisional", provisional, false);

  const auto schema = arrow::schema(fields);
  ARROW_ASSIGN_OR_RAISE(auto sink, arrow::io::BufferOutputStream::Create());
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeStreamWriter(sink, schema));
  const auto batch = arrow::RecordBatch::Make(schema, static_cast<std::int64_t>(c.size()), columns);
  ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*batch));
  ARROW_RETURN_NOT_OK(writer->Close());
  ARROW_ASSIGN_OR_RAISE(auto buffer, sink->Finish());
  return buffer->ToString();
}

}  // namespace

Result<std::string> candles_arrow(const serving::Candles& candles) {
  auto bytes = stream_of(candles);
  if (!bytes.ok()) {
    return fail(ErrorCode::internal,
                fmt::format("cannot write an Arrow stream: {}", bytes.status().ToString()));
  }
  return std::move(*bytes);
}

}  // namespace chandler::web
