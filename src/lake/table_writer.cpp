#include <arrow/array/array_dict.h>
#include <arrow/array/builder_binary.h>
#include <arrow/buffer.h>
#include <arrow/config.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <arrow/type.h>
#include <arrow/util/base64.h>
#include <arrow/util/key_value_metadata.h>
#include <fmt/format.h>
#include <parquet/arrow/writer.h>
#include <parquet/column_writer.h>
#include <parquet/exception.h>
#include <parquet/file_writer.h>
#include <parquet/properties.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "lake/arrow_type.hpp"
#include "lake/metadata.hpp"
#include "lake/table_file.hpp"

namespace chandler::lake {
namespace {

using parquet::LogicalType;
using parquet::Repetition;
using parquet::Type;
using parquet::schema::PrimitiveNode;

constexpr const char* kArrowSchemaKey = "ARROW:schema";
// A month of days is a quarter of a kilobyte a column.
constexpr std::size_t kFewRows = 512;
// A month of minutes is handed over whole, so that the encoder's buffer is made once and not in ever larger
// steps.
constexpr std::int64_t kRowsAtOnce = 1 << 16;

parquet::schema::NodePtr node_of(const Column& column) {
  const std::string name(column.name);
  const auto repetition = column.nullable ? Repetition::OPTIONAL : Repetition::REQUIRED;
  switch (column.type) {
    case ColumnType::timestamp:
      return PrimitiveNode::Make(name, repetition,
                                 LogicalType::Timestamp(true, LogicalType::TimeUnit::MILLIS, false, true),
                                 Type::INT64);
    case ColumnType::date:
      return PrimitiveNode::Make(name, repetition, LogicalType::Date(), Type::INT32);
    case ColumnType::int32:
      return PrimitiveNode::Make(name, repetition, LogicalType::None(), Type::INT32);
    case ColumnType::int64:
      return PrimitiveNode::Make(name, repetition, LogicalType::None(), Type::INT64);
    case ColumnType::float64:
      return PrimitiveNode::Make(name, repetition, LogicalType::None(), Type::DOUBLE);
    case ColumnType::boolean:
      return PrimitiveNode::Make(name, repetition, LogicalType::None(), Type::BOOLEAN);
    case ColumnType::source:
      return PrimitiveNode::Make(name, repetition, LogicalType::String(), Type::BYTE_ARRAY);
  }
  return nullptr;
}

// What makes Arrow readers give back the dictionary type, which Parquet's own schema cannot say.
std::string arrow_schema_of(std::span<const Column> columns) {
  arrow::FieldVector fields;
  for (const Column& c : columns)
    fields.push_back(arrow::field(std::string(c.name), arrow_type_of(c.type, arrow::int32()), c.nullable));
  const auto bytes = arrow::ipc::SerializeSchema(*arrow::schema(fields)).ValueOrDie();
  return arrow::util::base64_encode(std::string_view(*bytes));
}

std::size_t length_of(const Column& column) {
  return std::visit([](const auto& values) { return values.size(); }, column.values);
}

// Whether all values are unknown. Usually all are the same unknown, which memcmp sees at the speed of memory.
template <class T, class IsKnown>
bool all_unknown(std::span<const T> values, IsKnown is_known) {
  if (values.empty() || is_known(values.front())) return values.empty();
  const bool same = std::memcmp(values.data(), values.data() + 1, values.size_bytes() - sizeof(T)) == 0;
  return same || std::ranges::none_of(values, is_known);
}

constexpr auto kKnownNumber = [](double v) { return !std::isnan(v); };
constexpr auto kKnownCount = [](std::int64_t v) { return v != candles::kUnknownTrades; };

bool is_unknown_throughout(const Column& column) {
  if (!column.nullable) return false;
  if (const auto* numbers = std::get_if<std::span<const double>>(&column.values))
    return all_unknown(*numbers, kKnownNumber);
  if (const auto* counts = std::get_if<std::span<const std::int64_t>>(&column.values))
    return all_unknown(*counts, kKnownCount);
  return false;
}

// Columns without content, or with one word over and over, are a few bytes once they are encoded. Compressing
// those costs more than all else about them: a compressor's working memory is made and cleared for every
// column.
bool worth_compressing(const Column& column, bool unknown_throughout) {
  return length_of(column) >= kFewRows && column.type != ColumnType::source && !unknown_throughout;
}

// About what the file will take: a buffer keeps what it was given, and hundreds of small files wait for one
// sync.
std::int64_t first_size_of(std::span<const Column> columns) {
  const std::size_t rows = columns.empty() ? 0 : length_of(columns.front());
  return static_cast<std::int64_t>(8192 + rows * columns.size() * 3);
}

// `unknown`: for each column, whether all its values are.
std::shared_ptr<parquet::WriterProperties> properties_of(std::span<const Column> columns,
                                                         const std::vector<bool>& unknown) {
  parquet::WriterProperties::Builder properties;
  properties.created_by(kCreatedBy)
      ->version(parquet::ParquetVersion::PARQUET_2_6)
      ->enable_page_checksum()
      ->max_row_group_length(1 << 22)
      ->write_batch_size(kRowsAtOnce)
      ->disable_dictionary()
      ->disable_statistics();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Column& c = columns[i];
    const std::string name(c.name);
    // Arrow's LZ4 is the LZ4_RAW of the format.
    if (worth_compressing(c, unknown[i])) properties.compression(name, parquet::Compression::LZ4);
    if (c.type == ColumnType::timestamp || c.type == ColumnType::date || c.type == ColumnType::int64) {
      properties.encoding(name, parquet::Encoding::DELTA_BINARY_PACKED);
    } else if (c.type == ColumnType::float64) {
      // Not BYTE_STREAM_SPLIT: Spark's reader refuses it.
      properties.encoding(name, parquet::Encoding::PLAIN);
    } else if (c.type == ColumnType::source) {
      properties.enable_dictionary(name);
    }
    if (c.type == ColumnType::timestamp || c.type == ColumnType::date) properties.enable_statistics(name);
  }
  return properties.build();
}

// Writes values that may be null: definition levels, and the known values packed.
template <class DType, class T, class IsKnown>
void write_nullable(parquet::ColumnWriter& writer, std::span<const T> values, bool unknown_throughout,
                    IsKnown is_known) {
  std::vector<std::int16_t> levels(values.size());
  std::vector<T> packed;
  if (!unknown_throughout) {
    packed.reserve(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      levels[i] = is_known(values[i]) ? 1 : 0;
      if (levels[i] != 0) packed.push_back(values[i]);
    }
  }
  static_cast<parquet::TypedColumnWriter<DType>&>(writer).WriteBatch(static_cast<std::int64_t>(values.size()),
                                                                     levels.data(), nullptr, packed.data());
}

template <class DType, class T>
void write_required(parquet::ColumnWriter& writer, std::span<const T> values) {
  static_cast<parquet::TypedColumnWriter<DType>&>(writer).WriteBatch(static_cast<std::int64_t>(values.size()),
                                                                     nullptr, nullptr, values.data());
}

void write_sources(parquet::ColumnWriter& writer, std::span<const candles::Source> values) {
  arrow::StringBuilder words;
  std::vector<std::int32_t> code_of(4, -1), codes(values.size());
  std::int32_t used = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::int32_t& code = code_of[static_cast<std::size_t>(values[i])];
    if (code < 0) {
      code = used++;
      PARQUET_THROW_NOT_OK(words.Append(candles::name(values[i])));
    }
    codes[i] = code;
  }
  std::shared_ptr<arrow::Array> dictionary;
  PARQUET_THROW_NOT_OK(words.Finish(&dictionary));
  const auto type = arrow::dictionary(arrow::int32(), arrow::utf8());
  const arrow::DictionaryArray array(type,
                                     std::make_shared<arrow::Int32Array>(
                                         static_cast<std::int64_t>(codes.size()), arrow::Buffer::Wrap(codes)),
                                     dictionary);
  const auto arrow_properties = parquet::default_arrow_writer_properties();
  parquet::ArrowWriteContext context(arrow::default_memory_pool(), arrow_properties.get());
  PARQUET_THROW_NOT_OK(writer.WriteArrow(nullptr, nullptr, array.length(), array, &context, false));
}

void write_column(parquet::ColumnWriter& writer, const Column& column, bool unknown_throughout) {
  switch (column.type) {
    case ColumnType::timestamp:
    case ColumnType::int64: {
      const auto values = std::get<std::span<const std::int64_t>>(column.values);
      if (column.nullable) {
        write_nullable<parquet::Int64Type>(writer, values, unknown_throughout, kKnownCount);
      } else {
        write_required<parquet::Int64Type>(writer, values);
      }
      break;
    }
    case ColumnType::date:
    case ColumnType::int32:
      write_required<parquet::Int32Type>(writer, std::get<std::span<const std::int32_t>>(column.values));
      break;
    case ColumnType::float64: {
      const auto values = std::get<std::span<const double>>(column.values);
      if (column.nullable) {
        write_nullable<parquet::DoubleType>(writer, values, unknown_throughout, kKnownNumber);
      } else {
        write_required<parquet::DoubleType>(writer, values);
      }
      break;
    }
    case ColumnType::boolean: {
      const auto bytes = std::get<std::span<const std::uint8_t>>(column.values);
      const std::unique_ptr<bool[]> flags(new bool[bytes.size()]);
      for (std::size_t i = 0; i < bytes.size(); ++i) flags[i] = bytes[i] != 0;
      write_required<parquet::BooleanType>(writer, std::span<const bool>(flags.get(), bytes.size()));
      break;
    }
    case ColumnType::source:
      write_sources(writer, std::get<std::span<const candles::Source>>(column.values));
      break;
  }
}

// Goes up whenever properties_of() or the entries of a footer change: other bytes for the same rows are then
// no damage.
constexpr int kEncodingVersion = 3;

std::string encoder() {
  return fmt::format("arrow {}, encoding {}", arrow::GetBuildInfo().version_string, kEncodingVersion);
}

}  // namespace

bool is_of_this_encoder(const Metadata& metadata) {
  const auto it = metadata.find(kEncoderKey);
  return it != metadata.end() && it->second == encoder();
}

std::string describe(const Column& column) {
  constexpr std::string_view types[] = {"timestamp", "date", "int32", "int64", "double", "boolean", "string"};
  return fmt::format("{} {}{}", types[static_cast<std::size_t>(column.type)], column.name,
                     column.nullable ? "?" : "");
}

Result<std::shared_ptr<arrow::Buffer>> encode_table(std::span<const Column> columns,
                                                    const Metadata& metadata) {
  try {
    parquet::schema::NodeVector nodes;
    for (const Column& c : columns) nodes.push_back(node_of(c));
    const auto schema = std::static_pointer_cast<parquet::schema::GroupNode>(
        parquet::schema::GroupNode::Make("schema", Repetition::REQUIRED, nodes));
    // Entries of these names in `metadata` are those of the file it was read from.
    Metadata sealed = metadata;
    sealed[kArrowSchemaKey] = arrow_schema_of(columns);
    sealed[kEncoderKey] = encoder();
    sealed[kSealKey] = seal_of(sealed);
    auto pairs = std::make_shared<arrow::KeyValueMetadata>();
    for (const auto& [key, value] : sealed) pairs->Append(key, value);

    std::vector<bool> unknown;
    for (const Column& c : columns) unknown.push_back(is_unknown_throughout(c));
    PARQUET_ASSIGN_OR_THROW(const auto sink, arrow::io::BufferOutputStream::Create(first_size_of(columns)));
    const auto file = parquet::ParquetFileWriter::Open(sink, schema, properties_of(columns, unknown), pairs);
    if (!columns.empty() && length_of(columns.front()) > 0) {
      auto* group = file->AppendRowGroup();
      for (std::size_t i = 0; i < columns.size(); ++i) {
        auto* writer = group->NextColumn();
        write_column(*writer, columns[i], unknown[i]);
        writer->Close();
      }
      group->Close();
    }
    file->Close();
    PARQUET_ASSIGN_OR_THROW(auto bytes, sink->Finish());
    return bytes;
  } catch (const std::exception& e) {
    return fail(ErrorCode::internal, fmt::format("cannot encode a Parquet file: {}", e.what()));
  }
}

}  // namespace chandler::lake
